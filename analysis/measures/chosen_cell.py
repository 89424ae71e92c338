"""Which cell an optimizer is judged by, and the scores of that cell by data that did not choose it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.landscapes.basin import Place
from robustness.results import best

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
    usable = replicates.trained if among is None else replicates.trained & among
    seeds = len(test)
    found = best.choose(test.reshape(seeds, -1), validation.reshape(seeds, -1), usable.ravel())
    if found is None:
        return None
    cell = Place(*divmod(found.cell, test.shape[2]))
    scores = np.where(found.scorers, test[:, cell.row, cell.column], np.nan)
    return Choice(cell, found.by, validation if found.by == "validation" else test, scores)
