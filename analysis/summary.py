"""One line per optimizer: what the report's table and its sentence say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.basin import Contact, basin_area, basin_share, best_cell, box_contact, failure_share, measured

if TYPE_CHECKING:
    import pandas as pd

    from analysis.basin import Box, Cell
    from analysis.landscape import Landscape

NOT_A_NUMBER = float("nan")


@dataclass(frozen=True)
class Optimum:
    """A cell and its error in percent: mean and standard deviation over its seeds."""

    lr: float
    weight_decay: float
    weight_decay_native: float
    mean: float
    std: float


@dataclass(frozen=True)
class Summary:
    """The measures of one optimizer: errors in percent, shares 0..1, area in decades^2; NaN where unknown.

    Attributes:
        label: The optimizer.
        least: The cell of least test error: optimistic, since the test set chose it.
        chosen: The cell of least validation error, with its test error; None without a validation split.
        area: Of the basin within delta of its own best.
        share: That area over the box's.
        share_of_all: The same against the best error among all optimizers.
        contact: How the basin meets the box's edge; None where areas are unknown.
        diverged: Share of the measured area; of a sampled study, of the runs.
        failed: Runs without a result.
        seeds: Least and most seeds of a measured cell.
        cells: Measured cells.
    """

    label: str
    least: Optimum | None
    chosen: Optimum | None
    area: float
    share: float
    share_of_all: float
    contact: Contact | None
    diverged: float
    failed: int
    seeds: tuple[int, int]
    cells: int


def summarize(
    test: Landscape, validation: Landscape | None, delta: float, reference: float, box: Box | None
) -> Summary:
    """Return the measures of one landscape.

    Args:
        test: Landscape of the test error.
        validation: Landscape of the validation error on the same axes; None without one.
        delta: Points of error that bound the basin.
        reference: Least mean test error among all compared optimizers.
        box: The region that all of them cover.
    """
    counts = test.seeds[measured(test)]
    return Summary(
        label=test.label,
        least=_optimum(test, best_cell(test)),
        chosen=None if validation is None else _optimum(test, best_cell(validation)),
        area=basin_area(test, delta, box=box),
        share=basin_share(test, delta, box=box),
        share_of_all=basin_share(test, delta, reference, box),
        contact=box_contact(test, delta, box=box),
        diverged=failure_share(test, box),
        failed=int(test.failed.sum()),
        seeds=(int(counts.min()), int(counts.max())) if len(counts) else (0, 0),
        cells=int(measured(test).sum()),
    )


def _optimum(landscape: Landscape, cell: Cell | None) -> Optimum | None:
    if cell is None:
        return None
    return Optimum(
        float(landscape.lr[cell.column]),
        float(landscape.weight_decay[cell.row]),
        float(landscape.weight_decay_native[cell.row]),
        float(landscape.mean[cell]),
        float(landscape.std[cell]),
    )


def summarize_samples(test: pd.DataFrame, validation: pd.DataFrame) -> list[Summary]:
    """Return the measures of cells that a search chose: optima, but no areas, which such cells can't give.

    Args:
        test: The table of `analysis.samples.samples` for the test error.
        validation: Likewise for the validation error, the same rows; its means may all be NaN.
    """
    summaries = []
    for label, cells in test.groupby("label", observed=True, sort=True):
        known = cells[cells["seeds"] > 0]
        runs = int(known["seeds"].sum())
        summaries.append(
            Summary(
                label=str(label),
                least=_least(known, known["mean"]),
                chosen=_least(known, validation["mean"].reindex(known.index)),
                area=NOT_A_NUMBER,
                share=NOT_A_NUMBER,
                share_of_all=NOT_A_NUMBER,
                contact=None,
                diverged=float((known["diverged"] * known["seeds"]).sum()) / runs if runs else NOT_A_NUMBER,
                failed=int(cells["failed"].sum()),
                seeds=(int(known["seeds"].min()), int(known["seeds"].max())) if runs else (0, 0),
                cells=len(known),
            )
        )
    return summaries


def _least(cells: pd.DataFrame, by: pd.Series) -> Optimum | None:
    by = by[(cells["diverged"] < 1) & np.isfinite(by)]
    if not len(by):
        return None
    row = cells.loc[[by.idxmin()]].iloc[0]
    return Optimum(*(float(row[c]) for c in ("lr", "weight_decay", "weight_decay_native", "mean", "std")))


def best_runs(runs: pd.DataFrame, summaries: list[Summary]) -> dict[str, list[str]]:
    """Return label -> run_ids of its cell of least test error; `runs` has the column `label`."""
    chosen: dict[str, list[str]] = {}
    for one in summaries:
        if one.least is None:
            chosen[one.label] = []
            continue
        here = (runs["lr"] == one.least.lr) & (runs["weight_decay"] == one.least.weight_decay)
        chosen[one.label] = runs.loc[here & (runs["label"] == one.label), "run_id"].tolist()
    return chosen
