"""Measures of a basin: pure functions of landscapes.

Every area is a sum of cell weights in log space, in decades^2, over one box for all optimizers. A weight
decay of 0 has no logarithm and is in no area. A cell in which every seed diverged is in no basin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.landscape import Status, edges

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from analysis.landscape import Landscape

ROUNDING = 1e-9
"""Percentage points by which a mean may exceed a threshold: a mean of k/n differs from it by rounding."""


class Cell(NamedTuple):
    """A cell's place in a landscape's arrays."""

    row: int
    column: int


class Box(NamedTuple):
    """Limits of the compared region: (low, high) of learning rate and of weight decay (common scale)."""

    lr: tuple[float, float]
    weight_decay: tuple[float, float]


@dataclass(frozen=True)
class Contact:
    """How a basin meets the limits of its box: a clipped basin has no known width.

    Attributes:
        share: Share of the basin's area in cells at the box's edge, 0..1.
        sides: Where: "low lr", "high lr", "low weight decay", "high weight decay".
        optimum: Whether the best cell itself is at the edge, or at a weight decay of 0.
    """

    share: float
    sides: tuple[str, ...]
    optimum: bool


def common_box(landscapes: Iterable[Landscape]) -> Box | None:
    """Return the region that all landscapes cover up to their outer cell edges; None where there is none."""
    spans = []
    for landscape in landscapes:
        decay = landscape.weight_decay[landscape.positive]
        if len(landscape.lr) and len(decay):
            spans.append([*edges(landscape.lr)[[0, -1]], *edges(decay)[[0, -1]]])
    if not spans:
        return None
    low, high = np.max(spans, axis=0), np.min(spans, axis=0)
    box = Box((float(low[0]), float(high[1])), (float(low[2]), float(high[3])))
    return box if box.lr[0] < box.lr[1] and box.weight_decay[0] < box.weight_decay[1] else None


def cell_weights(landscape: Landscape, box: Box | None = None) -> NDArray[np.float64]:
    """Return (W, L) cell areas in decades^2.

    (log10 right - log10 left)(log10 top - log10 bottom) between the cell's true edges, clipped to `box`.
    0 for a weight decay of 0.
    """
    weights = np.zeros(landscape.mean.shape)
    decay = landscape.weight_decay[landscape.positive]
    if len(decay) and len(landscape.lr):
        limits = box or Box((0.0, np.inf), (0.0, np.inf))
        widths = [
            np.diff(np.log10(np.clip(edges(axis), *limit)))
            for axis, limit in ((decay, limits.weight_decay), (landscape.lr, limits.lr))
        ]
        weights[landscape.positive] = np.outer(*widths)
    return weights


def measured(landscape: Landscape) -> NDArray[np.bool_]:
    """Return (W, L): cells with a result, diverged ones included."""
    return np.asarray(np.isfinite(landscape.mean) & (landscape.seeds > 0))


def trained(landscape: Landscape) -> NDArray[np.bool_]:
    """Return (W, L): measured cells in which at least one seed did not diverge."""
    return np.asarray(measured(landscape) & (landscape.status != Status.DIVERGED))


def best_cell(landscape: Landscape) -> Cell | None:
    """Return argmin of the mean over trained cells, a weight decay of 0 included; None without one.

    Of a landscape of the validation error it is the cell to choose; of one of the test error it is the least
    error there is, which is biased by the choice. Ties go to the least weight decay, then learning rate.
    """
    cells = trained(landscape)
    if not cells.any():
        return None
    place = int(np.argmin(np.where(cells, landscape.mean, np.inf)))
    return Cell(*divmod(place, landscape.mean.shape[1]))


def depth(landscape: Landscape) -> float:
    """Return e* = min over the landscape of e, in the metric's unit; NaN without a trained cell."""
    cell = best_cell(landscape)
    return float("nan") if cell is None else float(landscape.mean[cell])


def basin(landscape: Landscape, delta: float, reference: float | None = None) -> NDArray[np.bool_]:
    """Return (W, L): cells with e <= e_ref + delta.

    Args:
        landscape: The map.
        delta: Points of error.
        reference: e_ref; None means the landscape's own best ("relative"), the best among all that are
            compared makes it "absolute".

    Source: the paper's "wider basin"; relative and absolute as two answers to what it is measured against.
    """
    limit = (depth(landscape) if reference is None else reference) + delta + ROUNDING
    return trained(landscape) & (np.nan_to_num(landscape.mean, nan=np.inf) <= limit)


def basin_area(landscape: Landscape, delta: float, reference: float | None = None, box: Box | None = None) -> float:
    """Return A(delta) = sum of cell weights over the basin, in decades^2."""
    return float(cell_weights(landscape, box)[basin(landscape, delta, reference)].sum())


def _share(landscape: Landscape, cells: NDArray[np.bool_], box: Box | None) -> float:
    weights = cell_weights(landscape, box)
    total = float(weights[measured(landscape)].sum())
    return float(weights[cells].sum()) / total if total else float("nan")


def basin_share(landscape: Landscape, delta: float, reference: float | None = None, box: Box | None = None) -> float:
    """Return A(delta) over the area of the box's measured cells, 0..1; NaN where nothing is measured."""
    return _share(landscape, basin(landscape, delta, reference), box)


def failure_share(landscape: Landscape, box: Box | None = None) -> float:
    """Return the share of the measured area that diverged: sum of w(h) diverged(h) / sum of w(h), 0..1.

    A cell counts by its share of diverged seeds. Source: Google's deep learning tuning playbook.
    """
    weights = np.where(measured(landscape), cell_weights(landscape, box), 0.0)
    total = float(weights.sum())
    return float((weights * np.nan_to_num(landscape.diverged)).sum()) / total if total else float("nan")


def box_contact(landscape: Landscape, delta: float, reference: float | None = None, box: Box | None = None) -> Contact:
    """Return how the basin within `delta` meets the edge of the box.

    Share = area of basin cells in the outermost rows and columns / area of the basin.
    Source: Google's deep learning tuning playbook (an optimum at the edge asks for a wider box).
    """
    weights, cells = cell_weights(landscape, box), basin(landscape, delta, reference)
    rows, columns = np.flatnonzero(weights.any(axis=1)), np.flatnonzero(weights.any(axis=0))
    best = best_cell(landscape)
    if not len(rows):
        return Contact(float("nan"), (), best is not None)
    masks = {name: np.zeros(cells.shape, dtype=bool) for name in
             ("low lr", "high lr", "low weight decay", "high weight decay")}  # fmt: skip
    masks["low lr"][:, columns[0]] = masks["high lr"][:, columns[-1]] = True
    masks["low weight decay"][rows[0]] = masks["high weight decay"][rows[-1]] = True
    border = np.any(list(masks.values()), axis=0)
    area = float(weights[cells].sum())
    share = float(weights[cells & border].sum()) / area if area else float("nan")
    sides = tuple(name for name, mask in masks.items() if weights[cells & mask].any())
    on_edge = best is not None and (bool(border[best]) or not weights[best])
    return Contact(share, sides, on_edge)
