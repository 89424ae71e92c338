"""The report of a study on several workloads: what they come to together, then each by itself, in one HTML file."""

from __future__ import annotations

from html import escape
from string import Template
from typing import TYPE_CHECKING

from analysis import best_epochs, compare, page, sections, wording
from analysis.figures.performance import performance
from analysis.figures.theme import count, plural
from analysis.parts import slugs
from analysis.workloads import costs, labels, workloads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.contents import Contents
    from analysis.figures import Drawing

TOGETHER = "performance"


def html(studies: Sequence[Contents], root: str) -> str:
    """Return the whole page of a study's workloads; `root` is what the query on it opens."""
    first = studies[0]
    answer, summary, drawn = _together(studies)
    together = page.section(TOGETHER, "Performance profiles", drawn[TOGETHER]) if drawn else ""
    parts = []
    for contents, name in zip(studies, _anchors(studies), strict=True):
        own = sections.drawings(contents)
        drawn |= {f"{name}--{section}": drawing for section, drawing in own.items()}
        parts.append(_part(contents, name, sections.figures(own, f"{name}--", level=3)))
    asked = [one.asked for one in studies if one.asked is not None]
    return page.page(
        first.name,
        "robustness report",
        "workloads.html",
        drawn,
        description=sections.description(first),
        sentence=answer,
        facts=_facts(studies),
        notes=wording.paragraphs(wording.store_notes(first)),
        contents=_links(studies),
        summary=summary,
        performance=together,
        parts="".join(parts),
        made=sections.made(first, root, sum(one.results for one in studies), sum(asked) if asked else None),
    )


def _together(studies: Sequence[Contents]) -> tuple[str, str, dict[str, Drawing]]:
    """Return the answer and the tables over all workloads, HTML, and the figure of performance profiles."""
    if all(one.no_map for one in studies):
        return best_epochs.leaders(studies), _table(best_epochs.across(studies), best_epochs.caption(studies)), {}
    compared, delta = workloads(studies), studies[0].delta
    scores = compare.scores(compared, delta)
    tables = _table(compare.html_measures(compared, named=False), compare.basins_are(delta))
    if not scores:
        return compare.answer(compared, scores), tables, {}
    tables += _table(compare.html_table(scores), compare.headline(compared))
    known = {title: table for title, table in costs(compared, delta).items() if len(table)}
    drawn = {TOGETHER: performance(known, labels(compared))}
    return compare.answer(compared, scores), tables, drawn


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
    words = sections.words(contents, within=True)
    return inner.substitute(id=name, title=escape(contents.workload), figures=figures, **words)
