"""Simultaneous limits for the order statistics of a sample: how far an empirical distribution may be off."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.stats import beta, poisson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@lru_cache(maxsize=64)
def equal_tailed_limits(count: int, confidence: float) -> tuple[Floats, Floats]:
    """Return low and high (n + 1,): limits of F between the order statistics of n independent draws from F.

    Between the j-th and the next one low[j] <= F <= high[j], for all j at once with probability `confidence`
    (more, where F has jumps). The j-th order statistic of uniform draws is Beta(j, n + 1 - j); equal-tailed
    intervals of one level for all j are widened until they hold together. opda simulates that level; here it
    is solved for, without noise and in a hundredth of the time.

    Source: Learned-Miller & DeStefano 2008, IEEE Trans. Inf. Theory 54; Lourie et al. 2024, arXiv 2311.09480.
    """
    # One interval at `confidence` holds at least as often as all together; a union bound holds as rarely.
    tightest, widest = (1 - confidence) / (2 * count), (1 - confidence) / 2

    def excess(tail: float) -> float:
        return inside_probability(*_limits(count, tail)) - confidence

    tail = widest if count == 1 else float(brentq(excess, tightest, widest, xtol=1e-15, rtol=1e-4))
    low, high = _limits(count, tail)
    return np.concatenate([[0.0], low]), np.concatenate([high, [1.0]])


def _limits(count: int, tail: float) -> tuple[Floats, Floats]:
    place = np.arange(1, count + 1)
    low = np.asarray(beta.ppf(tail, place, count + 1 - place), dtype=np.float64)
    return low, 1 - low[::-1]


def inside_probability(low: Floats, high: Floats) -> float:
    """Return P(low[j] <= U_(j) <= high[j] for all j) for the order statistics of n uniform draws.

    Args:
        low: (n,), ascending.
        high: (n,), ascending, each above its `low`.

    A Poisson process of rate n that has n points at 1 has uniform ones: its count is carried from limit to
    limit, and what leaves the limits is dropped. Source: Moscovich & Nadler 2017, "Fast calculation of
    boundary crossing probabilities for Poisson processes", Statistics & Probability Letters 123.
    """
    count = len(low)
    times = np.unique(np.concatenate([low, high, [1.0]]))
    # By time t at least the points with high <= t have come, and at most one a low limit below t.
    least = np.searchsorted(high, times, side="right")
    most = np.searchsorted(low, times, side="left")
    steps = np.diff(times, prepend=0.0) * count
    chances, start = np.ones(1), 0
    for step, fewest, greatest in zip(steps.tolist(), least.tolist(), most.tolist(), strict=True):
        # More events than that have a chance of less than 1e-17: a step is short where there are many limits.
        jumps = poisson_terms(step, min(greatest - start, int(step + 10 * step**0.5 + 25)))
        # Counts start ... greatest, of which those below `fewest` are dropped.
        grown = np.convolve(chances, jumps)[: greatest - start + 1]
        chances, start = grown[fewest - start :], fewest
        if not len(chances):
            return 0.0
    return float(chances[count - start] / poisson.pmf(count, count))


def poisson_terms(mean: float, most: int) -> Floats:
    """Return the probabilities (most + 1,) of 0 ... `most` events of a Poisson variable."""
    ratios = np.concatenate([[1.0], mean / np.arange(1, most + 1)])
    return np.asarray(np.exp(-mean) * np.cumprod(ratios))
