"""Cells at the edge of divergence in which all seeds agree, though another seed might not.

Three seeds that all converged don't show that none ever diverges; where the next cell diverges, they hardly speak for
it. A bootstrap over such seeds sees no spread at all, and its intervals are too short.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.statistics.bootstrap import moved

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def frontier(lost: Floats) -> NDArray[np.bool_]:
    """Return (W, L): cells whose seeds agree, beside a cell (above, below, left, right) that is not the same.

    Args:
        lost: (S, W, L) 1 has learnt nothing, 0 has learnt, NaN neither.
    """
    share = _share(lost)
    around = _beside(share, np.nan)
    differs = (np.isfinite(around) & (around != share)).any(axis=0)
    return np.asarray(differs & ((share == 0) | (share == 1)))


def unsettled(lost: Floats, t: Floats, stream: int) -> Floats:
    """Return (B, W, L) draws of the probability that a run learns nothing; NaN where nothing is known.

    Where seeds differ, the share of lost ones, moved by the multipliers within 0..1. On the frontier, where they
    agree, the posterior of a probability after n trials of one outcome: Beta(3/8, n + 5/8) of the other, from a prior
    between Haldane's and Jeffreys' with which the intervals of three seeds cover as they say. Elsewhere 0 or 1.

    Args:
        lost: (S, W, L) as in `frontier`.
        t: (B, S) multipliers.
        stream: Number of an independent sequence of draws, one an optimizer.
    """
    drawn = np.clip(moved(lost, t), 0.0, 1.0)
    cells = frontier(lost)
    seeds = np.isfinite(lost).sum(axis=0)[cells]
    other = np.random.default_rng([1, stream]).beta(3 / 8, seeds + 5 / 8, size=(len(t), len(seeds)))
    drawn[:, cells] = np.where(_share(lost)[cells] == 1, 1 - other, other)
    return drawn


def least_beside(values: Floats) -> Floats:
    """Return (W, L): the least of the four cells beside each one."""
    return np.asarray(_beside(values, np.inf).min(axis=0))


def _beside(values: Floats, outside: float) -> Floats:
    padded = np.pad(values, 1, constant_values=outside)
    return np.stack([padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]])


def _share(lost: Floats) -> Floats:
    known = np.isfinite(lost)
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, lost, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
