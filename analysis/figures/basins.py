"""The landscapes side by side: test error over learning rate and weight decay, measured cells only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from analysis.basin import basin, basin_share, best_cell, common_box, depth, measured
from analysis.figures.cells import blocks, ring, traces
from analysis.figures.panels import Frame, layout
from analysis.figures.scale import scale
from analysis.figures.theme import Drawing, percent, plain, points, seed_counts, short
from analysis.landscape import edges

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.figures.scale import Scale
    from analysis.landscape import Landscape


def basins(landscapes: Mapping[str, Landscape], delta: float = 1.0) -> Drawing:
    """Return one heatmap per optimizer, side by side.

    Args:
        landscapes: Maps of the test error in percent, by label; at least one.
        delta: The basin's outline encloses the cells within `delta` points of the optimizer's own best.
    """
    maps = list(landscapes.values())
    colors = scale(maps, delta)
    drawn = [trace for i, one in enumerate(maps) for trace in _panel(i, one, colors, delta)]
    box = common_box(maps)
    titles = [_title(one, basin_share(one, delta, box=box)) for one in maps]
    wide, narrow = (layout(titles, _frame(maps), colors, narrow=is_narrow) for is_narrow in (False, True))
    return Drawing(go.Figure(drawn, wide), go.Layout(narrow), _caption(maps, colors, delta))


def _frame(maps: list[Landscape]) -> Frame:
    lr = np.concatenate([edges(m.lr)[[0, -1]] for m in maps])
    positive = [decay for m in maps if len(decay := m.weight_decay[m.positive])]
    ends = [edges(axis)[[0, -1]] for axis in positive]
    limits = (float(np.min(ends)), float(np.max(ends))) if ends else None
    return Frame((float(lr.min()), float(lr.max())), limits, any(m.zero for m in maps))


def _title(landscape: Landscape, share: float) -> str:
    best = depth(landscape)
    if np.isnan(best):
        words = "every cell diverged" if measured(landscape).any() else "no cell has trained yet"
    else:
        words = f"least {best:.2f} %" + (f" · basin {percent(share)} of the map" if np.isfinite(share) else "")
    return f"<b>{plain(short(landscape.label))}</b><br>{words}"


def _panel(panel: int, landscape: Landscape, colors: Scale, delta: float) -> list[Any]:
    """Return the traces of one map and of the strip under it."""
    inside, best = basin(landscape, delta), best_cell(landscape)
    drawn = [trace for block in blocks(panel, landscape) for trace in traces(block, colors, inside)]
    return drawn if best is None else drawn + ring(panel, landscape, best)


def _caption(maps: list[Landscape], colors: Scale, delta: float) -> str:
    counts = [int(c) for m in maps for c in np.unique(m.seeds[measured(m)])]
    strip = "The strip below each map is weight decay 0, which a log axis cannot hold. "
    return (
        f"Mean test error of each measured cell over {seed_counts(counts)}; nothing is interpolated. "
        f"Black outline: the basin, cells within {points(delta)} of the optimizer’s own best. "
        "Red ring: its best cell. Hatched: every seed diverged; ×: some did. Blank: not run yet; ?: failed. "
        f"{strip if any(m.zero for m in maps) else ''}{colors.words}"
    )
