"""The landscapes side by side: test error over learning rate and weight decay, measured cells only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from analysis.figures.base.color_scale import map_colors
from analysis.figures.base.metrics import DEFAULT, Look
from analysis.figures.base.panels import Frame, layout
from analysis.figures.base.theme import Drawing, plain
from analysis.figures.maps.heatmap_cells import PATTERN_WORDS, blocks, ring, traces
from analysis.formats import percent, points, seed_counts, short
from analysis.landscapes.basin import Mark, basin, basin_share, best_cell, common_box, depth, has_result
from analysis.landscapes.landscape import edges

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analysis.figures.base.color_scale import Colors
    from analysis.landscapes.basin import Box
    from analysis.landscapes.landscape import Landscape


TITLE = 44
"""Letters that fit over a map."""
UNKNOWN = "not run yet, or not recorded"


@dataclass(frozen=True)
class _Map:
    """One map: what is shown of its cells, and the test error that says where basin and ring are."""

    shown: Landscape
    error: Landscape
    mark: Mark | None


def basins(
    landscapes: Mapping[str, Landscape],
    delta: float = 1.0,
    marks: Mapping[str, Mark] | None = None,
    look: Look | None = None,
    shown: Mapping[str, Landscape] | None = None,
) -> Drawing:
    """Return one heatmap per optimizer, side by side.

    Args:
        landscapes: Maps of the test error in percent, by label; at least one.
        delta: The basin's outline encloses the cells within `delta` points of the ringed cell's error.
        marks: The ringed cell of each map and its error; without them, the cell of least test error.
        look: What is shown of the cells, at the same delta; without it, their mean test error.
        shown: Maps of that, with the same cells; without them `landscapes`.
    """
    look = replace(look or DEFAULT, delta=delta)
    maps = [
        _Map(shown=(shown or landscapes)[name], error=one, mark=_least(one) if marks is None else marks.get(one.label))
        for name, one in landscapes.items()
    ]
    values = [one.shown for one in maps]
    colors = map_colors(values, look)
    drawn = [trace for i, one in enumerate(maps) for trace in _panel(i, one, colors, look)]
    box = common_box(landscapes.values())
    titles, frame = [_title(one, look, box) for one in maps], _frame(values, look)
    wide, narrow = (layout(titles, frame, colors, narrow=is_narrow, unit=look.unit) for is_narrow in (False, True))
    caption = _caption(values, colors, look, chosen=marks is not None)
    return Drawing(go.Figure(drawn, wide), go.Layout(narrow), caption)


def _least(landscape: Landscape) -> Mark | None:
    cell = best_cell(landscape)
    return None if cell is None else Mark(cell, depth(landscape))


def _frame(maps: list[Landscape], look: Look) -> Frame:
    lr = np.concatenate([edges(m.lr)[[0, -1]] for m in maps])
    own = [_limits(look.decay(m)[m.positive]) for m in maps]
    ends = [one for one in own if one]
    limits = (float(np.min(ends)), float(np.max(ends))) if ends else None
    common = Frame(
        lr=(float(lr.min()), float(lr.max())),
        weight_decay=limits,
        zero=any(m.zero for m in maps),
        decay_title=look.decay_title,
    )
    return replace(common, own=tuple(own)) if look.native else common


def _limits(decay: NDArray[np.float64]) -> tuple[float, float] | None:
    if not len(decay):
        return None
    low, high = edges(decay)[[0, -1]].tolist()
    return low, high


def _title(one: _Map, look: Look, box: Box | None) -> str:
    landscape, mark = one.error, one.mark
    if mark is None:
        words = "no cell has learnt" if has_result(landscape).any() else "no cell has trained yet"
    else:
        share = basin_share(landscape, look.delta, mark.error, box)
        of_map, of_error = (" of the map", "") if look.default else ("", " test error")
        basin_words = f" · basin {percent(share)}{of_map}" if np.isfinite(share) else ""
        words = f"ringed{of_error} {mark.error:.2f} %{basin_words}"
    if look.default:
        return f"<b>{plain(short(landscape.label))}</b><br>{words}"
    room = max(12, TITLE - len(look.brief))
    return f"<b>{plain(short(landscape.label, room))}</b> · {plain(look.brief)}<br>{words}"


def _panel(panel: int, one: _Map, colors: Colors, look: Look) -> list[Any]:
    """Return the traces of one map and of the strip under it."""
    mark = one.mark
    inside = basin(one.error, look.delta, mark.error) if mark else np.zeros(one.error.mean.shape, dtype=bool)
    drawn = [trace for block in blocks(panel, one.shown, look) for trace in traces(block, colors, inside, look)]
    return drawn if mark is None else drawn + ring(panel, one.shown, mark.cell, look)


def _caption(maps: list[Landscape], colors: Colors, look: Look, *, chosen: bool) -> str:
    counts = [int(c) for m in maps for c in np.unique(m.seeds[has_result(m)])]
    how = "chosen on data that do not score it" if chosen else "of least test error"
    strip = "The strip below each map is weight decay 0, which a log axis cannot hold. "
    what = f"{look.what[0].upper()}{look.what[1:]}"
    over = f" over {seed_counts(counts)}" if look.seed is None else ""
    ring_words = f"Red ring: the cell {how}. Black outline: the basin, cells within {points(look.delta)} of its error. "
    if not look.default:
        ring_words += "Both are those of the mean test error over all seeds. "
    blank = "not run yet" if look.default else "not run yet, or fewer than two seeds" if look.spread else UNKNOWN
    return (
        f"{what} of each measured cell{over}; nothing is interpolated. {ring_words}"
        f"{PATTERN_WORDS} Blank: {blank}; ?: failed. "
        f"{native_words(look)}{lost_words(look)}{strip if any(m.zero for m in maps) else ''}{colors.words}"
    )


def native_words(look: Look) -> str:
    """Return what is said of an axis of each optimizer's own weight decay; "" for the common scale."""
    return "Weight decay is what each optimizer was given, each map on its own axis. " if look.native else ""


def lost_words(look: Look) -> str:
    """Return how diverged runs count in what is shown."""
    if look.metric.kind == "error":
        return "A diverged run has no error and counts with that of chance. "
    return f"A diverged run has no {look.metric.name} and is left out. "
