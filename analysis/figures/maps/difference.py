"""The difference of two landscapes: where which optimizer has the lower error, seed by seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import plotly.graph_objects as go

from analysis.conventions import LEVEL
from analysis.figures.base.color_scale import Scale
from analysis.figures.base.diverging_scale import Diverging
from analysis.figures.base.layout import names
from analysis.figures.base.metrics import TEST_ERROR
from analysis.figures.base.outline import path
from analysis.figures.base.panels import Frame, layout
from analysis.figures.base.theme import Drawing, finite, plain
from analysis.figures.maps.heatmap_cells import HATCH, SILENT
from analysis.formats import number, seed_counts, short
from analysis.landscapes.landscape import edges
from analysis.statistics.confidence_interval import t_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analysis.figures.base.metrics import Metric
    from analysis.statistics.confidence_interval import MeanInterval

    Floats = NDArray[np.float64]

HOVER = (
    "learning rate %{customdata[0]}<br>weight decay %{customdata[1]}<br>%{customdata[2]}<br>%{customdata[3]}<br>"
    "<b>difference %{customdata[4]}</b><br>%{customdata[5]}<extra></extra>"
)


class Seeds(Protocol):
    """The landscapes of one optimizer, a seed each; see `analysis.landscapes.by_seed.Replicates`."""

    @property
    def label(self) -> str:
        """The optimizer."""

    @property
    def lr(self) -> Floats:
        """(L,) ascending."""

    @property
    def weight_decay(self) -> Floats:
        """(W,) ascending; may start with 0."""

    @property
    def values(self) -> Mapping[str, Floats]:
        """Column -> (S, W, L); NaN where a run is missing or failed."""

    @property
    def lost(self) -> Floats:
        """(S, W, L) 1 where the run has learnt nothing, 0 where it has, NaN where it is missing or failed."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """Two optimizers on common axes: errors (S, W, L) and their difference.

    `lost` (W, L): no seed of one of them has learnt. `whole`: every seed of both has.
    """

    names: tuple[str, str]
    lr: Floats
    weight_decay: Floats
    errors: tuple[Floats, Floats]
    found: MeanInterval
    lost: NDArray[np.bool_]
    whole: NDArray[np.bool_]

    @property
    def marked(self) -> NDArray[np.bool_]:
        """(W, L): cells whose interval excludes 0, and whose seeds differ at all."""
        excludes = (self.found.low > 0) | (self.found.high < 0)
        return np.asarray(excludes & self.found.spread & ~self.lost)


def difference(a: Seeds, b: Seeds, metric: Metric = TEST_ERROR) -> Drawing:
    """Return the map of the mean paired difference a - b over learning rate and weight decay.

    Args:
        a: Landscapes of the first optimizer, in percent.
        b: Those of the second, with the same seeds.
        metric: What to compare: an error, in percent.

    Raises:
        ValueError: The two have no learning rate or no weight decay in common.
    """
    pair = _pair(a, b, metric.column)
    colors = Diverging.of(finite(np.where(pair.whole, pair.found.mean, np.nan)))
    zero = len(pair.weight_decay) > 0 and pair.weight_decay[0] == 0
    traces = []
    positive = slice(int(zero), None)
    if len(pair.weight_decay[positive]):
        axis = pair.weight_decay[positive]
        traces += _traces(pair, positive, (edges(axis), axis), colors, names(0))
    if zero:
        strip = (np.array([0.0, 1.0]), np.array([0.5]))
        traces += _traces(pair, slice(0, 1), strip, colors, names(0, strip=True))
    wide, narrow = (_layout(pair, colors, metric, zero=bool(zero), narrow=small) for small in (False, True))
    return Drawing(go.Figure(traces, wide), go.Layout(narrow), _caption(pair, colors, metric, zero=bool(zero)))


def _pair(a: Seeds, b: Seeds, metric: str) -> Pair:
    lr, *columns = np.intersect1d(a.lr, b.lr, return_indices=True)
    decay, *rows = np.intersect1d(a.weight_decay, b.weight_decay, return_indices=True)
    if not len(lr) or not len(decay):
        raise ValueError(f"{a.label} and {b.label} have no cell in common")
    cut = [(slice(None), row[:, None], column[None, :]) for row, column in zip(rows, columns, strict=True)]
    errors = (a.values[metric][cut[0]], b.values[metric][cut[1]])
    gone = [one.lost[where] for one, where in zip((a, b), cut, strict=True)]
    lost = [(part == 1).any(axis=0) & ~(part == 0).any(axis=0) for part in gone]
    found = t_interval(errors[0] - errors[1], LEVEL)
    whole = ~((gone[0] == 1) | (gone[1] == 1)).any(axis=0)
    return Pair(
        names=(a.label, b.label),
        lr=lr,
        weight_decay=decay,
        errors=errors,
        found=found,
        lost=(lost[0] | lost[1]) & (found.seeds > 0),
        whole=whole,
    )


def _traces(pair: Pair, rows: slice, y: tuple[Floats, Floats], colors: Diverging, axes: tuple[str, str]) -> list[Any]:
    """Return the traces of some rows, which have edges and heights on the `y` axis."""
    on, (y_edges, heights) = {"xaxis": axes[0], "yaxis": axes[1]}, y
    x, lost = edges(pair.lr), pair.lost[rows]
    traces: list[Any] = [
        go.Heatmap(
            x=x,
            y=y_edges,
            z=colors(np.where(pair.lost, 0.0, pair.found.mean)[rows]),
            coloraxis="coloraxis",
            customdata=_texts(pair, rows),
            meta=_meta(pair, rows),
            hovertemplate=HOVER,
            hoverongaps=False,
            name="difference",
            **on,
        )
    ]
    if lost.any():
        outline = dict(zip("xy", path(lost, x, y_edges), strict=True))
        look = {"line": {"width": 0}, "fill": "toself", "fillpattern": HATCH, "name": "learnt nothing"}
        traces.append(go.Scatter(**outline, **look, **SILENT, **on))
    row, column = np.nonzero(pair.marked[rows])
    if len(row):
        # A dot lies on the map: it looks the same in the light and in the dark.
        marker = {"symbol": "circle", "size": 7, "color": "#111111", "line": {"color": "#ffffff", "width": 1.5}}
        place = {"x": pair.lr[column], "y": heights[row], "mode": "markers", "marker": marker}
        traces.append(go.Scatter(**place, hoverinfo="skip", name="excludes 0", **on))
    return traces


def _meta(pair: Pair, rows: slice) -> dict[str, Any]:
    """Return what leads from a point's [row, column] to its cell."""
    a, b = (plain(name) for name in pair.names)
    return {"label": a, "against": b, "lr": pair.lr.tolist(), "weight_decay": pair.weight_decay[rows].tolist()}


def _texts(pair: Pair, rows: slice) -> NDArray[np.object_]:
    """Return what the pointer shows of each cell: (rows, L, 6) texts."""
    table = [
        [_words(pair, row, column) for column in range(len(pair.lr))]
        for row in range(*rows.indices(len(pair.weight_decay)))
    ]
    return np.array(table, dtype=object).reshape(-1, len(pair.lr), 6)


def _words(pair: Pair, row: int, column: int) -> list[str]:
    """Return what the pointer shows of a cell: its place, both errors, their difference, its interval and seeds."""
    found, place = pair.found, (row, column)
    means = []
    for name, errors in zip(pair.names, pair.errors, strict=True):
        both = np.isfinite(errors[:, row, column]) & np.isfinite(pair.errors[0] - pair.errors[1])[:, row, column]
        words = f"{errors[both, row, column].mean():.2f} %" if both.any() else "unknown"
        means.append(f"{plain(name)} {words}")
    seeds, low, high = int(found.seeds[place]), found.low[place], found.high[place]
    runs = seed_counts([seeds])
    if pair.lost[place]:
        runs += ", no seed of one has learnt"
    elif seeds < 2:
        runs += ", no interval"
    elif not found.spread[place]:
        runs += ", all alike"
    else:
        runs = f"{100 * LEVEL:g} % interval {low:+.2f} to {high:+.2f}, {runs}"
    return [number(pair.lr[column]), number(pair.weight_decay[row]), *means, f"{found.mean[place]:+.2f}", runs]


def _layout(pair: Pair, colors: Diverging, metric: Metric, *, zero: bool, narrow: bool) -> dict[str, Any]:
    lr, positive = edges(pair.lr)[[0, -1]], pair.weight_decay[pair.weight_decay > 0]
    limits = edges(positive)[[0, -1]] if len(positive) else None
    span = None if limits is None else (float(limits[0]), float(limits[1]))
    a, b = (plain(short(name, 16 if narrow else 30)) for name in pair.names)
    counted = int((pair.found.spread & ~pair.lost).sum())
    what = "" if metric == TEST_ERROR else f"{metric.name}, "
    words = f"{what}{100 * LEVEL:g} % interval excludes 0 in {int(pair.marked.sum())} of {counted} cells"
    title = f"<b>{a} minus {b}</b><br>{words}"
    made = layout(
        [title],
        Frame(lr=(float(lr[0]), float(lr[1])), weight_decay=span, zero=zero),
        Scale(best=0.0, worst=1.0, delta=1.0),
        narrow=narrow,
    )
    bar = made["coloraxis"]["colorbar"]
    heading = "difference, points" if narrow else "points<br>of error<br>&nbsp;"
    made["coloraxis"] = colors.axis({**bar, "title": {**bar["title"], "text": heading}})
    return made


def _caption(pair: Pair, colors: Diverging, metric: Metric, *, zero: bool) -> str:
    a, b = pair.names
    counts = pair.found.seeds[pair.found.seeds > 0].tolist()
    if max(counts, default=0) > 1:
        dots = (
            f"Dots: the cell’s {100 * LEVEL:g} % Student-t interval of the paired difference excludes 0; a cell whose "
            "seeds show no spread is never marked. Where there is no difference at all, about 5 % of the cells would "
            "be marked by chance alone."
        )
    else:
        dots = "One seed: there are no intervals, and no cell is marked."
    strip = " The strip below the map is weight decay 0, which a log axis cannot hold." if zero else ""
    return (
        f"Mean of the {metric.name} of {a} minus that of {b}, seed by seed, over {seed_counts(counts)}. "
        f"Below 0 (blue): {a} has the lower error; above 0 (orange): {b} has. {dots} Hatched: no seed of one of "
        f"them has learnt (diverged, or no better than chance). Blank: not run yet, or failed.{strip} {colors.words}"
    )
