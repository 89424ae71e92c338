"""Student's interval of a mean over seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ROUNDING = 1e-9
"""Values that differ by less, in their own unit, count as equal: they differ by rounding."""


@dataclass(frozen=True, eq=False)
class Interval:
    """Means over the seeds with their intervals; arrays are (...), one value a place.

    Attributes:
        mean: NaN without a value.
        low: NaN with fewer than two values.
        high: Likewise.
        seeds: Values behind the mean.
        spread: Whether the values differ at all.
    """

    mean: Floats
    low: Floats
    high: Floats
    seeds: NDArray[np.int64]
    spread: NDArray[np.bool_]


def t_interval(values: Floats, level: float = 0.95) -> Interval:
    """Return mean ± t_{(1 + level) / 2, n - 1} s / sqrt(n) over the first axis of `values` (S, ...).

    NaN is no value. Source: Student 1908; it holds for seeds whose values are normal.
    """
    known = np.isfinite(values)
    count = known.sum(axis=0)
    filled = np.where(known, values, 0.0)
    mean = filled.sum(axis=0) / np.where(count, count, np.nan)
    squares = np.where(known, (filled - np.nan_to_num(mean)) ** 2, 0.0).sum(axis=0)
    freedom = np.where(count > 1, count - 1, np.nan)
    half = stdtrit(freedom, (1 + level) / 2) * np.sqrt(squares / freedom / np.maximum(count, 1))
    apart = np.where(known, np.abs(values - mean), 0.0)
    spread = (apart.max(axis=0) if len(values) else np.zeros(count.shape)) > ROUNDING
    return Interval(mean, mean - half, mean + half, count.astype(np.int64), spread)
