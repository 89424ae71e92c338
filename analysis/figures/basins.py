"""The landscapes side by side: test error over learning rate and weight decay, measured cells only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from analysis.basin import Mark, basin, basin_share, best_cell, common_box, depth, measured
from analysis.figures.cells import blocks, ring, traces
from analysis.figures.panels import Frame, layout
from analysis.figures.scale import scale
from analysis.figures.theme import Drawing, percent, plain, points, seed_counts, short
from analysis.landscape import edges

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.basin import Box
    from analysis.figures.scale import Scale
    from analysis.landscape import Landscape


def basins(landscapes: Mapping[str, Landscape], delta: float = 1.0, marks: Mapping[str, Mark] | None = None) -> Drawing:
    """Return one heatmap per optimizer, side by side.

    Args:
        landscapes: Maps of the test error in percent, by label; at least one.
        delta: The basin's outline encloses the cells within `delta` points of the ringed cell's error.
        marks: The ringed cell of each map and its error; without them, the cell of least test error.
    """
    maps = list(landscapes.values())
    ringed = [marks.get(one.label) for one in maps] if marks is not None else [_least(one) for one in maps]
    colors = scale(maps, delta)
    drawn = [
        trace for i, pair in enumerate(zip(maps, ringed, strict=True)) for trace in _panel(i, *pair, colors, delta)
    ]
    box = common_box(maps)
    titles = [_title(one, mark, delta, box) for one, mark in zip(maps, ringed, strict=True)]
    wide, narrow = (layout(titles, _frame(maps), colors, narrow=is_narrow) for is_narrow in (False, True))
    caption = _caption(maps, colors, delta, chosen=marks is not None)
    return Drawing(go.Figure(drawn, wide), go.Layout(narrow), caption)


def _least(landscape: Landscape) -> Mark | None:
    cell = best_cell(landscape)
    return None if cell is None else Mark(cell, depth(landscape))


def _frame(maps: list[Landscape]) -> Frame:
    lr = np.concatenate([edges(m.lr)[[0, -1]] for m in maps])
    positive = [decay for m in maps if len(decay := m.weight_decay[m.positive])]
    ends = [edges(axis)[[0, -1]] for axis in positive]
    limits = (float(np.min(ends)), float(np.max(ends))) if ends else None
    return Frame((float(lr.min()), float(lr.max())), limits, any(m.zero for m in maps))


def _title(landscape: Landscape, mark: Mark | None, delta: float, box: Box | None) -> str:
    if mark is None:
        words = "every cell diverged" if measured(landscape).any() else "no cell has trained yet"
    else:
        share = basin_share(landscape, delta, mark.error, box)
        basin_words = f" · basin {percent(share)} of the map" if np.isfinite(share) else ""
        words = f"ringed {mark.error:.2f} %{basin_words}"
    return f"<b>{plain(short(landscape.label))}</b><br>{words}"


def _panel(panel: int, landscape: Landscape, mark: Mark | None, colors: Scale, delta: float) -> list[Any]:
    """Return the traces of one map and of the strip under it."""
    inside = basin(landscape, delta, mark.error) if mark else np.zeros(landscape.mean.shape, dtype=bool)
    drawn = [trace for block in blocks(panel, landscape) for trace in traces(block, colors, inside)]
    return drawn if mark is None else drawn + ring(panel, landscape, mark.cell)


def _caption(maps: list[Landscape], colors: Scale, delta: float, *, chosen: bool) -> str:
    counts = [int(c) for m in maps for c in np.unique(m.seeds[measured(m)])]
    how = "chosen on data that do not score it" if chosen else "of least test error"
    strip = "The strip below each map is weight decay 0, which a log axis cannot hold. "
    return (
        f"Mean test error of each measured cell over {seed_counts(counts)}; nothing is interpolated. "
        f"Red ring: the cell {how}. Black outline: the basin, cells within {points(delta)} of its error. "
        "Hatched: every seed diverged; ×: some did. Blank: not run yet; ?: failed. "
        f"{strip if any(m.zero for m in maps) else ''}{colors.words}"
    )
