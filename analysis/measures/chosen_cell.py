"""Which cell an optimizer is judged by, and the scores of that cell by data that did not choose it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.landscapes.basin import Place, least_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.landscapes.by_seed import Replicates

    Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Choice:
    """The cell chosen for an optimizer.

    The least of many noisy means is too low (the winner's curse); so one part of the data chooses, another scores.

    Attributes:
        cell: Its place in the landscape.
        by: "validation": the validation error of all seeds chose; "half": there is none, so the test error of the
            first half of the optimizer's seeds chose, and the other half scores; "test": a single seed did both.
        chooser: (S, W, L) the errors that chose.
        scores: (S,) test error of the cell a seed, percent; NaN for seeds that do not score.
    """

    cell: Place
    by: str
    chooser: Floats
    scores: Floats

    @property
    def error(self) -> float:
        """e*: the mean score, percent."""
        return float(np.nanmean(self.scores)) if np.isfinite(self.scores).any() else float("nan")


def choose(replicates: Replicates, metric: str, chooser: str, among: NDArray[np.bool_] | None = None) -> Choice | None:
    """Return the cell of least mean choosing error; None without one in which a seed completed and that has a score.

    Ties, within rounding, go to the least weight decay, then learning rate.

    Args:
        replicates: With the columns `metric` and `chooser`.
        metric: What scores: a test error.
        chooser: What chooses: the validation error; all NaN where there is none.
        among: (W, L) the cells to choose from; default: all.
    """
    test, validation = replicates.values[metric], replicates.values[chooser]
    if np.isfinite(validation).any():
        by, errors, scorers = "validation", validation, np.ones(len(test), dtype=bool)
    else:
        # Of this optimizer's own seeds: the study may have others.
        own = np.isfinite(test).any(axis=(1, 2))
        half = int(own.sum()) // 2
        by = "half" if half else "test"
        errors, scorers = test, own & (np.cumsum(own) > half)
    scored = np.isfinite(test[scorers]).any(axis=0)
    usable = replicates.trained & scored & (True if among is None else among)
    cell = _least(errors[~scorers] if by == "half" else errors, usable)
    if cell is None:
        return None
    return Choice(cell, by, errors, np.where(scorers, test[:, cell.row, cell.column], np.nan))


def _least(errors: Floats, usable: NDArray[np.bool_]) -> Place | None:
    known = np.isfinite(errors)
    counts = known.sum(axis=0)
    mean = np.where(known, errors, 0.0).sum(axis=0) / np.maximum(counts, 1)
    return least_of(mean, usable & (counts > 0))
