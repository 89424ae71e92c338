"""Tuning curves: the best error to expect of n random trials in the box, with bands for the whole curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from opda.nonparametric import EmpiricalDistribution

from analysis.conventions import LEVEL
from analysis.landscapes.basin import cell_weights, has_result
from analysis.measures.uniform_samples import are_uniform
from analysis.statistics.order_statistics import equal_tailed_limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from analysis.landscapes.basin import Box
    from analysis.landscapes.landscape import Landscape

    Floats = NDArray[np.float64]

PERCENT = (0.0, 100.0)


@dataclass(frozen=True, eq=False)
class TuningCurve:
    """The best error among n random trials, as a distribution over what trials come up.

    A trial is one cell, its error the mean over the cell's seeds.

    Attributes:
        label: The optimizer.
        trials: (n,) numbers of trials.
        median: (n,) median of the best error, percent.
        low: (n,) lower end of the band, percent.
        high: (n,) upper end; the whole curve lies between the two with probability `confidence`.
        confidence: 0..1.
        exact: Whether the cells are independent random draws, for which the band is made.

    Example:
        >>> from analysis import tuning_curve
        >>> curve = tuning_curve([12.0, 9.0, 30.0, 10.0], None, [1, 2, 4])
        >>> curve.exact, curve.confidence
        (True, 0.95)
    """

    label: str
    trials: NDArray[np.int64]
    median: Floats
    low: Floats
    high: Floats
    confidence: float
    exact: bool


def tuning_curve(
    errors: Floats | Sequence[float],
    weights: Floats | Sequence[float] | None,
    trials: NDArray[np.int64] | Sequence[int],
    confidence: float = LEVEL,
    chance: float | None = None,
    *,
    label: str = "",
    exact: bool = True,
    support: tuple[float, float] = PERCENT,
) -> TuningCurve:
    """Return the median of the best of n trials, y with (1 - F(y))^n = 1/2, where F is the errors' distribution.

    The band follows from one for F that holds everywhere at once (`equal_tailed_limits`): the upper limit of F
    gives the lower curve. With continuous errors it holds at exactly `confidence`, with ties at least.

    Weighted cells (a grid) stand for their areas: F is their weighted distribution. Their band is that of as many
    independent random trials as there are cells, with the same distribution of errors. A grid covers the box
    more evenly than random trials do, so this band is not exact, and as a rule too wide.

    Args:
        errors: (N,) one a cell, percent; one that is not finite counts as `chance`.
        weights: (N,) areas of the cells; those of weight 0 are left out. None: all alike, random draws.
        trials: (n,) numbers of trials, at least 1.
        confidence: Of the band, 0..1.
        chance: Error of a diverged cell. None: an infinite error stays infinite.
        label: The optimizer.
        exact: Whether unweighted cells are independent random draws; False for `qmc`.
        support: Least and greatest error that there can be.

    Returns:
        Median and band, each (n,), in percent.

    Raises:
        ValueError: There is no cell, an error is NaN or outside the support, or `trials` are below 1.

    Source:
        Dodge et al. 2019, arXiv 1909.03004; Lourie et al. 2024, arXiv 2311.09480 (package opda).

    Example:
        >>> from analysis import tuning_curve
        >>> tuning_curve([12.0, 9.0, 30.0, 10.0], None, [1, 2, 4]).median
        array([10., 10.,  9.])
    """
    values, areas = _values(errors, weights, chance)
    counts = np.asarray(trials, dtype=np.int64)
    median = _distribution(values, areas, support).quantile_tuning_curve(counts, minimize=True)
    low, high = _band(values if areas is None else _draws(values, areas), counts, confidence, support)
    return TuningCurve(label, counts, median, low, high, confidence, exact and weights is None)


def _band(
    draws: Floats, trials: NDArray[np.int64], confidence: float, support: tuple[float, float]
) -> tuple[Floats, Floats]:
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, not {confidence}")
    below, above = equal_tailed_limits(len(draws), confidence)
    ends = np.concatenate([support[:1], np.sort(draws), support[1:]])
    low, high = (_distribution(ends, np.diff(limits, prepend=0.0, append=1.0), support) for limits in (above, below))
    return low.quantile_tuning_curve(trials, minimize=True), high.quantile_tuning_curve(trials, minimize=True)


def _values(
    errors: Floats | Sequence[float], weights: Floats | Sequence[float] | None, chance: float | None
) -> tuple[Floats, Floats | None]:
    values = np.asarray(errors, dtype=np.float64)
    if chance is not None:
        values = np.where(np.isfinite(values), values, chance)
    areas = None if weights is None else np.asarray(weights, dtype=np.float64)
    if areas is not None:
        if areas.shape != values.shape or (areas < 0).any():
            raise ValueError("every cell needs a weight of at least 0")
        values, areas = values[areas > 0], areas[areas > 0]
    if not len(values):
        raise ValueError("a tuning curve needs a cell")
    if np.isnan(values).any():
        raise ValueError("an error is NaN, and the error of chance is not given")
    return values, areas


def _distribution(values: Floats, weights: Floats | None, support: tuple[float, float]) -> EmpiricalDistribution:
    """Return opda's distribution of values with weights on any scale.

    It is given each value once: opda warns of equal weights, and its quantiles at ties need their sum.
    """
    distinct, place = np.unique(values, return_inverse=True)
    sums = np.bincount(place, weights=weights)
    equal = len(distinct) == 1 or np.allclose(sums, sums[0], rtol=1e-9, atol=0.0)
    return EmpiricalDistribution(distinct, None if equal else sums / sums.sum(), *support)


def _draws(values: Floats, weights: Floats) -> Floats:
    """Return as many values as there are cells, whose plain distribution is nearest to the weighted one."""
    order = np.argsort(values, kind="stable")
    upto = np.cumsum(weights[order])
    middles = (np.arange(len(values)) + 0.5) / len(values)
    return values[order][np.searchsorted(upto / upto[-1], middles)]


def grid_curve(
    landscape: Landscape, box: Box | None = None, trials: Sequence[int] | None = None, confidence: float = LEVEL
) -> TuningCurve | None:
    """Return the curve of a grid's measured cells, weighted by their areas in `box`; None without one.

    A weight decay of 0 has no area and is left out. See `tuning_curve` for the band.
    """
    cells = has_result(landscape) & (cell_weights(landscape, box) > 0)
    if not cells.any():
        return None
    errors, weights = landscape.mean[cells], cell_weights(landscape, box)[cells]
    counts = default_trials(len(errors)) if trials is None else trials
    return tuning_curve(errors, weights, counts, confidence, label=landscape.label)


def sample_curve(
    label: str,
    cells: pd.DataFrame,
    samplers: Iterable[str],
    trials: Sequence[int] | None = None,
    confidence: float = LEVEL,
) -> TuningCurve | None:
    """Return the curve of cells drawn uniformly; None without a cell, or where a search chose them.

    Args:
        label: The optimizer.
        cells: Its rows of `analysis.landscapes.sampled.samples`; those of weight decay 0 or without a
            result are left out.
        samplers: What chose them. The band is exact for `random`, and not for `qmc`.
        trials: Numbers of trials; default: up to the number of cells.
        confidence: Of the band.
    """
    names = set(samplers)
    known = cells.loc[(cells["weight_decay"] > 0) & cells["mean"].notna(), "mean"]
    if not are_uniform(names) or not len(known):
        return None
    errors = known.to_numpy(dtype=np.float64)
    counts = default_trials(len(errors)) if trials is None else trials
    return tuning_curve(errors, None, counts, confidence, label=label, exact=names == {"random"})


def default_trials(cells: int, most: int = 60) -> list[int]:
    """Return at most `most` whole numbers from 1 to `cells`, evenly spaced on a log axis where there are more."""
    return sorted({round(n) for n in np.geomspace(1, max(cells, 1), most).tolist()})
