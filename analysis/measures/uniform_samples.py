"""Measures of cells that were drawn log-uniformly in the box: a share of the cells estimates a share of area.

Every cell has the same weight, so a share is a mean of zeros and ones, and its interval is that of a binomial
share. Cells that a search chose crowd where it looked and give none of this. A weight decay of 0 has no
logarithm and lies outside the box.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions import LEVEL, ROUNDING
from analysis.statistics.confidence_interval import wilson_interval
from robustness.study.samplers import EVEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from analysis.landscapes.basin import Box
    from analysis.statistics.confidence_interval import ShareInterval

    Floats = NDArray[np.float64]


def are_uniform(samplers: Iterable[str]) -> bool:
    """Return whether all of these samplers draw uniformly; False without one."""
    names = set(samplers)
    return bool(names) and names <= set(EVEN)


def uniform_errors(cells: pd.DataFrame, samplers: Iterable[str], box: Box | None = None) -> Floats:
    """Return (N,) mean errors of the cells that count, in percent.

    Left out: a weight decay of 0, a cell outside `box`, one without a result. A cell in which every seed
    diverged is in no basin: its error is infinite.

    Args:
        cells: One optimizer's rows of `analysis.landscapes.sampled.samples`.
        samplers: What chose the cells, as in the column `sampler` of a runs table.
        box: The compared region.

    Raises:
        ValueError: A search chose cells, or it is not known what did.
    """
    names = sorted(set(samplers))
    if not are_uniform(names):
        chosen = ", ".join(names) or "nothing known"
        raise ValueError(f"cells chosen by {chosen} estimate no area: that needs {' or '.join(EVEN)}")
    lr, decay = (cells[name].to_numpy(dtype=np.float64) for name in ("lr", "weight_decay"))
    error = np.where(cells["lost"] == 1, np.inf, cells["mean"].to_numpy(dtype=np.float64))
    inside = (decay > 0) & ~np.isnan(error)
    if box is not None:
        inside &= (lr >= box.lr[0]) & (lr <= box.lr[1])
        inside &= (decay >= box.weight_decay[0]) & (decay <= box.weight_decay[1])
    return np.asarray(error[inside])


def box_area(box: Box) -> float:
    """Return the area of a box in decades^2."""
    return float(np.prod([np.log10(high / low) for low, high in (box.lr, box.weight_decay)]))


def uniform_share(errors: Floats | Sequence[float], threshold: float) -> float:
    """Return the share of cells with e <= threshold, 0..1; NaN without a cell.

    It estimates the share of the box's area without bias.
    """
    return float(uniform_profile(errors, [threshold])[0])


def uniform_area(errors: Floats | Sequence[float], threshold: float, box: Box) -> float:
    """Return the estimated area of {h in B : e(h) <= threshold}, in decades^2: the share times the box's area."""
    return uniform_share(errors, threshold) * box_area(box)


def uniform_profile(errors: Floats | Sequence[float], thresholds: Floats | Sequence[float]) -> Floats:
    """Return (T,) shares of cells with e <= tau for each threshold tau (T,): the empirical distribution."""
    values = np.sort(np.asarray(errors, dtype=np.float64))
    if not len(values):
        return np.full(len(thresholds), np.nan)
    limits = np.asarray(thresholds, dtype=np.float64) + ROUNDING
    return np.asarray(np.searchsorted(values, limits, side="right") / len(values))


def share_interval(errors: Floats | Sequence[float], threshold: float, level: float = LEVEL) -> ShareInterval:
    """Return Wilson's interval for the share of area, which the sampling of the cells leaves open.

    It holds for a threshold that is fixed beforehand, and for independent cells (`random`); cells of `qmc`
    cover the box more evenly, and for them it is too wide rather than too narrow. The noise of seeds is not
    in it.

    Raises:
        ValueError: `level` is not between 0 and 1.
    """
    return wilson_interval(uniform_share(errors, threshold), len(errors), level)


def area_interval(
    errors: Floats | Sequence[float], threshold: float, box: Box, level: float = LEVEL
) -> tuple[float, float]:
    """Return the ends of `share_interval` times the box's area, in decades^2."""
    low, high = share_interval(errors, threshold, level)
    return low * box_area(box), high * box_area(box)
