"""Landscapes of the loss, in which a run that diverged counts with the loss of chance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analysis.landscapes.by_seed import Replicates

    Floats = NDArray[np.float64]

LOSSES = ("test_loss", "validation_loss")
"""What scores, and what chooses."""


def chance_loss(chance_error: float) -> float:
    """Return the loss of guessing, in nats: log C, where C classes have the error of chance 100 (1 - 1 / C) percent.

    The cross-entropy of equal probabilities; infinite for an error of 100 percent, NaN for an unknown one.
    """
    with np.errstate(divide="ignore"):
        return float(-np.log1p(-np.float64(chance_error) / 100))


def loss_landscape(one: Replicates, losses: Mapping[str, Floats], chance: float | None) -> Replicates:
    """Return the losses of one optimizer, seed by seed, in nats.

    Args:
        one: The optimizer.
        losses: (S, W, L) the columns of `LOSSES`, NaN where a run has no loss.
        chance: The loss of runs that diverged, if any did; a loss that no run of the split has stays unknown.
    """
    filled = {}
    for name, values in losses.items():
        # Without the split nothing is filled in, or its absence would go unnoticed.
        blank = (one.lost == 1) & np.isnan(values) & np.isfinite(values).any()
        filled[name] = values if chance is None else np.where(blank, chance, values)
    return replace(one, values=filled)
