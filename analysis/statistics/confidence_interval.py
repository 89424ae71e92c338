"""Intervals of a mean over seeds (Student) and of a share of cells (Wilson)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import stdtrit
from scipy.stats import norm

from analysis.conventions import LEVEL, ROUNDING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class MeanInterval:
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


def t_interval(values: Floats, level: float = LEVEL) -> MeanInterval:
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
    return MeanInterval(mean=mean, low=mean - half, high=mean + half, seeds=count.astype(np.int64), spread=spread)


class ShareInterval(NamedTuple):
    """Lower and upper end of the confidence interval of a share, 0..1; NaN without a trial."""

    low: float
    high: float


def wilson_interval(share: float, count: int, level: float = LEVEL) -> ShareInterval:
    """Return Wilson's interval for the probability of which `share` was found in `count` independent trials.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".

    Raises:
        ValueError: `level` is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"a confidence level lies between 0 and 1, not {level}")
    if not count:
        return ShareInterval(float("nan"), float("nan"))
    z = float(norm.ppf((1 + level) / 2))
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return ShareInterval(max(0.0, float(middle - half)), min(1.0, float(middle + half)))
