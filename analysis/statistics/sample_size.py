"""How many seeds would settle a comparison."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions import LEVEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

POWER = 0.8
FEWEST_SEEDS = 3
MOST_SEEDS = 1000


def seeds_needed(effect: float, low: float, high: float, seeds: int, level: float = LEVEL) -> int | None:
    """Return the least n at which an effect this large is decided with a power of 80 %; None if none is known.

    The seeds' spread is read off the interval, as that of Student's t: sd = half-width sqrt(seeds) / t. Then n solves
    (t_{n-1, (1+level)/2} + t_{n-1, power}) sd / sqrt(n) <= |effect|. A guess, since the effect itself is one.

    Args:
        effect: The estimate, less what it is when both are equal (the logarithm of a ratio).
        low: Lower end of its interval on the same scale.
        high: Upper end.
        seeds: Seeds behind the interval.
        level: Its confidence level.
    """
    from scipy import stats

    if seeds < 2 or not np.all(np.isfinite([effect, low, high])) or effect == 0:
        return None
    deviation = (high - low) / 2 * np.sqrt(seeds) / stats.t.ppf((1 + level) / 2, seeds - 1)
    enough = np.flatnonzero(_reach(level) * deviation <= abs(effect))
    return FEWEST_SEEDS + int(enough[0]) if len(enough) else None


@lru_cache(maxsize=64)
def _reach(level: float) -> NDArray[np.float64]:
    """Return the least effect, in standard deviations, that n seeds decide, for n from FEWEST_SEEDS to MOST_SEEDS."""
    from scipy import stats

    n = np.arange(FEWEST_SEEDS, MOST_SEEDS + 1)
    return np.asarray((stats.t.ppf((1 + level) / 2, n - 1) + stats.t.ppf(POWER, n - 1)) / np.sqrt(n))
