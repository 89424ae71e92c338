"""Measures of one optimizer's landscape, each for many bootstrap draws of it at once.

A measure is a pure function of a `Surface`. What each is called, how two optimizers are compared on it and which
direction is the better one stands in `MEASURES`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions import WITHIN
from analysis.landscapes.basin import within

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from analysis.statistics.comparison import Scale

    Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Surface:
    """B landscapes of one optimizer: its mean, or draws around it. Errors in percent.

    Attributes:
        mean: (B, W, L) mean error of each cell; NaN in cells that do not count, or are not measured.
        best: (B,) e*: the error of the chosen cell, scored on data that did not choose it; NaN without one.
        reference: (B,) the same of the best optimizer that is compared.
        diverged: (B, W, L) share of seeds that diverged; NaN where not measured.
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
    diverged: Floats
    chooser: Floats
    cells: NDArray[np.bool_]
    log_lr: Floats
    log_decay: Floats
    widths: tuple[Floats, Floats]
    weights: Floats
    picked: NDArray[np.int64]
    chance: float


@dataclass(frozen=True)
class Measure:
    """One measure, and how two optimizers are compared on it.

    Attributes:
        title: What it is called.
        unit: Of its value.
        scale: Whether two optimizers are compared by their difference or their ratio.
        formula: (surface, delta) -> (B,).
        basin: Whether it needs delta.
    """

    title: str
    unit: str
    scale: Scale
    formula: Callable[[Surface, float], Floats]
    basin: bool = False


def area(surface: Surface, delta: float) -> Floats:
    """Return A(delta) = sum of w(h) over cells h with e(h) <= e* + delta, decades^2; NaN without e* or a box."""
    return _area(surface, surface.best + delta)


def area_absolute(surface: Surface, delta: float) -> Floats:
    """Return the area of e(h) <= e* + delta for the least e* of all optimizers, decades^2."""
    return _area(surface, surface.reference + delta)


def profile_auc(surface: Surface, _delta: float) -> Floats:
    """Return the mean over tau in [0, chance] of rho(tau), the share of the box with e <= tau; 0..1.

    The integral over tau of 1[e <= tau] is chance - e, so this is mean(1 - min(e, chance) / chance) over the box.
    Source: analogue of performance profiles (Dolan & More 2002), as in AlgoPerf (Dahl et al. 2023).
    """
    return 1 - _mean(np.minimum(surface.mean, surface.chance), surface.weights) / surface.chance


def lr_sensitivity(surface: Surface, _delta: float) -> Floats:
    """Return the mean over log lr of min(e, chance) at the chosen weight decay, less e*, points.

    Source: Wortsman et al. 2023, arXiv 2309.14322, section 2.2, with the error in the loss's place.
    """
    cut = surface.mean[np.arange(len(surface.mean)), surface.picked[:, 0]]
    return _mean(np.minimum(cut, surface.chance), surface.widths[1]) - surface.best


def lr_sensitivity_box(surface: Surface, _delta: float) -> Floats:
    """Return the mean of min(e, chance) over the whole box, less e*, points."""
    return _mean(np.minimum(surface.mean, surface.chance), surface.weights) - surface.best


def weight_decay_sensitivity(surface: Surface, _delta: float) -> Floats:
    """Return the mean over log weight decay of min(e, chance) at the basin's learning rates, less e*, points.

    `lr_sensitivity` along the other axis; a weight decay of 0 has no place on it. Each learning rate counts by the
    basin's area there: at a single one, the place of the cliff at that one would be all that it measures.
    """
    inside = within(surface.mean, surface.best + WITHIN, surface.cells)
    rates = np.einsum("bwl,wl->bl", inside, surface.weights)
    known = np.isfinite(surface.mean[0]) * surface.widths[0][:, None]
    error = np.nan_to_num(np.minimum(surface.mean, surface.chance))
    total = known.sum(axis=0)
    means = np.einsum("bwl,wl->bl", error, known / np.where(total > 0, total, 1.0))
    area = rates.sum(axis=1)
    found = np.divide((rates * means).sum(axis=1), area, out=np.full(len(area), np.nan), where=area > 0)
    return np.asarray(found - surface.best)


def failure_share(surface: Surface, _delta: float) -> Floats:
    """Return the share of the box that diverged or is no better than chance, 0..1."""
    return _mean(surface.diverged, surface.weights)


def ridge_slope(surface: Surface, delta: float) -> Floats:
    """Return the slope of log10 weight decay on log10 lr inside the basin, weighted least squares.

    A cell's weight is its area times how far it lies below the basin's rim, so that cells on the rim, in which noise
    decides whether they are inside, hardly count. 0 when the two can be tuned one by one; -1 when only their product
    matters (Loshchilov & Hutter 2019; D'Angelo et al. 2024). NaN for a basin of one column.
    """
    covariance, lr_variance, _ = _moments(surface, delta)
    return np.divide(covariance, lr_variance, out=np.full_like(covariance, np.nan), where=lr_variance > 1e-12)


def ridge_correlation(surface: Surface, delta: float) -> Floats:
    """Return the correlation of log10 lr and log10 weight decay inside the basin, weighted likewise, -1..1."""
    covariance, *variances = _moments(surface, delta)
    scale = np.sqrt(np.maximum(variances[0], 0) * np.maximum(variances[1], 0))
    return np.asarray(np.divide(covariance, scale, out=np.full_like(scale, np.nan), where=scale > 1e-12))


def optimum_weight_decay(surface: Surface, _delta: float) -> Floats:
    """Return log10 of the weight decay (above 0) whose best cell is least in the error that chooses; decades."""
    rows = np.flatnonzero(np.isfinite(surface.log_decay))
    usable = surface.cells[rows]
    errors = np.where(usable, np.nan_to_num(surface.chooser[:, rows], nan=np.inf), np.inf)
    errors = errors.reshape(len(surface.best), -1)
    if not usable.any():
        return np.full(len(errors), np.nan)
    return np.asarray(surface.log_decay[rows][errors.argmin(axis=1) // usable.shape[1]])


def _area(surface: Surface, limit: Floats) -> Floats:
    if not surface.weights.any() or 1 in surface.weights.shape:
        # Without a box, as with a weight decay of 0 alone, there is no area, not one of 0. Nor has a line one.
        return np.full(len(limit), np.nan)
    inside = within(surface.mean, limit, surface.cells)
    areas = inside.reshape(len(inside), -1) @ surface.weights.ravel()
    return np.where(np.isnan(limit), np.nan, areas)


def _mean(values: Floats, weights: Floats) -> Floats:
    """Return (B,) means of values (B, ...) by weights (...); cells without a value don't count."""
    flat, shares = values.reshape(len(values), -1), weights.ravel()
    known = np.isfinite(flat) & (shares > 0)
    total = known @ shares
    sums = np.where(known, flat, 0.0) @ shares
    return np.asarray(np.divide(sums, total, out=np.full(len(flat), np.nan), where=total > 0))


def _moments(surface: Surface, delta: float) -> tuple[Floats, Floats, Floats]:
    """Return (B,) covariance of log lr and log decay inside the basin, and their variances."""
    rows = np.isfinite(surface.log_decay)
    below = (surface.best + delta)[:, None, None] - surface.mean[:, rows]
    height = np.where(surface.cells[rows], np.maximum(np.nan_to_num(below, nan=0.0), 0.0), 0.0)
    share = (height * surface.weights[rows]).reshape(len(height), -1)
    total = share.sum(axis=1, keepdims=True)
    share = np.divide(share, total, out=np.zeros_like(share), where=total > 0)
    y, x = (axis.ravel() for axis in np.meshgrid(surface.log_decay[rows], surface.log_lr, indexing="ij"))
    mean_x, mean_y = share @ x, share @ y
    return share @ (x * y) - mean_x * mean_y, share @ x**2 - mean_x**2, share @ y**2 - mean_y**2


MEASURES: dict[str, Measure] = {
    "basin_area": Measure("Basin area", "decades²", "ratio", area, basin=True),
    "basin_area_absolute": Measure("Basin area, absolute", "decades²", "ratio", area_absolute, basin=True),
    "profile_auc": Measure("Area under the basin profile", "share", "difference", profile_auc),
    "lr_sensitivity": Measure("Learning-rate sensitivity", "points", "difference", lr_sensitivity),
    "lr_sensitivity_box": Measure("Sensitivity over the box", "points", "difference", lr_sensitivity_box),
    "weight_decay_sensitivity": Measure("Weight-decay sensitivity", "points", "difference", weight_decay_sensitivity),
    "failure_share": Measure("Failure share", "share", "difference", failure_share),
    "ridge_slope": Measure("Ridge slope", "decades a decade", "difference", ridge_slope, basin=True),
    "ridge_correlation": Measure("Ridge correlation", "", "difference", ridge_correlation, basin=True),
    "optimum_weight_decay": Measure("Best weight decay", "log10", "difference", optimum_weight_decay),
}
