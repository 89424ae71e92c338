"""Several studies side by side: the measures of every optimizer on every workload, and their costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.formats import points
from analysis.landscapes.slots import slots

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from analysis.contents.contents import Contents
    from analysis.contents.summary import Summary
    from analysis.landscapes.labels import Identity

    Floats = NDArray[np.float64]

UNKNOWN = float("nan")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One optimizer on one workload: errors in percent, shares of the box 0..1; NaN where unknown.

    Attributes:
        label: The optimizer, as its study calls it.
        identity: What it is: name and canonical options, under whatever label.
        depth: Test error of its chosen cell.
        unbiased: Whether data other than the test set's chose that cell.
        share: Of the basin within delta of its own depth.
        share_of_all: Of the cells within delta of the depth of the optimizer that is best on validation.
        sensitivity: To the learning rate, points.
        edge: Share of the basin in cells at the box's edge; NaN where unknown.
        seeds: Least and most of a cell.
    """

    label: str
    identity: Identity
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

    def row(self, identity: Identity) -> Row | None:
        """Return the row of an optimizer, None if it is not in this study or has no result."""
        return next((row for row in self.rows if row.identity == identity and row.seeds[1]), None)


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


def optimizers(compared: Sequence[Workload]) -> dict[Identity, str]:
    """Return all optimizers with a run, in the order in which they first come, by what they are: called as there.

    Two that are different and have one label are told apart by the study that each first comes in.
    """
    called: dict[Identity, str] = {}
    for one in compared:
        for row in one.rows:
            if row.seeds[1] and row.identity not in called:
                taken = row.label in called.values()
                called[row.identity] = f"{row.label} ({one.name})" if taken else row.label
    return called


def labels(compared: Sequence[Workload]) -> list[str]:
    """Return what all optimizers are called, in the order in which they first come."""
    return list(optimizers(compared).values())


def looks(compared: Sequence[Workload]) -> list[int]:
    """Return the slots of all optimizers' looks, in that order; no two are the same."""
    everyone = optimizers(compared)
    given = slots({name: identity for identity, name in everyone.items()})
    return [given[name] for name in everyone.values()]


def scored(compared: Sequence[Workload]) -> list[Workload]:
    """Return the workloads that all of the optimizers ran: on the others a score would be of who is absent."""
    everyone = optimizers(compared)
    return [one for one in compared if everyone and all(one.row(identity) for identity in everyone)]


def _row(one: Summary, contents: Contents) -> Row:
    contact = one.contact if contents.no_map is None else None
    along = contents.seeds is not None and "lr" in contents.axes
    return Row(
        label=one.label,
        identity=contents.identities[one.label],
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

    The depth itself, and the inverse of the basin's share of the box; NaN for an optimizer whose basin holds no cell.
    Of the workloads that all of the optimizers ran; one on which nobody's measure is known is left out.
    """
    near = f"within {points(delta)} of"
    measures: dict[str, Callable[[Row], float]] = {
        "Test error": lambda row: row.depth,
        f"Basin, {near} its own error": lambda row: _inverse(row.share),
        f"Basin, {near} the best’s error": lambda row: _inverse(row.share_of_all),
    }
    everyone, common = optimizers(compared), scored(compared)
    rows = [[row for identity in everyone if (row := one.row(identity)) is not None] for one in common]
    tables = {}
    for title, measure in measures.items():
        table = np.array([[measure(row) for row in some] for some in rows]).reshape(len(common), len(everyone))
        tables[title] = table[np.isfinite(table).any(axis=1)]
    return tables


def _inverse(share: float) -> float:
    return 1 / share if share > 0 else UNKNOWN
