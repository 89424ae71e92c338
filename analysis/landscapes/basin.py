"""Measures of a basin: pure functions of landscapes.

Every area is a sum of cell weights in log space, in decades^2, over one box for all optimizers. A weight
decay of 0 has no logarithm and is in no area. A cell in which no seed has learnt is in no basin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from analysis.conventions import ROUNDING
from analysis.landscapes.landscape import Status, edges
from robustness.results.best import first_least

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from analysis.landscapes.landscape import Landscape

    Floats = NDArray[np.float64]

LOW_DECAY = "low weight decay"
SIDES = ("low lr", "high lr", LOW_DECAY, "high weight decay")


class Gridded(Protocol):
    """What has a learning-rate axis (L,) and a weight-decay axis (W,), both ascending."""

    @property
    def lr(self) -> Floats:
        """Learning rates."""

    @property
    def weight_decay(self) -> Floats:
        """Weight decays on the common scale; may start with 0."""


class Place(NamedTuple):
    """A cell's place in a landscape's arrays."""

    row: int
    column: int


class Mark(NamedTuple):
    """The cell by which a landscape is judged, and its error in percent, e*."""

    cell: Place
    error: float


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


def common_box(landscapes: Iterable[Gridded]) -> Box | None:
    """Return the region that all landscapes cover up to their outer cell edges; None where there is none.

    An axis on which each has a single value, but not all the same one, does not narrow it: each is taken at its own.
    """
    spans, counts = [], []
    for landscape in landscapes:
        decay = landscape.weight_decay[landscape.weight_decay > 0]
        if len(landscape.lr) and len(decay):
            spans.append([*edges(landscape.lr)[[0, -1]], *edges(decay)[[0, -1]]])
            counts.append([len(landscape.lr) == 1, len(landscape.weight_decay) == 1])
    if not spans:
        return None
    low, high = np.max(spans, axis=0), np.min(spans, axis=0)
    for axis, single in enumerate(np.all(counts, axis=0)):
        if single and low[2 * axis] >= high[2 * axis + 1]:
            low[2 * axis], high[2 * axis + 1] = 0.0, np.inf
    box = Box((float(low[0]), float(high[1])), (float(low[2]), float(high[3])))
    return box if box.lr[0] < box.lr[1] and box.weight_decay[0] < box.weight_decay[1] else None


def axis_widths(axis: Floats, limits: tuple[float, float] = (0.0, np.inf)) -> Floats:
    """Return (n,) widths in decades of the cells around an ascending axis, clipped to `limits`; 0 for a value of 0."""
    widths = np.zeros(len(axis))
    positive = axis > 0
    if positive.any():
        widths[positive] = np.diff(np.log10(np.clip(edges(axis[positive]), *limits)))
    return widths


def cell_weights(landscape: Gridded, box: Box | None = None) -> Floats:
    """Return (W, L) cell areas in decades^2.

    (log10 right - log10 left)(log10 top - log10 bottom) between the cell's true edges, clipped to `box`.
    0 for a weight decay of 0.
    """
    limits = box or Box((0.0, np.inf), (0.0, np.inf))
    return np.outer(axis_widths(landscape.weight_decay, limits.weight_decay), axis_widths(landscape.lr, limits.lr))


def has_result(landscape: Landscape) -> NDArray[np.bool_]:
    """Return (W, L): cells with a result, diverged ones included."""
    return np.asarray(np.isfinite(landscape.mean) & (landscape.seeds > 0))


def trained(landscape: Landscape) -> NDArray[np.bool_]:
    """Return (W, L): measured cells in which at least one seed has learnt: not diverged, and better than chance."""
    return np.asarray(has_result(landscape) & ~np.isin(landscape.status, (Status.DIVERGED, Status.AT_CHANCE)))


def best_cell(landscape: Landscape) -> Place | None:
    """Return argmin of the mean over trained cells, a weight decay of 0 included; None without one.

    Of a landscape of the validation error it is the cell to choose; of one of the test error it is the least
    error there is, which is biased by the choice. Ties go to the least weight decay, then learning rate.
    """
    return least_of(landscape.mean, trained(landscape))


def least_of(errors: Floats, cells: NDArray[np.bool_]) -> Place | None:
    """Return the least of `errors` (W, L) among `cells` (W, L), ties to the least weight decay, then learning rate.

    None without a cell. Errors that differ by no more than `ROUNDING` tie.
    """
    if not cells.any():
        return None
    place = int(first_least(np.where(cells, errors, np.inf).ravel()))
    return Place(*divmod(place, errors.shape[1]))


def depth(landscape: Landscape) -> float:
    """Return e* = min over the landscape of e, in the metric's unit; NaN without a trained cell."""
    cell = best_cell(landscape)
    return float("nan") if cell is None else float(landscape.mean[cell])


def within(mean: Floats, limit: Floats | float, cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return (..., W, L): those of `cells` (W, L) with mean (..., W, L) <= limit (...), but for rounding."""
    least = np.asarray(limit, dtype=np.float64)[..., None, None] + ROUNDING
    # A mean that is not known, NaN, is no less than anything.
    return np.asarray(cells & (mean <= least))


def basin(landscape: Landscape, delta: float, reference: float | None = None) -> NDArray[np.bool_]:
    """Return (W, L): cells with e <= e_ref + delta.

    Args:
        landscape: The map.
        delta: Points of error.
        reference: e_ref; None means the landscape's own best ("relative"), the best among all that are
            compared makes it "absolute".

    Source: the paper's "wider basin"; relative and absolute as two answers to what it is measured against.
    """
    limit = (depth(landscape) if reference is None else reference) + delta
    return within(landscape.mean, limit, trained(landscape))


def basin_area(landscape: Landscape, delta: float, reference: float | None = None, box: Box | None = None) -> float:
    """Return A(delta) = sum of cell weights over the basin, in decades^2."""
    return float(cell_weights(landscape, box)[basin(landscape, delta, reference)].sum())


def _share(landscape: Landscape, cells: NDArray[np.bool_], box: Box | None) -> float:
    weights = cell_weights(landscape, box)
    total = float(weights[has_result(landscape)].sum())
    return float(weights[cells].sum()) / total if total else float("nan")


def basin_share(landscape: Landscape, delta: float, reference: float | None = None, box: Box | None = None) -> float:
    """Return A(delta) over the area of the box's measured cells, 0..1; NaN where nothing is measured."""
    return _share(landscape, basin(landscape, delta, reference), box)


def area_share(landscape: Landscape, shares: Floats, box: Box | None = None) -> float:
    """Return the mean of `shares` (W, L) over the measured area, sum of w(h) share(h) / sum of w(h); NaN without any.

    Of the seeds that diverged or are no better than chance it is the share of the box that learns nothing.
    Source: Google's deep learning tuning playbook.
    """
    weights = np.where(has_result(landscape), cell_weights(landscape, box), 0.0)
    total = float(weights.sum())
    return float((weights * np.nan_to_num(shares)).sum()) / total if total else float("nan")


def box_contact(landscape: Landscape, delta: float, reference: float | None = None, box: Box | None = None) -> Contact:
    """Return how the basin within `delta` meets the edge of the box; see `contact`."""
    return contact(basin(landscape, delta, reference), cell_weights(landscape, box), best_cell(landscape))


def contact(inside: NDArray[np.bool_], weights: Floats, optimum: Place | None) -> Contact:
    """Return how a basin meets the edge of the box.

    Share = area of basin cells in the outermost rows and columns / area of the basin.
    Source: Google's deep learning tuning playbook (an optimum at the edge asks for a wider box).

    Args:
        inside: (W, L) cells of the basin.
        weights: (W, L) cell areas within the box, decades^2.
        optimum: The best cell.
    """
    rows, columns = np.flatnonzero(weights.any(axis=1)), np.flatnonzero(weights.any(axis=0))
    if not len(rows):
        return Contact(float("nan"), (), optimum is not None)
    masks = {name: np.zeros(inside.shape, dtype=bool) for name in SIDES}
    # An axis of a single value has no edge: the study asks for that value.
    if inside.shape[1] > 1:
        masks["low lr"][:, columns[0]] = masks["high lr"][:, columns[-1]] = True
    if inside.shape[0] > 1:
        masks[LOW_DECAY][rows[0]] = masks["high weight decay"][rows[-1]] = True
    border = np.any(list(masks.values()), axis=0)
    area = float(weights[inside].sum())
    share = float(weights[inside & border].sum()) / area if area else float("nan")
    sides = tuple(name for name, mask in masks.items() if weights[inside & mask].any())
    on_edge = optimum is not None and (bool(border[optimum]) or not weights[optimum])
    return Contact(share, sides, on_edge)
