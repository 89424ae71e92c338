"""The sections of a report, a row each, in the order in which they stand on its page."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from string import Template
from typing import TYPE_CHECKING, Generic, TypeVar

from analysis.report import page
from analysis.report.compared_page import ComparedWorkloads
from analysis.report.one_workload import CLAIMS_NOTE, OneWorkload, description, made
from analysis.report.several_workloads import SeveralWorkloads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Told = TypeVar("Told")


@dataclass(frozen=True, kw_only=True)
class Section(Generic[Told]):
    """One section of a report.

    Attributes:
        id: What it is called; no two of a page are alike.
        heading: What stands over it; None for a section without a frame of its own, which says it itself.
        body: What it says, HTML; None where there is nothing to say, and then the section is not there.
        note: What stands below it; of a section with a heading alone.
        in_head: Whether it belongs to the head of the page.
    """

    id: str
    heading: str | None = None
    body: Callable[[Told], str | None]
    note: Callable[[Told], str] | None = None
    in_head: bool = False


def written(rows: Iterable[Section[Told]], told: Told, level: int = 2) -> str:
    """Return sections one below the other, HTML.

    Args:
        rows: Which ones.
        told: What they are about.
        level: Of their headings.
    """
    found = ((row, row.body(told)) for row in rows)
    return "\n".join(_framed(row, body, told, level) for row, body in found if body is not None)


def _framed(row: Section[Told], body: str, told: Told, level: int) -> str:
    if row.heading is None:
        return body
    note = f"<p class='caption'>{row.note(told)}</p>" if row.note else ""
    return f"<section><h{level}>{row.heading}</h{level}>{body}{note}</section>"


def _made(one: OneWorkload) -> str:
    return made(one.contents, one.root, one.contents.results, one.contents.asked)


OF_WORKLOAD: tuple[Section[OneWorkload], ...] = (
    Section(id="answer", body=OneWorkload.answer, in_head=True),
    Section(id="facts", body=OneWorkload.facts, in_head=True),
    Section(id="notes", body=OneWorkload.notes, in_head=True),
    Section(id="claims", heading="The claims", body=OneWorkload.claims, note=lambda _: CLAIMS_NOTE),
    Section(id="summary", body=OneWorkload.summary),
    Section(id="measures", heading="The measures", body=OneWorkload.measures, note=OneWorkload.measures_note),
    Section(id="no-script", body=lambda one: page.NO_SCRIPT if one.anchor is None else None),
    Section(id="figures", body=OneWorkload.figures),
)
"""What a report says of a workload: on a page of its own, or among others."""

OF_STUDY_OF_ONE: tuple[Section[OneWorkload], ...] = (
    Section(id="description", body=lambda one: description(one.contents), in_head=True),
    *OF_WORKLOAD,
    Section(id="made", body=_made),
)
"""The report of a study on one workload."""


def article(one: OneWorkload) -> str:
    """Return all that a report of several workloads says of one of them, HTML."""
    return Template(page.asset("workload.html")).substitute(
        id=one.anchor, title=escape(one.contents.workload), sections=written(OF_WORKLOAD, one, one.level)
    )


OF_STUDY: tuple[Section[SeveralWorkloads], ...] = (
    Section(id="description", body=lambda every: description(every.first), in_head=True),
    Section(id="answer", body=SeveralWorkloads.answer, in_head=True),
    Section(id="facts", body=SeveralWorkloads.facts, in_head=True),
    Section(id="notes", body=SeveralWorkloads.notes, in_head=True),
    Section(id="links", body=SeveralWorkloads.links, in_head=True),
    Section(id="measures", body=SeveralWorkloads.measures),
    Section(id="scores", body=SeveralWorkloads.scores),
    Section(id="no-script", body=lambda _: page.NO_SCRIPT),
    Section(id="performance", body=SeveralWorkloads.performance),
    Section(id="workloads", body=lambda every: "".join(article(one) for one in every.workloads)),
    Section(id="made", body=lambda every: made(every.first, every.root, every.results, every.asked)),
)
"""The report of a study on several workloads."""

OF_COMPARISON: tuple[Section[ComparedWorkloads], ...] = (
    Section(id="answer", body=ComparedWorkloads.answer, in_head=True),
    Section(id="facts", body=ComparedWorkloads.facts, in_head=True),
    Section(id="notes", body=ComparedWorkloads.notes, in_head=True),
    Section(id="measures", body=ComparedWorkloads.measures),
    Section(id="scores", body=ComparedWorkloads.scores),
    Section(id="no-script", body=lambda _: page.NO_SCRIPT),
    Section(id="figures", body=ComparedWorkloads.places),
    Section(id="made", body=ComparedWorkloads.made),
)
"""The page of studies side by side."""
