"""One line per optimizer: what the report's table and its sentence say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analysis.landscapes.basin import best_cell, failure_share, measured
from analysis.measures.uniform_samples import are_uniform, uniform_errors, uniform_share

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd

    from analysis.landscapes.basin import Cell, Contact
    from analysis.landscapes.landscape import Landscape
    from analysis.measures.chosen_cell import Choice
    from analysis.measures.contrasts import Contrasts

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
        chosen: The cell chosen on validation data (or on half of the seeds), with the test error of data that did not
            choose it; None where there are none.
        area: Of the basin within delta of the chosen cell's error.
        share: That area over the box's.
        share_of_all: The same against the best chosen cell of all optimizers.
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


def summarize(test: Landscape, contrasts: Contrasts, delta: float) -> Summary:
    """Return the measures of one landscape.

    Args:
        test: Landscape of the test error.
        contrasts: The measures of the study.
        delta: Points of error that bound the basin.
    """
    counts, label = test.seeds[measured(test)], test.label
    known = label in contrasts.replicates and contrasts.choices[label] is not None
    choice = contrasts.choices[label] if known else None
    surface = contrasts.surface(label) if known else None
    box = float(surface.weights.sum()) if surface else 0.0
    area, of_all = (
        contrasts.value(name, label, delta=delta) if box else NOT_A_NUMBER
        for name in ("basin_area", "basin_area_absolute")
    )
    return Summary(
        label=label,
        least=_optimum(test, best_cell(test)),
        chosen=_scored(test, choice) if choice else None,
        area=area,
        share=area / box if box else NOT_A_NUMBER,
        share_of_all=of_all / box if box else NOT_A_NUMBER,
        contact=contrasts.contact(label, delta) if known else None,
        diverged=failure_share(test, contrasts.box),
        failed=int(test.failed.sum()),
        seeds=(int(counts.min()), int(counts.max())) if len(counts) else (0, 0),
        cells=int(measured(test).sum()),
    )


def _scored(landscape: Landscape, choice: Choice) -> Optimum | None:
    """Return the chosen cell with the error that did not choose it; None where one seed did both."""
    found = _optimum(landscape, choice.cell)
    if choice.by == "test" or found is None:
        return None
    scores = choice.scores[np.isfinite(choice.scores)]
    spread = float(scores.std(ddof=1)) if len(scores) > 1 else NOT_A_NUMBER
    return replace(found, mean=choice.error, std=spread)


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


def summarize_samples(
    test: pd.DataFrame, validation: pd.DataFrame, samplers: Collection[str] = (), delta: float = 1.0
) -> list[Summary]:
    """Return the measures of sampled cells: optima, and shares of area where the cells were drawn evenly.

    Args:
        test: The table of `analysis.landscapes.sampled.samples` for the test error.
        validation: Likewise for the validation error, the same rows; its means may all be NaN.
        samplers: What chose the cells. A search gives no share of area.
        delta: Points of error that bound the basin.
    """
    summaries = _optima_of_samples(test, validation)
    marks = {one.label: cell.mean for one in summaries if (cell := one.chosen or one.least)}
    if not are_uniform(samplers) or not marks:
        return summaries
    errors = {name: uniform_errors(test[test["label"] == name], samplers) for name in marks}
    best = min(marks.values())
    return [
        replace(
            one,
            share=uniform_share(errors[one.label], marks[one.label] + delta),
            share_of_all=uniform_share(errors[one.label], best + delta),
        )
        if one.label in marks
        else one
        for one in summaries
    ]


def _optima_of_samples(test: pd.DataFrame, validation: pd.DataFrame) -> list[Summary]:
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


def runs_of_summaries(runs: pd.DataFrame, summaries: list[Summary]) -> dict[str, list[str]]:
    """Return label -> run_ids of the cell by which it is judged: chosen, else of least test error."""
    found: dict[str, list[str]] = {}
    for one in summaries:
        cell = one.chosen or one.least
        if cell is None:
            found[one.label] = []
            continue
        here = (runs["lr"] == cell.lr) & (runs["weight_decay"] == cell.weight_decay)
        found[one.label] = runs.loc[here & (runs["label"] == one.label), "run_id"].tolist()
    return found
