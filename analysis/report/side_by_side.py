"""Studies side by side, aggregated over workloads by performance profiles: their tables, and the words about these."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from analysis.contents.gather import gather_all
from analysis.contents.side_by_side import Row, Workload, costs, labels, optimizers, scored, workloads
from analysis.formats import listing, percent, plural, points
from analysis.statistics.performance_profile import TAU_MAX, score

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from robustness.results import Place

DASH = "–"


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the table of measures.

    Attributes:
        head: What stands over it.
        cell: What it says of an optimizer on a workload.
        scored: Whether performance profiles score it; these are in the order of `analysis.contents.side_by_side.costs`.
    """

    head: str
    cell: Callable[[Row], str]
    scored: bool = False


def _error(row: Row) -> str:
    return DASH if np.isnan(row.depth) else f"{row.depth:.2f}{'' if row.unbiased else '*'}"


def _sensitivity(row: Row) -> str:
    return DASH if np.isnan(row.sensitivity) else f"{row.sensitivity:.2f}"


def _seeds(row: Row) -> str:
    least, most = row.seeds
    return str(least) if least == most else f"{least}–{most}"


COLUMNS = (
    Column(head="optimizer", cell=lambda row: row.label),
    Column(head="test error, %", cell=_error, scored=True),
    Column(head="basin of own", cell=lambda row: percent(row.share), scored=True),
    Column(head="basin of best", cell=lambda row: percent(row.share_of_all), scored=True),
    Column(head="lr sensitivity", cell=_sensitivity),
    Column(head="at the edge", cell=lambda row: percent(row.edge)),
    Column(head="seeds", cell=_seeds),
)
"""The columns of measures; the basins are shares of the box."""


def read(roots: Sequence[str | Path | Place], delta: float = 1.0) -> list[Workload]:
    """Read and measure stored studies.

    Args:
        roots: Their folders or URIs.
        delta: Points of error that bound a basin.

    Raises:
        robustness.results.StorageError: The results of one cannot be read.
    """
    from robustness.results import Store

    # The verdicts that come along are those of `robustness claims`: at this distance and at twice it.
    return workloads([one for root in roots for one in gather_all(Store(root, read_only=True), (delta, 2 * delta))])


def comparison_text(compared: Sequence[Workload], delta: float = 1.0) -> str:
    """Return the studies' measures and the performance scores as aligned plain text."""
    blocks = [_aligned(measures_table(compared), left=3), " ".join([basins_are(delta), *notes_on(compared)])]
    if table := scores_table(compared, delta):
        blocks += [scores_are(compared), _aligned(table, left=1)]
    else:
        blocks.append(nothing_scored(compared))
    return "\n\n".join(blocks)


def basins_are(delta: float) -> str:
    """Return what the table's basins are."""
    return f"A basin: cells within {points(delta)} of its own test error, or of that of the best on validation."


def measures_table(compared: Sequence[Workload], *, study: bool = True, workload: bool = True) -> list[list[str]]:
    """Return the measures under a head, a row an optimizer and workload.

    Args:
        compared: What is compared.
        study: With the study's name.
        workload: With the workload's.
    """

    def named(of_study: str, of_workload: str) -> list[str]:
        return [*([of_study] if study else []), *([of_workload] if workload else [])]

    head = [*named("study", "workload"), *(column.head for column in COLUMNS)]
    rows = [
        [*named(one.name, one.workload), *(column.cell(row) for column in COLUMNS)]
        for one in compared
        for row in one.rows
    ]
    return [head, *rows]


def scores_table(compared: Sequence[Workload], delta: float) -> list[list[str]]:
    """Return the scores of performance profiles as a table with its head; [] without a workload that all ran."""
    everyone, tables, common = labels(compared), costs(compared, delta), scored(compared)
    if not common:
        return []
    scores = [score(table) for table in tables.values()]
    # Studies whose cells a search chose have no area.
    counts = ["" if len(t) == len(common) else f" ({plural(len(t), 'workload')})" for t in tables.values()]
    names = [column.head for column in COLUMNS if column.scored]
    head = ["optimizer", *(f"{name}{known}" for name, known in zip(names, counts, strict=True))]
    rows = [[label, *(_score(values[i]) for values in scores)] for i, label in enumerate(everyone)]
    return [head, *rows]


def _score(value: float) -> str:
    return DASH if np.isnan(value) else f"{value:.3f}"


def scores_are(compared: Sequence[Workload]) -> str:
    """Return what the scores are, and which workloads they leave out."""
    common = scored(compared)
    if not common:
        return nothing_scored(compared)
    return (
        f"Performance profiles over {plural(len(common), 'workload')} that all of the optimizers ran: the mean share "
        f"of these on which an optimizer is within a factor τ of the best, τ from 1 to {TAU_MAX:g}; 1.000 is the best "
        f"on every one.{_left_out(compared)}"
    )


def nothing_scored(compared: Sequence[Workload]) -> str:
    """Return why there is no score."""
    if not labels(compared):
        return "No run of these studies is stored yet."
    return f"There is no score: no workload was run by all of {listing(labels(compared))}."


def _left_out(compared: Sequence[Workload]) -> str:
    """Return which workloads are not scored, and who did not run them; "" where all are."""
    common = scored(compared)
    everyone = optimizers(compared)
    said = []
    for one in compared:
        if one in common or not one.rows:
            continue
        absent = [name for identity, name in everyone.items() if one.row(identity) is None]
        said.append(f"{', '.join(_called(one, compared))}, which {listing(absent)} did not run")
    return f" Not scored: {'; '.join(said)}." if said else ""


def highest_scores(compared: Sequence[Workload], table: Sequence[Sequence[str]]) -> str:
    """Return who scores highest, in words, HTML; it claims nothing beyond."""
    if not table:
        return escape(nothing_scored(compared))
    leaders = []
    for measure, *column in list(zip(*table, strict=True))[1:]:  # the first column names the optimizers
        known = [value for value in column if value != DASH]
        if not known:
            continue
        first = [escape(row[0]) for row, value in zip(table[1:], column, strict=True) if value == max(known)]
        leaders.append(f"<strong>{' and '.join(first)}</strong> in {measure.removesuffix(', %')} ({max(known)})")
    common = scored(compared)
    over = f"{plural(len(common), 'workload')}{'' if len(common) == len(compared) else ' that all of them ran'}"
    return f"Over {over} the highest scores: {', '.join(leaders)}."


def notes_on(compared: Sequence[Workload]) -> list[str]:
    """Return what a reader of the table must know, in sentences."""
    said = []
    if any(not row.unbiased for one in compared for row in one.rows):
        said.append("*: the test error chose the cell, which flatters it.")
    said += [f"{', '.join(_called(one, compared))}: no run is stored yet." for one in compared if not one.rows]
    if any(row.edge > 0 for one in compared for row in one.rows):
        said.append("A basin at the edge of its box is wider than its share says, by an unknown amount.")
    return said


def _aligned(rows: Sequence[Sequence[str]], left: int) -> str:
    """Return rows of texts as lines, the first `left` columns flush left, the others flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [c.ljust(w) if i < left else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _called(one: Workload, compared: Sequence[Workload]) -> list[str]:
    return [one.name, one.workload] if several(compared) else [one.name]


def several(compared: Sequence[Workload]) -> bool:
    """Whether a study has several workloads."""
    return len({one.name for one in compared}) < len(compared)


def html_table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of texts, the head first, as an HTML table."""
    first, *others = rows
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in first)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'
        for name, *cells in others
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
