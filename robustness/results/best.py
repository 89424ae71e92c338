"""The best error of an optimizer: of the cell that one part of its data chooses, by another part of them.

The one definition behind a sweep's progress line, the list of studies, the pages and the report's depth. The least of
many noisy means is too low (the winner's curse), and the more so the more cells there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from robustness.results.tables.arrow import finished

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
    errors = np.where(among, mean, np.inf)
    return Chosen(int(np.argmax(errors <= errors.min() + ROUNDING)), by, scorers)


def best_errors(
    runs: pd.DataFrame, *, chance: float | None = None, one_grid: bool | None = None
) -> dict[str, float | None]:
    """Return label -> the test error of its chosen cell, mean over the seeds, percent; None without a cell that learnt.

    Optimizers on one grid are compared on the cells that all of them have by now.

    Args:
        runs: A runs table of one workload with the column `label`; at least the columns `lr`, `weight_decay`, `seed`,
            `status`, `test_error` and `validation_error`.
        chance: Error of chance, percent: a diverged run's, and of no use as a best; None where it is unknown.
        one_grid: Whether the study gives all optimizers the same axes; None: as far as these runs tell.
    """
    rows = finished(runs)
    lost = (rows["status"] == "diverged").to_numpy()
    test, validation = (rows[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in (TEST, VALIDATION))
    learnt = ~lost
    if chance is not None:
        learnt &= ~((validation if np.isfinite(validation).any() else test) >= chance)
        test = np.where(lost, chance, test)
        validation = np.where(lost & np.isfinite(validation).any(), chance, validation)
    places = rows.groupby("label", observed=True).indices
    parts = {
        str(label): _Errors.of(rows.iloc[some], test[some], validation[some], learnt[some])
        for label, some in places.items()
    }
    together = _alike(parts.values()) if one_grid is None else one_grid
    common = _common(list(parts.values())) if together and parts else None
    return {label: one.best(common) for label, one in parts.items()}


def nothing_learnt(runs: pd.DataFrame, chance: float) -> bool:
    """Whether there are results, and every one of them diverged or is no better than chance, in percent."""
    rows = finished(runs)
    return bool(len(rows) and ((rows["status"] == "diverged") | (rows[TEST] >= chance)).all())


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
            test=_arranged(test, place, shape),
            validation=_arranged(validation, place, shape),
            learnt=np.asarray((_arranged(learnt.astype(np.float64), place, shape) > 0).any(axis=0)),
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


def _arranged(values: Floats, place: NDArray[np.int64], shape: tuple[int, int]) -> Floats:
    known, size = np.isfinite(values), shape[0] * shape[1]
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
