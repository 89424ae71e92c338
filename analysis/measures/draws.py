"""Bootstrap draws of one optimizer's landscape: what the formulas of measures read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions import ROUNDING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Draws:
    """B landscapes of one optimizer: its mean alone (B = 1), or draws around it. Errors in percent.

    Attributes:
        mean: (B, W, L) mean error of each cell; NaN in cells that do not count, or are not measured.
        best: (B,) e*: the error of the chosen cell, scored on data that did not choose it; NaN without one.
        reference: (B,) the same of the best optimizer that is compared.
        lost: (B, W, L) share of seeds that have learnt nothing; NaN where not measured.
        chooser: (B, W, L) the error that chooses cells: validation's, or the test error where there is none.
        cells: (W, L) cells that count and in which a seed completed.
        log_lr: (L,) log10 of the learning rates.
        log_decay: (W,) log10 of the weight decays; -inf for 0.
        widths: Decades that a row (W,) and a column (L,) span within the box; 0 for a weight decay of 0.
        weights: (W, L) area of each cell that counts in decades^2; 0 for the others.
        picked: (B, 2) row and column of the chosen cell; a draw chooses its own, since another study might have.
        chance: Error of chance: that of the network before training.
    """

    mean: Floats
    best: Floats
    reference: Floats
    lost: Floats
    chooser: Floats
    cells: NDArray[np.bool_]
    log_lr: Floats
    log_decay: Floats
    widths: tuple[Floats, Floats]
    weights: Floats
    picked: NDArray[np.int64]
    chance: float


def still(sides: Sequence[Floats], errors: Sequence[Floats]) -> bool:
    """Whether no draw moves a measure of some optimizers, though errors of theirs differ from seed to seed.

    Args:
        sides: (B,) the measure in each draw, of each optimizer.
        errors: (S, W, L) the error of each of its runs.
    """
    if any(float(np.ptp(side)) > ROUNDING for side in sides):
        return False
    spans = [np.fmax.reduce(one, axis=0) - np.fmin.reduce(one, axis=0) for one in errors]
    return any(bool((span > ROUNDING).any()) for span in spans)
