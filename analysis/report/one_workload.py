"""What a report says of one workload, HTML: its words, its tables and its figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from string import Template
from typing import TYPE_CHECKING

from analysis.figures import Drawing, registry
from analysis.formats import count, plural
from analysis.report import notes, page, tables
from analysis.report.answer import answer
from analysis.report.summary_table import summary_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.contents.gather import Contents

CLAIMS_NOTE = (
    "A claim is reproduced or contradicted only if the intervals exclude equality at every distance reported and the "
    "edge of the box could not turn that round. All intervals of a claim hold jointly at 96 % (each at "
    "1 − 0.04 / rivals). Seeds are drawn in pairs: the same for every cell and optimizer."
)
MEASURES_NOTE = (
    "Depth is the test error of the ringed cell, chosen on data that do not score it; relative areas are measured from "
    "it, absolute ones from the best of all. × is a ratio of areas, all else a difference. Bold: the 95 % interval, "
    "each by itself, excludes equality."
)
DEPTHS_NOTE = (
    "Depth is the test error of the cell by which an optimizer is judged: chosen on data that do not score it, where "
    "there are several. Bold: the 95 % interval of the difference, each by itself, excludes 0."
)


@dataclass(frozen=True, kw_only=True, eq=False)
class OneWorkload:
    """One workload as a report shows it.

    Attributes:
        contents: All that is known of it.
        drawn: Its figures by their ids, in the report's order.
        root: What the query on the page opens.
        anchor: Its id on a page of several workloads; None where the page is its own.
    """

    contents: Contents
    drawn: Mapping[str, Drawing]
    root: str
    anchor: str | None = None

    @classmethod
    def of(cls, contents: Contents, root: str, anchor: str | None = None) -> OneWorkload:
        """Draw the figures that the contents allow.

        Raises:
            robustness.plugins.PluginError: A figure of another package cannot be used.
        """
        found = registry.drawings(contents, registry.of_report())
        drawn = {name: one for name, one in found.items() if isinstance(one, Drawing)}
        return cls(contents=contents, drawn=drawn, root=root, anchor=anchor)

    @property
    def placed(self) -> dict[str, Drawing]:
        """Its figures by the ids of their places on the page."""
        return {self._place(name): one for name, one in self.drawn.items()}

    def _place(self, figure: str) -> str:
        return figure if self.anchor is None else f"{self.anchor}--{figure}"

    @property
    def level(self) -> int:
        """Of the headings of its sections."""
        return 2 if self.anchor is None else 3

    def figures(self) -> str | None:
        """Return the places of its figures, each under its heading; None without one."""
        rows = registry.of_report()
        places = (
            page.section(self._place(name), rows[name].heading, one, self.level) for name, one in self.drawn.items()
        )
        return "".join(places) or None

    def answer(self) -> str:
        """Return the first sentence."""
        return page.answer(answer(self.contents))

    def facts(self) -> str:
        """Return how far it is."""
        return page.facts(notes.state(self.contents))

    def notes(self) -> str | None:
        """Return what to know before trusting the page; of the store as a whole only where the page is its own."""
        return notes.paragraphs(notes.notes(self.contents, of_store=self.anchor is None))

    def claims(self) -> str | None:
        """Return the table of verdicts; None without one."""
        return _filled(tables.claims(self.contents))

    def summary(self) -> str:
        """Return the summary table."""
        of = "" if self.anchor is None else f" of {escape(self.contents.workload)}"
        return page.scrolled(summary_table(self.contents) or "", f"Summary table{of}")

    def measures(self) -> str | None:
        """Return the table of measures; None without one."""
        return _filled(f'<div class="scroll">{tables.measures(self.contents)}</div>')

    def measures_note(self) -> str:
        """Return what stands below the table of measures."""
        return DEPTHS_NOTE if self.contents.no_map else MEASURES_NOTE


def _filled(table: str) -> str | None:
    """Return a table; None where there is nothing in it."""
    return table if "<tr" in table or "<li" in table else None


def description(contents: Contents) -> str | None:
    """Return what the study says of itself; None if nothing."""
    about = contents.study.description if contents.study else None
    return f'<p class="description">{escape(about)}</p>' if about else None


def made(contents: Contents, root: str, results: int, asked: int | None) -> str:
    """Return how the page was made, the same for every workload of a study.

    Args:
        contents: Any workload of the study.
        root: What the query opens.
        results: Runs with a result, of all workloads.
        asked: Runs that the study asks for; None where unknown.
    """
    text = f"<details><summary>The study file</summary><pre><code>{escape(contents.text or '')}</code></pre></details>"
    stored = plural(results, "run")
    return Template(page.asset("made.html")).substitute(
        runs=stored if asked is None else f"{stored} of {count(asked)} asked",
        date=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        study=text if contents.text else "",
        provenance=notes.provenance(contents.provenance) or "",
        query=notes.query(root, contents),
    )
