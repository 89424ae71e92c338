"""The report of a study on several workloads: what they come to together, then each by itself, in one HTML file."""

from __future__ import annotations

from html import escape
from string import Template
from typing import TYPE_CHECKING

from analysis.contents.by_workload import slugs
from analysis.contents.side_by_side import costs, labels, workloads
from analysis.figures.lines.performance_profiles import performance
from analysis.formats import count, plural
from analysis.report import best_epoch_table, notes, one_workload, page, side_by_side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.contents.gather import Contents
    from analysis.figures import Drawing

TOGETHER = "performance"


def html(studies: Sequence[Contents], root: str) -> str:
    """Return the whole page of a study's workloads; `root` is what the query on it opens."""
    first = studies[0]
    answer, summary, drawn = _together(studies)
    together = page.section(TOGETHER, "Performance profiles", drawn[TOGETHER]) if drawn else ""
    parts = []
    for contents, name in zip(studies, _anchors(studies), strict=True):
        own = one_workload.drawings(contents)
        drawn |= {f"{name}--{section}": drawing for section, drawing in own.items()}
        parts.append(_part(contents, name, one_workload.figures(own, f"{name}--", level=3)))
    asked = [one.asked for one in studies if one.asked is not None]
    return page.page(
        first.name,
        "robustness report",
        "workloads.html",
        drawn,
        description=one_workload.description(first),
        sentence=answer,
        facts=_facts(studies),
        notes=notes.paragraphs(notes.store_notes(first)),
        contents=_links(studies),
        summary=summary,
        performance=together,
        parts="".join(parts),
        made=one_workload.made(first, root, sum(one.results for one in studies), sum(asked) if asked else None),
    )


def _together(studies: Sequence[Contents]) -> tuple[str, str, dict[str, Drawing]]:
    """Return the answer and the tables over all workloads, HTML, and the figure of performance profiles."""
    if all(one.no_map for one in studies):
        return (
            best_epoch_table.leaders(studies),
            _table(best_epoch_table.across(studies), best_epoch_table.caption(studies)),
            {},
        )
    compared, delta = workloads(studies), studies[0].delta
    scores = side_by_side.scores(compared, delta)
    tables = _table(side_by_side.html_measures(compared, named=False), side_by_side.basins_are(delta))
    if not scores:
        return side_by_side.answer(compared, scores), tables, {}
    tables += _table(side_by_side.html_table(scores), side_by_side.headline(compared))
    known = {title: table for title, table in costs(compared, delta).items() if len(table)}
    drawn = {TOGETHER: performance(known, labels(compared))}
    return side_by_side.answer(compared, scores), tables, drawn


def _table(table: str, caption: str) -> str:
    return f'<section><div class="scroll">{table}</div><p class="caption">{escape(caption)}</p></section>'


def _facts(studies: Sequence[Contents]) -> str:
    optimizers = {one.label for contents in studies for one in contents.summaries}
    results, asked = (sum(getattr(one, name) or 0 for one in studies) for name in ("results", "asked"))
    runs = plural(results, "run") if results >= asked else f"partial: {count(results)} of {plural(asked, 'run')}"
    facts = [plural(len(studies), "workload"), plural(len(optimizers), "optimizer"), runs]
    return "".join(f"<li>{fact}</li>" for fact in facts)


def _links(studies: Sequence[Contents]) -> str:
    return "".join(
        f'<li><a href="#{anchor}">{escape(one.workload)}</a></li>'
        for one, anchor in zip(studies, _anchors(studies), strict=True)
    )


def _anchors(studies: Sequence[Contents]) -> list[str]:
    """Return the ids of the workloads' sections; followed by two hyphens they begin those of their figures."""
    return [f"workload-{slug}" for slug in slugs([one.workload for one in studies])]


def _part(contents: Contents, name: str, figures: str) -> str:
    inner = Template(page.asset("workload.html"))
    words = one_workload.words(contents, within=True)
    return inner.substitute(id=name, title=escape(contents.workload), figures=figures, **words)
