"""The paired bootstrap over seeds, and its intervals.

Seeds share initial weights and data order, so they are drawn together: one multiplier a seed, the same in every
cell and for every optimizer. With x_s (s = 1..n) the value that seed s gave and x its mean, a draw moves the mean to

    x + sum_s t_s (x_s - x) / sqrt(n (n - 1)),    t = g sqrt((n - 1) / c),  g_s ~ N(0, 1),  c ~ chi^2 with n - 1 d.o.f.

which is the multiplier bootstrap (Wu 1986, Annals of Statistics 14:1261) with the studentizing factor of a small
sample. Of a mean the percentile interval is then Student's, but for the number of draws, and there `t_interval` is
taken; of any other measure it follows that measure's own shape and range. Resampling three seeds with replacement
instead has ten outcomes, and covers far too little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions import LEVEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DRAWS = 4096


def multipliers(seeds: int, degrees: int, draws: int = DRAWS) -> Floats:
    """Return (draws, seeds) multipliers t of the module's formula, the same ones in every call.

    From a scrambled Sobol sequence (scipy.stats.qmc), which estimates a quantile better than as many random draws.

    Args:
        seeds: Seeds in the study.
        degrees: Degrees of freedom: those of the optimizer with fewer seeds.
        draws: A power of 2.
    """
    from scipy import stats
    from scipy.stats import qmc

    # Half the draws and their mirror images: the interval of a mean is symmetric, as it must be.
    points = qmc.Sobol(seeds + 1, rng=np.random.default_rng(0)).random(draws // 2)
    points = np.clip(points, 1e-12, 1 - 1e-12)
    normal = stats.norm.ppf(points[:, :seeds])
    spread = np.sqrt(degrees / stats.chi2.ppf(points[:, seeds:], degrees))
    return np.concatenate([normal * spread, -normal * spread])


def moved(values: Floats, t: Floats) -> Floats:
    """Return (B, ...) bootstrap means of `values` (S, ...) over the seeds; NaN where no seed has a value.

    A place with one seed does not move: nothing is known of its spread.

    Args:
        values: A value a seed and place; NaN where a seed has none.
        t: (B, S) multipliers.
    """
    known = np.isfinite(values)
    counts = known.sum(axis=0)
    sums = np.where(known, values, 0.0).sum(axis=0)
    mean = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    residuals = np.where(known, values - mean, 0.0)
    size = np.where(counts > 1, 1 / np.sqrt(np.maximum(counts * (counts - 1.0), 1)), 0.0)
    moves = (t @ residuals.reshape(len(values), -1)).reshape(len(t), *values.shape[1:])
    return np.asarray(mean + moves * size)


def interval(draws: Floats, level: float = LEVEL) -> tuple[float, float]:
    """Return the percentile interval of (B,) draws; NaN where more than one draw in twenty has no value."""
    known = draws[~np.isnan(draws)]
    if len(known) < 0.95 * len(draws) or not len(known):
        return float("nan"), float("nan")
    # A draw may be infinite (a ratio to an area of 0), so no interpolation between draws; and as many are left out
    # above as below, so that the other way round the interval is the same.
    ordered, out = np.sort(known), round((len(known) - 1) * (1 - level) / 2 - 1e-9)
    return float(ordered[out]), float(ordered[-1 - out])
