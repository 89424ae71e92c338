"""Measures of one optimizer's landscape, each for many bootstrap draws of it at once.

A measure is a pure function of `analysis.measures.draws.Draws`. What each is called and how two optimizers are compared
on it stands in its row of `robustness.claims.measures`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from analysis.conventions import WITHIN
from analysis.landscapes.basin import within
from robustness.results.best import first_least

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from analysis.measures.draws import Draws

    Floats = NDArray[np.float64]


Area = Literal["relative", "absolute"]


@dataclass(frozen=True)
class OverLandscape:
    """The formula of a measure over a landscape.

    Attributes:
        formula: (draws, delta) -> (B,); delta is 0 where the measure has no basin.
        area: Of a basin's area, what the basin is measured from: the landscape's own e*, or the least of all.
    """

    formula: Callable[[Draws, float], Floats]
    area: Area | None = None


def area(draws: Draws, delta: float) -> Floats:
    """Return A(delta) = sum of w(h) over cells h with e(h) <= e* + delta, decades^2; NaN without e* or a box."""
    return _area(draws, draws.best + delta)


def area_absolute(draws: Draws, delta: float) -> Floats:
    """Return the area of e(h) <= e* + delta for the least e* of all optimizers, decades^2."""
    return _area(draws, draws.reference + delta)


def profile_auc(draws: Draws, _delta: float) -> Floats:
    """Return the mean over tau in [0, chance] of rho(tau), the share of the box with e <= tau; 0..1.

    The integral over tau of 1[e <= tau] is chance - e, so this is mean(1 - min(e, chance) / chance) over the box.
    Source: analogue of performance profiles (Dolan & More 2002), as in AlgoPerf (Dahl et al. 2023).
    """
    return 1 - _mean(np.minimum(draws.mean, draws.chance), draws.weights) / draws.chance


def lr_sensitivity(draws: Draws, _delta: float) -> Floats:
    """Return the mean over log lr of min(e, chance) at the chosen weight decay, less e*, points.

    Source: Wortsman et al. 2023, arXiv 2309.14322, section 2.2, with the error in the loss's place.
    """
    cut = draws.mean[np.arange(len(draws.mean)), draws.picked[:, 0]]
    return _mean(np.minimum(cut, draws.chance), draws.widths[1]) - draws.best


def lr_sensitivity_box(draws: Draws, _delta: float) -> Floats:
    """Return the mean of min(e, chance) over the whole box, less e*, points."""
    return _mean(np.minimum(draws.mean, draws.chance), draws.weights) - draws.best


def weight_decay_sensitivity(draws: Draws, _delta: float) -> Floats:
    """Return the mean over log weight decay of min(e, chance) at the basin's learning rates, less e*, points.

    `lr_sensitivity` along the other axis; a weight decay of 0 has no place on it. Each learning rate counts by the
    basin's area there: at a single one, the place of the cliff at that one would be all that it measures.
    """
    inside = within(draws.mean, draws.best + WITHIN, draws.cells)
    rates = np.einsum("bwl,wl->bl", inside, draws.weights)
    known = np.isfinite(draws.mean[0]) * draws.widths[0][:, None]
    error = np.nan_to_num(np.minimum(draws.mean, draws.chance))
    total = known.sum(axis=0)
    means = np.einsum("bwl,wl->bl", error, known / np.where(total > 0, total, 1.0))
    area = rates.sum(axis=1)
    found = np.divide((rates * means).sum(axis=1), area, out=np.full(len(area), np.nan), where=area > 0)
    return np.asarray(found - draws.best)


def failure_share(draws: Draws, _delta: float) -> Floats:
    """Return the share of the box that diverged or is no better than chance, 0..1."""
    return _mean(draws.lost, draws.weights)


def ridge_slope(draws: Draws, delta: float) -> Floats:
    """Return the slope of log10 weight decay on log10 lr inside the basin, weighted least squares.

    A cell's weight is its area times how far it lies below the basin's rim, so that cells on the rim, in which noise
    decides whether they are inside, hardly count. 0 when the two can be tuned one by one; -1 when only their product
    matters (Loshchilov & Hutter 2019; D'Angelo et al. 2024). NaN for a basin of one column.
    """
    covariance, lr_variance, _ = _moments(draws, delta)
    return np.divide(covariance, lr_variance, out=np.full_like(covariance, np.nan), where=lr_variance > 1e-12)


def ridge_correlation(draws: Draws, delta: float) -> Floats:
    """Return the correlation of log10 lr and log10 weight decay inside the basin, weighted likewise, -1..1."""
    covariance, *variances = _moments(draws, delta)
    scale = np.sqrt(np.maximum(variances[0], 0) * np.maximum(variances[1], 0))
    return np.asarray(np.divide(covariance, scale, out=np.full_like(scale, np.nan), where=scale > 1e-12))


def optimum_weight_decay(draws: Draws, _delta: float) -> Floats:
    """Return log10 of the weight decay (above 0) whose best cell is least in the error that chooses; decades."""
    rows = np.flatnonzero(np.isfinite(draws.log_decay))
    usable = draws.cells[rows]
    errors = np.where(usable, np.nan_to_num(draws.chooser[:, rows], nan=np.inf), np.inf)
    errors = errors.reshape(len(draws.best), -1)
    if not usable.any():
        return np.full(len(errors), np.nan)
    return np.asarray(draws.log_decay[rows][first_least(errors) // usable.shape[1]])


def _area(draws: Draws, limit: Floats) -> Floats:
    if not draws.weights.any() or 1 in draws.weights.shape:
        # Without a box, as with a weight decay of 0 alone, there is no area, not one of 0. Nor has a line one.
        return np.full(len(limit), np.nan)
    inside = within(draws.mean, limit, draws.cells)
    areas = inside.reshape(len(inside), -1) @ draws.weights.ravel()
    return np.where(np.isnan(limit), np.nan, areas)


def _mean(values: Floats, weights: Floats) -> Floats:
    """Return (B,) means of values (B, ...) by weights (...); cells without a value don't count."""
    flat, shares = values.reshape(len(values), -1), weights.ravel()
    known = np.isfinite(flat) & (shares > 0)
    total = known @ shares
    sums = np.where(known, flat, 0.0) @ shares
    return np.asarray(np.divide(sums, total, out=np.full(len(flat), np.nan), where=total > 0))


def _moments(draws: Draws, delta: float) -> tuple[Floats, Floats, Floats]:
    """Return (B,) covariance of log lr and log decay inside the basin, and their variances."""
    rows = np.isfinite(draws.log_decay)
    below = (draws.best + delta)[:, None, None] - draws.mean[:, rows]
    height = np.where(draws.cells[rows], np.maximum(np.nan_to_num(below, nan=0.0), 0.0), 0.0)
    share = (height * draws.weights[rows]).reshape(len(height), -1)
    total = share.sum(axis=1, keepdims=True)
    share = np.divide(share, total, out=np.zeros_like(share), where=total > 0)
    y, x = (axis.ravel() for axis in np.meshgrid(draws.log_decay[rows], draws.log_lr, indexing="ij"))
    mean_x, mean_y = share @ x, share @ y
    return share @ (x * y) - mean_x * mean_y, share @ x**2 - mean_x**2, share @ y**2 - mean_y**2


FORMULAS: dict[str, OverLandscape] = {
    "basin_area": OverLandscape(area, area="relative"),
    "basin_area_absolute": OverLandscape(area_absolute, area="absolute"),
    "profile_auc": OverLandscape(profile_auc),
    "lr_sensitivity": OverLandscape(lr_sensitivity),
    "lr_sensitivity_box": OverLandscape(lr_sensitivity_box),
    "weight_decay_sensitivity": OverLandscape(weight_decay_sensitivity),
    "failure_share": OverLandscape(failure_share),
    "ridge_slope": OverLandscape(ridge_slope),
    "ridge_correlation": OverLandscape(ridge_correlation),
    "optimum_weight_decay": OverLandscape(optimum_weight_decay),
}
"""Of those rows of `robustness.claims.measures` that are measured over a landscape, by name."""
