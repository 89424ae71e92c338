"""From the runs table to one map per optimizer: every cell's mean, spread, seeds and divergence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions import METRIC
from analysis.landscapes.labels import labelled
from robustness.results.tables.cells import at_chance, taken

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from analysis.landscapes.labels import Labels

    Floats = NDArray[np.float64]
    Axis = Sequence[float] | Mapping[str, Sequence[float]] | None


class Status(IntEnum):
    """What is known of a cell."""

    MISSING = 0
    COMPLETED = 1
    PARTLY_DIVERGED = 2
    DIVERGED = 3
    FAILED = 4
    PARTLY_AT_CHANCE = 5
    AT_CHANCE = 6


@dataclass(frozen=True, eq=False)
class Landscape:
    """All cells of one optimizer.

    Arrays are (W, L): a row a weight decay, a column a learning rate, both ascending. A weight decay of 0,
    which has no place on a log axis, is row 0 when `zero` is true; `positive` slices it off.

    Attributes:
        label: The optimizer's name in the study.
        metric: Column of the runs table that was averaged.
        lr: (L,) base learning rates.
        weight_decay: (W,) on the study's common scale.
        weight_decay_native: (W,) what the optimizer was given; NaN where no run tells.
        mean: Mean of the metric over a cell's seeds, as measured; in an error a diverged run, which has none, counts
            with that of chance, failed runs not at all; NaN without a result.
        std: Sample standard deviation (ddof 1); NaN with fewer than two seeds.
        low: Least value among the seeds.
        high: Greatest value among the seeds.
        seeds: Runs behind the mean.
        diverged: Share of the runs with a result that diverged, 0..1; NaN without one.
        at_chance: Share of them that completed and are no better than chance, in this metric if it is an error, else
            in the test error.
        failed: Runs without a result after all retries.
        status: `Status` of each cell.

    Example:
        >>> from analysis import landscapes_of
        >>> from robustness.published.shipped import published
        >>> one = landscapes_of(published()["cifar10"].runs())["adams"]
        >>> one.mean.shape == (len(one.weight_decay), len(one.lr))
        True
        >>> one.weight_decay[one.positive].min() > 0
        np.True_
    """

    label: str
    metric: str
    lr: Floats
    weight_decay: Floats
    weight_decay_native: Floats
    mean: Floats
    std: Floats
    low: Floats
    high: Floats
    seeds: NDArray[np.int64]
    diverged: Floats
    at_chance: Floats
    failed: NDArray[np.int64]
    status: NDArray[np.int8]

    @property
    def lost(self) -> Floats:
        """(W, L) share of the runs with a result that have learnt nothing: diverged, or no better than chance."""
        return self.diverged + self.at_chance

    @property
    def zero(self) -> bool:
        """Whether row 0 is a weight decay of 0."""
        return len(self.weight_decay) > 0 and self.weight_decay[0] == 0

    @property
    def positive(self) -> slice:
        """The rows with a place on a log axis."""
        return slice(int(self.zero), None)


def edges(values: Sequence[float] | Floats) -> Floats:
    """Return the (n + 1,) edges of cells around n ascending positive values, in the values' own unit.

    Inner edges are geometric midpoints; the outer ones mirror their neighbor, so that the end cells are as
    wide on both sides, as far as there are numbers. A single value gets one decade.

    Raises:
        ValueError: A value is not positive, or they don't ascend.
    """
    values = np.asarray(values, dtype=np.float64)
    if not (np.all(values > 0) and np.all(np.diff(values) > 0)):
        raise ValueError("cell edges need positive, ascending values")
    logs = np.log10(values)
    if len(logs) < 2:
        return _powers(np.concatenate([logs - 0.5, logs + 0.5]))
    middle = (logs[1:] + logs[:-1]) / 2
    ends = 2 * logs[[0, -1]] - middle[[0, -1]]
    return _powers(np.concatenate([ends[:1], middle, ends[1:]]))


def _powers(logs: Floats) -> Floats:
    """Return 10 to the `logs`, which end where floating-point numbers do."""
    with np.errstate(over="ignore", under="ignore"):
        return np.clip(10**logs, np.finfo(np.float64).tiny, np.finfo(np.float64).max)


def landscapes(
    runs: pd.DataFrame,
    metric: str = METRIC,
    labels: Labels | None = None,
    lr: Axis = None,
    weight_decay: Axis = None,
) -> dict[str, Landscape]:
    """Return one landscape per optimizer label.

    Args:
        runs: A runs table; the order of its rows and repeated rows change nothing.
        metric: The column to average, in percent for errors.
        labels: See `label`.
        lr: The learning rates of the map, ascending, or label -> those of an optimizer; without them the rates of its
            runs. Runs off the axes are left out, cells without a run are `MISSING`.
        weight_decay: Likewise, on the study's common scale.

    Returns:
        label -> its landscape, whose arrays are (W, L): a row a weight decay, a column a learning rate.

    Raises:
        KeyError: The table lacks a column.

    Example:
        >>> from analysis import landscapes_of
        >>> from robustness.published.shipped import published
        >>> maps = landscapes_of(published()["cifar10"].runs())
        >>> {label: one.mean.shape for label, one in maps.items()}
        {'adam': (8, 7), 'adams': (8, 7), 'adamw': (8, 7)}
    """
    rows = labelled(runs, labels)
    columns = ["label", "lr", "weight_decay", "weight_decay_native", "seed", "status", "baseline", METRIC, metric]
    rows = rows[list(dict.fromkeys(columns))].assign(value=taken(rows, metric))
    parts = dict(iter(rows.groupby("label", observed=lr is None or weight_decay is None, sort=True)))
    return {
        str(name): _landscape(str(name), part, metric, of_label(lr, str(name)), of_label(weight_decay, str(name)))
        for name, part in parts.items()
    }


def of_label(axis: Axis, label: str) -> Sequence[float] | None:
    """Return the axis of one optimizer: its own where each has one."""
    return axis[label] if isinstance(axis, Mapping) else axis


def _axis(values: pd.Series, given: Sequence[float] | None) -> tuple[Floats, NDArray[np.int64]]:
    """Return the axis (n,) and each value's place on it, -1 for a value that is not there."""
    numbers = values.to_numpy(dtype=np.float64)
    axis = np.unique(numbers if given is None else np.asarray(given, dtype=np.float64))
    place = np.minimum(np.searchsorted(axis, numbers), len(axis) - 1)
    return axis, np.where(axis[place] == numbers, place, -1)


def _landscape(
    name: str,
    rows: pd.DataFrame,
    metric: str,
    lr: Sequence[float] | None,
    weight_decay: Sequence[float] | None,
) -> Landscape:
    lr_axis, column = _axis(rows["lr"], lr)
    decay_axis, row = _axis(rows["weight_decay"], weight_decay)
    shape = (len(decay_axis), len(lr_axis))
    inside = (column >= 0) & (row >= 0)
    rows, cell = rows[inside], (row * shape[1] + column)[inside]
    # Sums in one order of seeds: the order of rows must not change the last bit of a mean.
    order = np.lexsort((rows["seed"].to_numpy(), cell))
    rows, cell = rows.iloc[order], cell[order]
    status = rows["status"].to_numpy()
    values = rows["value"].where(status != "failed")
    cells = values.groupby(cell).agg(["mean", "std", "min", "max", "count"]).reindex(range(shape[0] * shape[1]))

    def grid(column: str) -> Floats:
        return cells[column].to_numpy(dtype=np.float64).reshape(shape)

    def count(kind: NDArray[np.bool_]) -> Floats:
        return np.bincount(cell[kind], minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)

    results = count(status != "failed")
    of_results = np.where(results, results, np.nan)
    diverged = count(status == "diverged") / of_results
    chance = count(at_chance(rows, metric).to_numpy()) / of_results
    failed = count(status == "failed").astype(np.int64)
    return Landscape(
        label=name,
        metric=metric,
        lr=lr_axis,
        weight_decay=decay_axis,
        weight_decay_native=_native(decay_axis, rows),
        mean=grid("mean"),
        std=grid("std"),
        low=grid("min"),
        high=grid("max"),
        seeds=np.nan_to_num(grid("count")).astype(np.int64),
        diverged=diverged,
        at_chance=chance,
        failed=failed,
        status=_state(diverged, chance, failed),
    )


def _state(diverged: Floats, chance: Floats, failed: NDArray[np.int64]) -> NDArray[np.int8]:
    """Return each cell's `Status`, given the shares of its results that diverged and that are no better than chance."""
    kinds = {
        Status.DIVERGED: diverged == 1,
        Status.AT_CHANCE: diverged + chance == 1,
        Status.PARTLY_DIVERGED: diverged > 0,
        Status.PARTLY_AT_CHANCE: chance > 0,
        Status.COMPLETED: np.isfinite(diverged),
        Status.FAILED: failed > 0,
    }
    return np.select(list(kinds.values()), list(kinds), Status.MISSING).astype(np.int8)


def _native(axis: Floats, rows: pd.DataFrame) -> Floats:
    """Return (W,) native weight decays; a row without a run follows the ratio of the others."""
    known = rows.groupby("weight_decay")["weight_decay_native"].first()
    native = known.reindex(axis).to_numpy(dtype=np.float64)
    positive = known[known.index > 0]
    ratio = float((positive / positive.index).median()) if len(positive) else np.nan
    return np.where(np.isnan(native), axis * ratio, native)
