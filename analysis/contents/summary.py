"""One line per optimizer: what the report's table and its sentence say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analysis.landscapes.basin import area_share, best_cell, has_result
from analysis.measures import over_landscape
from analysis.measures.uniform_samples import are_uniform, uniform_errors, uniform_share
from robustness.results.best import first_least

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import pandas as pd

    from analysis.landscapes.basin import Contact, Place
    from analysis.landscapes.landscape import Landscape
    from analysis.measures.chosen_cell import Choice
    from analysis.measures.study_landscapes import StudyLandscapes

NOT_A_NUMBER = float("nan")


@dataclass(frozen=True, kw_only=True)
class Optimum:
    """A cell and its error in percent: mean and standard deviation over its seeds."""

    lr: float
    weight_decay: float
    weight_decay_native: float
    mean: float
    std: float


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The measures of one optimizer: errors in percent, shares 0..1, area in decades^2; NaN where unknown.

    Attributes:
        label: The optimizer.
        least: The cell of least test error: optimistic, since the test set chose it.
        chosen: The cell chosen on validation data (or on half of the seeds), with the test error of data that did not
            choose it; None where there are none.
        depth: e*: the test error of the cell by which it is judged, percent, on data that did not choose it.
        area: Of the basin within delta of the chosen cell's error.
        share: That area over the box's.
        share_of_all: The same against the chosen cell of the optimizer that is best in the error that chooses.
        sensitivity: To the learning rate, points.
        contact: How the basin meets the box's edge; None where areas are unknown.
        diverged: Share of the measured area whose runs diverged; of a sampled study, of the runs.
        at_chance: Likewise of other runs that are no better than chance.
        failed: Runs without a result.
        seeds: Least and most seeds of a measured cell.
        cells: Measured cells.
    """

    label: str
    least: Optimum | None
    chosen: Optimum | None
    depth: float
    area: float
    share: float
    share_of_all: float
    sensitivity: float
    contact: Contact | None
    diverged: float
    at_chance: float
    failed: int
    seeds: tuple[int, int]
    cells: int


def summarize(test: Landscape, study: StudyLandscapes, delta: float) -> Summary:
    """Return the measures of one landscape.

    Args:
        test: Landscape of the test error.
        study: Every seed's landscape of each optimizer.
        delta: Points of error that bound the basin.
    """
    counts, label = test.seeds[has_result(test)], test.label
    known = label in study.replicates
    choice = study.choices[label] if known else None
    mean = study.means[label] if choice else None
    box = float(mean.weights.sum()) if mean else 0.0
    area, of_all = (
        float(formula(mean, delta)[0]) if mean and box else NOT_A_NUMBER
        for formula in (over_landscape.area, over_landscape.area_absolute)
    )
    return Summary(
        label=label,
        least=_optimum(test, best_cell(test)),
        chosen=_scored(test, choice) if choice else None,
        depth=study.depth(label),
        area=area,
        share=area / box if box else NOT_A_NUMBER,
        share_of_all=of_all / box if box else NOT_A_NUMBER,
        sensitivity=float(over_landscape.lr_sensitivity(study.means[label], 0.0)[0]) if known else NOT_A_NUMBER,
        contact=study.contact(label, delta) if choice else None,
        diverged=area_share(test, test.diverged, study.box),
        at_chance=area_share(test, test.at_chance, study.box),
        failed=int(test.failed.sum()),
        seeds=(int(counts.min()), int(counts.max())) if len(counts) else (0, 0),
        cells=int(has_result(test).sum()),
    )


def _scored(landscape: Landscape, choice: Choice) -> Optimum | None:
    """Return the chosen cell with the error that did not choose it; None where one seed did both."""
    found = _optimum(landscape, choice.cell)
    if choice.by == "test" or found is None:
        return None
    scores = choice.scores[np.isfinite(choice.scores)]
    spread = float(scores.std(ddof=1)) if len(scores) > 1 else NOT_A_NUMBER
    return replace(found, mean=choice.error, std=spread)


def _optimum(landscape: Landscape, cell: Place | None) -> Optimum | None:
    if cell is None:
        return None
    return Optimum(
        lr=float(landscape.lr[cell.column]),
        weight_decay=float(landscape.weight_decay[cell.row]),
        weight_decay_native=float(landscape.weight_decay_native[cell.row]),
        mean=float(landscape.mean[cell]),
        std=float(landscape.std[cell]),
    )


def summarize_samples(
    test: pd.DataFrame,
    validation: pd.DataFrame,
    samplers: Collection[str] = (),
    delta: float = 1.0,
    *,
    depths: Mapping[str, float | None] | None = None,
) -> list[Summary]:
    """Return the measures of sampled cells: optima, and shares of area where the cells were drawn evenly.

    Args:
        test: The table of `analysis.landscapes.sampled.samples` for the test error.
        validation: Likewise for the validation error, the same rows; its means may all be NaN.
        samplers: What chose the cells. A search gives no share of area.
        delta: Points of error that bound the basin.
        depths: The best error of each optimizer, see `robustness.results.best`, where the runs themselves are at hand;
            without it that of the chosen cell, else the least.
    """
    by_label = test.groupby("label", observed=True, sort=True)
    found = [_of_samples(str(label), cells, validation["mean"]) for label, cells in by_label]
    best = {label: depth for label, depth in (depths or {}).items() if depth is not None}
    found = [(replace(one, depth=best.get(one.label, one.depth)), error) for one, error in found]
    summaries = [one for one, _ in found]
    choosing = {one.label: error for one, error in found if np.isfinite(error)}
    if not are_uniform(samplers) or not choosing:
        return summaries
    deep = {one.label: one.depth for one in summaries}
    errors = {name: uniform_errors(test[test["label"] == name], samplers) for name in choosing}
    least = deep[list(choosing)[int(first_least(np.array(list(choosing.values()))))]]
    return [
        replace(
            one,
            share=uniform_share(errors[one.label], one.depth + delta),
            share_of_all=uniform_share(errors[one.label], least + delta),
        )
        if one.label in choosing
        else one
        for one in summaries
    ]


def _of_samples(label: str, cells: pd.DataFrame, validation: pd.Series) -> tuple[Summary, float]:
    """Return the optima of one optimizer's cells, and the error that chose its cell; NaN without one."""
    known = cells[cells["seeds"] > 0]
    runs = int(known["seeds"].sum())
    least, least_error = _least(known, known["mean"])
    chosen, choosing = _least(known, validation.reindex(known.index))
    judged = chosen or least
    summary = Summary(
        label=label,
        least=least,
        chosen=chosen,
        depth=judged.mean if judged else NOT_A_NUMBER,
        area=NOT_A_NUMBER,
        share=NOT_A_NUMBER,
        share_of_all=NOT_A_NUMBER,
        sensitivity=NOT_A_NUMBER,
        contact=None,
        diverged=_share_of_runs(known, "diverged"),
        at_chance=_share_of_runs(known, "at_chance"),
        failed=int(cells["failed"].sum()),
        seeds=(int(known["seeds"].min()), int(known["seeds"].max())) if runs else (0, 0),
        cells=len(known),
    )
    return summary, choosing if chosen else least_error


def _share_of_runs(cells: pd.DataFrame, kind: str) -> float:
    runs = int(cells["seeds"].sum())
    return float((cells[kind] * cells["seeds"]).sum()) / runs if runs else NOT_A_NUMBER


def _least(cells: pd.DataFrame, by: pd.Series) -> tuple[Optimum | None, float]:
    """Return the cell of least `by` and that error; ties go to the least weight decay, then learning rate."""
    by = by[(cells["lost"] < 1) & np.isfinite(by)]
    if not len(by):
        return None, NOT_A_NUMBER
    some = cells.loc[by.index].sort_values(["weight_decay", "lr"])
    errors = by.reindex(some.index).to_numpy(dtype=np.float64)
    place = int(first_least(errors))
    row = some.iloc[place]
    columns = ("lr", "weight_decay", "weight_decay_native", "mean", "std")
    return Optimum(**{column: float(row[column]) for column in columns}), float(errors[place])


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
