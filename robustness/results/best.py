"""The best error of an optimizer: of the cell that one part of its data chooses, by another part of them.

The one definition behind a sweep's progress line, the list of studies, the pages and the report's depth. The least of
many noisy means is too low (the winner's curse), and the more so the more cells there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from robustness.results.tables.arrow import finished
from robustness.results.tables.cells import at_chance, chance_of, taken

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Booleans = NDArray[np.bool_]

ROUNDING = 1e-9
"""Errors that differ by no more are alike: means of the same k/n errors differ by rounding."""
CELL = ["weight_decay", "lr"]
TEST, VALIDATION = "test_error", "validation_error"


@dataclass(frozen=True, eq=False)
class Chosen:
    """A cell of several, and what chose it.

    Attributes:
        cell: Its index.
        by: "validation": the validation error of all seeds chose; "half": there is none, so the test error of the
            first half of the optimizer's seeds chose, and the other half scores; "test": a single seed did both.
        scorers: (S,) the seeds whose test error scores it.
    """

    cell: int
    by: str
    scorers: Booleans

    def score(self, test: Floats) -> float:
        """Return the mean test error (S, C) of the cell over the seeds that score it."""
        return float(np.nanmean(test[self.scorers, self.cell]))


def choose(test: Floats, validation: Floats, usable: Booleans) -> Chosen | None:
    """Return the cell of least mean choosing error; None without a usable one that has a score.

    Ties, within `ROUNDING`, go to the first.

    Args:
        test: (S, C) test errors a seed and cell, percent; NaN where there is none.
        validation: (S, C) validation errors; all NaN where there are none.
        usable: (C,) the cells to choose from.
    """
    if np.isfinite(validation).any():
        by, choosers, scorers = "validation", validation, np.ones(len(test), dtype=bool)
    else:
        # Of this optimizer's own seeds: the study may have others.
        own = np.isfinite(test).any(axis=1)
        half = int(own.sum()) // 2
        by = "half" if half else "test"
        scorers = own & (np.cumsum(own) > half)
        choosers = test[~scorers] if half else test
    known = np.isfinite(choosers)
    counts = known.sum(axis=0)
    mean = np.where(known, choosers, 0.0).sum(axis=0) / np.maximum(counts, 1)
    among = usable & (counts > 0) & np.isfinite(test[scorers]).any(axis=0)
    if not among.any():
        return None
    return Chosen(int(first_least(np.where(among, mean, np.inf))), by, scorers)


def first_least(values: Floats) -> NDArray[np.int64]:
    """Return (...) the place of the least of values (..., n): the first that exceeds it by no more than `ROUNDING`.

    Means of the same k/n errors differ by the order in which they are summed; they are ties.
    """
    return np.asarray(np.argmax(values <= values.min(axis=-1, keepdims=True) + ROUNDING, axis=-1))


def best_errors(runs: pd.DataFrame, *, one_grid: bool | None = None) -> dict[str, float | None]:
    """Return label -> the test error of its chosen cell, mean over the seeds, percent; None without a cell that learnt.

    Optimizers on one grid are compared on the cells that all of them have by now.

    Args:
        runs: A runs table of one workload with the column `label`; at least the columns `lr`, `weight_decay`, `seed`,
            `status`, `baseline`, `test_error` and `validation_error`. An error no better than the baseline is no best.
        one_grid: Whether the study gives all optimizers the same axes; None: as far as these runs tell.
    """
    rows = finished(runs)
    chooser = VALIDATION if rows[VALIDATION].notna().any() else TEST
    learnt = ((rows["status"] == "completed") & ~at_chance(rows, chooser)).to_numpy()
    test, validation = (taken(rows, name).to_numpy(dtype=np.float64, na_value=np.nan) for name in (TEST, VALIDATION))
    places = rows.groupby("label", observed=True).indices
    parts = {
        str(label): _Errors.of(rows.iloc[some], test[some], validation[some], learnt[some])
        for label, some in places.items()
    }
    together = _alike(parts.values()) if one_grid is None else one_grid
    common = _common(list(parts.values())) if together and parts else None
    found, chance = {label: one.best(common) for label, one in parts.items()}, chance_of(rows)
    # Chosen by a lucky validation error alone, it is of no use either.
    return {label: None if chance is not None and (error or 0.0) >= chance else error for label, error in found.items()}


def nothing_learnt(runs: pd.DataFrame) -> bool:
    """Whether there are results, and every one of them diverged or is no better than chance."""
    rows = finished(runs)
    return bool(len(rows) and ((rows["status"] == "diverged") | at_chance(rows)).all())


@dataclass(frozen=True, eq=False)
class _Errors:
    """Errors (S, C) of one optimizer, by seed and cell; cells ascend by weight decay, then learning rate."""

    cells: list[tuple[float, float]]
    test: Floats
    validation: Floats
    learnt: Booleans

    @classmethod
    def of(cls, rows: pd.DataFrame, test: Floats, validation: Floats, learnt: Booleans) -> _Errors:
        """Arrange the errors (N,) of an optimizer's runs; runs that share a place are averaged."""
        seeds, row = np.unique(rows["seed"].to_numpy(dtype=np.int64), return_inverse=True)
        cells, column = np.unique(rows[CELL].to_numpy(dtype=np.float64), axis=0, return_inverse=True)
        shape, place = (len(seeds), len(cells)), row * len(cells) + column.ravel()
        return cls(
            cells=[(float(decay), float(lr)) for decay, lr in cells],
            test=arranged(test, place, shape),
            validation=arranged(validation, place, shape),
            learnt=np.asarray((arranged(learnt.astype(np.float64), place, shape) > 0).any(axis=0)),
        )

    @property
    def measured(self) -> set[tuple[float, float]]:
        """Cells with a result."""
        known = np.asarray(np.isfinite(self.test).any(axis=0))
        return {cell for cell, there in zip(self.cells, known, strict=True) if there}

    def best(self, common: set[tuple[float, float]] | None) -> float | None:
        """Return the error of the cell that is chosen, of the `common` ones if there are some."""
        inside = np.array([common is None or cell in common for cell in self.cells], dtype=bool)
        found = choose(self.test, self.validation, self.learnt & inside)
        return None if found is None else found.score(self.test)


def arranged(values: Floats, place: NDArray[np.int64], shape: tuple[int, ...]) -> Floats:
    """Return an array of `shape` with values (N,) at their places (N,) in it, flat; NaN where there is none.

    Those that share a place are averaged; a value that is NaN has none.
    """
    known, size = ~np.isnan(values), int(np.prod(shape))
    count = np.bincount(place[known], minlength=size)
    total = np.bincount(place[known], weights=values[known], minlength=size)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).reshape(shape)


def _alike(parts: Iterable[_Errors]) -> bool:
    """Whether all have the same learning rates and weight decays."""
    axes = {tuple(tuple(sorted(set(axis))) for axis in zip(*one.cells, strict=True)) for one in parts}
    return len(axes) == 1


def _common(parts: Sequence[_Errors]) -> set[tuple[float, float]] | None:
    """Return the cells that every optimizer has measured; None if there is none."""
    return set.intersection(*(one.measured for one in parts)) or None
