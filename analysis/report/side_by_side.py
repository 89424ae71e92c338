"""Studies side by side as text and as one HTML file, aggregated over workloads by performance profiles."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from analysis.contents.gather import gather_all
from analysis.contents.side_by_side import Workload, costs, labels, workloads
from analysis.figures import Drawing, basins, sampled_basins
from analysis.figures.lines.performance_profiles import performance
from analysis.formats import count, percent, plural, points
from analysis.report import page
from analysis.statistics.performance_profile import TAU_MAX, score

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analysis.contents.side_by_side import Row

DASH = "–"
COLUMNS = ("optimizer", "test error, %", "basin of own", "basin of best", "lr sensitivity", "at the edge", "seeds")
"""Heads of the table; the basins are shares of the box, the second to fourth are those that are scored."""


def read(roots: Sequence[str | Path], delta: float = 1.0) -> list[Workload]:
    """Read and measure stored studies.

    Args:
        roots: Their folders or URIs.
        delta: Points of error that bound a basin.

    Raises:
        robustness.results.StorageError: The results of one cannot be read.
    """
    from robustness.results import Store

    # The verdicts that come along are those of `robustness claims`: at this distance and at twice it.
    return workloads([one for root in roots for one in gather_all(Store(root), (delta, 2 * delta))])


def text(compared: Sequence[Workload], delta: float = 1.0) -> str:
    """Return the studies' measures and the performance scores as aligned plain text."""
    blocks = [_aligned([["study", "workload", *COLUMNS], *measured(compared)], left=3)]
    blocks.append(f"{basins_are(delta)} {notes_on(compared)}".rstrip())
    if table := scores(compared, delta):
        blocks += [headline(compared), _aligned(table, left=1)]
    return "\n\n".join(block for block in blocks if block).rstrip()


def basins_are(delta: float) -> str:
    """Return what the table's basins are."""
    return f"A basin: cells within {points(delta)} of its own test error, or of that of the best on validation."


def measured(compared: Sequence[Workload]) -> list[list[str]]:
    """Return a row an optimizer and workload: the study, the workload, then `COLUMNS`."""
    return [[one.name, one.workload, *_cells(row)] for one in compared for row in one.rows]


def _cells(row: Row) -> list[str]:
    low, high = row.seeds
    return [
        row.label,
        DASH if np.isnan(row.depth) else f"{row.depth:.2f}{'' if row.unbiased else '*'}",
        percent(row.share),
        percent(row.share_of_all),
        DASH if np.isnan(row.sensitivity) else f"{row.sensitivity:.2f}",
        percent(row.edge),
        str(low) if low == high else f"{low}–{high}",
    ]


def scores(compared: Sequence[Workload], delta: float) -> list[list[str]]:
    """Return the scores of performance profiles as a table with its head; [] without an optimizer."""
    everyone, tables = labels(compared), costs(compared, delta)
    if not everyone:
        return []
    scored = [score(table) for table in tables.values()]
    # Studies whose cells a search chose have no area.
    counts = ["" if len(t) == len(compared) else f" ({plural(len(t), 'workload')})" for t in tables.values()]
    head = ["optimizer", *(f"{name}{known}" for name, known in zip(COLUMNS[1:4], counts, strict=True))]
    rows = [[label, *(_score(values[i]) for values in scored)] for i, label in enumerate(everyone)]
    return [head, *rows]


def _score(value: float) -> str:
    return DASH if np.isnan(value) else f"{value:.3f}"


def headline(compared: Sequence[Workload]) -> str:
    """Return what the scores are."""
    return (
        f"Performance profiles over {plural(len(compared), 'workload')}: the mean share of workloads on which an "
        f"optimizer is within a factor τ of the best, τ from 1 to {TAU_MAX:g}; 1.000 is the best on every one."
    )


def answer(compared: Sequence[Workload], table: Sequence[Sequence[str]]) -> str:
    """Return who scores highest, in words, HTML; it claims nothing beyond."""
    if not table:
        return "No run of these studies is stored yet."
    leaders = []
    for measure, *column in list(zip(*table, strict=True))[1:]:
        known = [value for value in column if value != DASH]
        if not known:
            continue
        first = [escape(row[0]) for row, value in zip(table[1:], column, strict=True) if value == max(known)]
        leaders.append(f"<strong>{' and '.join(first)}</strong> in {measure.removesuffix(', %')} ({max(known)})")
    return f"Over {plural(len(compared), 'workload')} the highest scores: {', '.join(leaders)}."


def notes_on(compared: Sequence[Workload]) -> str:
    """Return what a reader of the table must know; "" if nothing."""
    said = []
    if any(not row.unbiased for one in compared for row in one.rows):
        said.append("*: the test error chose the cell, which flatters it.")
    said += [f"{', '.join(_called(one, compared))}: no run is stored yet." for one in compared if not one.rows]
    if any(row.edge > 0 for one in compared for row in one.rows):
        said.append("A basin at the edge of its box is wider than its share says, by an unknown amount.")
    return " ".join(said)


def _aligned(rows: Sequence[Sequence[str]], left: int) -> str:
    """Return rows of texts as lines, the first `left` columns flush left, the others flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [c.ljust(w) if i < left else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def write(compared: Sequence[Workload], out: str | Path, delta: float = 1.0) -> Path:
    """Write the comparison as one HTML file that needs no network, and return its path.

    Raises:
        OSError: The file cannot be written.
    """
    return page.write(out, html(compared, delta))


def drawings(compared: Sequence[Workload], delta: float) -> dict[str, tuple[str, Drawing]]:
    """Return heading and figure of each section, by its id."""
    drawn: dict[str, tuple[str, Drawing]] = {}
    if labels(compared):
        drawn["performance"] = "Performance profiles", performance(costs(compared, delta), labels(compared))
    for number, one in enumerate(compared, 1):
        heading = one.name if one.name == one.workload else f"{one.name}: {one.workload}"
        if one.contents.cells is not None:
            drawn[f"study-{number}"] = heading, sampled_basins(one.contents.cells, delta)
        elif one.contents.maps and not one.contents.no_map:
            drawn[f"study-{number}"] = heading, basins(one.contents.maps, delta, one.contents.marks)
    return drawn


def html(compared: Sequence[Workload], delta: float) -> str:
    """Return the whole page."""
    drawn = drawings(compared, delta)
    names = list(dict.fromkeys(one.name for one in compared))
    facts = [plural(len(names), "study").replace("studys", "studies"), plural(len(labels(compared)), "optimizer")]
    facts.append(f"{count(sum(one.contents.results for one in compared))} runs")
    notes, table = notes_on(compared), scores(compared, delta)
    return page.page(
        ", ".join(names) or "nothing",
        "robustness compared",
        "compare.html",
        {name: drawing for name, (_, drawing) in drawn.items()},
        facts="".join(f"<li>{fact}</li>" for fact in facts),
        notes=f'<p class="note">{escape(notes)}</p>' if notes else "",
        measures=html_measures(compared),
        headline=escape(headline(compared)),
        answer=answer(compared, table),
        scores=html_table(table),
        figures="".join(page.section(name, *shown) for name, shown in drawn.items()),
        delta=points(delta),
        date=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    )


def html_measures(compared: Sequence[Workload], *, named: bool = True) -> str:
    """Return the table of measures, HTML; without the study's name for workloads of one study."""
    if not named:
        return html_table([["workload", *COLUMNS], *(row[1:] for row in measured(compared))])
    if not several(compared):
        return html_table([["study", *COLUMNS], *([row[0], *row[2:]] for row in measured(compared))])
    return html_table([["study", "workload", *COLUMNS], *measured(compared)])


def _called(one: Workload, compared: Sequence[Workload]) -> list[str]:
    return [one.name, one.workload] if several(compared) else [one.name]


def several(compared: Sequence[Workload]) -> bool:
    """Whether a study has several workloads."""
    return len({one.name for one in compared}) < len(compared)


def html_table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of texts, the head first, as an HTML table; "" without a row."""
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in rows[0])
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in row[1:])}</tr>'
        for row in rows[1:]
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
