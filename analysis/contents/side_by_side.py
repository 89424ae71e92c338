"""Several studies side by side: the measures of every optimizer on every workload, and their costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.formats import points

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from analysis.contents.contents import Contents
    from analysis.contents.summary import Summary

    Floats = NDArray[np.float64]

UNKNOWN = float("nan")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One optimizer on one workload: errors in percent, shares of the box 0..1; NaN where unknown.

    Attributes:
        label: The optimizer.
        depth: Test error of its chosen cell.
        unbiased: Whether data other than the test set's chose that cell.
        share: Of the basin within delta of its own depth.
        share_of_all: Of the cells within delta of the depth of the optimizer that is best on validation.
        sensitivity: To the learning rate, points.
        edge: Share of the basin in cells at the box's edge; NaN where unknown.
        seeds: Least and most of a cell.
    """

    label: str
    depth: float
    unbiased: bool
    share: float
    share_of_all: float
    sensitivity: float
    edge: float
    seeds: tuple[int, int]


@dataclass(frozen=True, eq=False, kw_only=True)
class Workload:
    """One workload of a study.

    Attributes:
        name: The study's name, made unique for each of its workloads.
        workload: What it trained.
        contents: All that is known of it.
        rows: Its optimizers, in its order.
    """

    name: str
    workload: str
    contents: Contents
    rows: tuple[Row, ...]

    def row(self, label: str) -> Row | None:
        """Return the row of an optimizer, None if it is not in this study."""
        return next((row for row in self.rows if row.label == label), None)


def workloads(studies: Sequence[Contents]) -> list[Workload]:
    """Measure each workload of each study; a study that is there twice is numbered."""
    made: list[Workload] = []
    for contents in studies:
        taken, name, number = {(one.name, one.workload) for one in made}, contents.name, 2
        while (name, contents.workload) in taken:
            name, number = f"{contents.name} ({number})", number + 1
        rows = tuple(_row(one, contents) for one in contents.summaries)
        made.append(Workload(name=name, workload=contents.workload, contents=contents, rows=rows))
    return made


def labels(compared: Sequence[Workload]) -> list[str]:
    """Return all optimizers, in the order in which they first come."""
    return list(dict.fromkeys(row.label for one in compared for row in one.rows))


def _row(one: Summary, contents: Contents) -> Row:
    contact = one.contact if contents.no_map is None else None
    along = contents.seeds is not None and "lr" in contents.axes
    return Row(
        label=one.label,
        depth=one.depth,
        unbiased=one.chosen is not None or one.least is None,
        share=one.share,
        share_of_all=one.share_of_all,
        sensitivity=one.sensitivity if along else UNKNOWN,
        edge=contact.share if contact else UNKNOWN,
        seeds=one.seeds,
    )


def costs(compared: Sequence[Workload], delta: float) -> dict[str, Floats]:
    """Return, by the measure's title, costs (n workloads, m optimizers) for `analysis.statistics.performance_profile`.

    The depth itself, and the inverse of the basin's share of the box; NaN for an optimizer that a study lacks, or
    whose basin holds no cell. A workload on which nobody's measure is known is left out.
    """
    near = f"within {points(delta)} of"
    measures: dict[str, Callable[[Row], float]] = {
        "Test error": lambda row: row.depth,
        f"Basin, {near} its own error": lambda row: _inverse(row.share),
        f"Basin, {near} the best’s error": lambda row: _inverse(row.share_of_all),
    }
    everyone = labels(compared)
    tables = {}
    for title, measure in measures.items():
        table = np.full((len(compared), len(everyone)), np.nan)
        for i, one in enumerate(compared):
            for j, label in enumerate(everyone):
                if (row := one.row(label)) is not None:
                    table[i, j] = measure(row)
        tables[title] = table[np.isfinite(table).any(axis=1)]
    return tables


def _inverse(share: float) -> float:
    return 1 / share if share > 0 else UNKNOWN
