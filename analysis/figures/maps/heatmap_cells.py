"""The traces of one map: a heatmap between true cell edges, its marks, the basin's outline, the best cell."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from analysis.figures.base.layout import names
from analysis.figures.base.metrics import DEFAULT
from analysis.figures.base.outline import path
from analysis.figures.base.theme import plain
from analysis.formats import number, plural, seed_counts
from analysis.landscapes.landscape import Status, edges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analysis.figures.base.color_scale import Colors
    from analysis.figures.base.metrics import Look
    from analysis.landscapes.basin import Place
    from analysis.landscapes.landscape import Landscape

HOVER = (
    "<b>%{customdata[0]}</b><br>learning rate %{customdata[1]}<br>weight decay %{customdata[2]}<br>"
    "given to the optimizer %{customdata[3]}<br><b>%{customdata[4]}</b><br>%{customdata[5]}<extra></extra>"
)
# Marks lie on the map, not on the page: they look the same in the light and in the dark.
OUTLINE = (("#ffffff", 5.0), ("#111111", 2.0))
RING = (("#ffffff", 5.5), ("#c1121f", 2.5))
HATCH = {"shape": "/", "size": 6, "solidity": 0.25, "fgcolor": "#7d8590", "bgcolor": "#c3c8ce"}
PATTERNS = {
    Status.DIVERGED: ("diverged", HATCH),
    Status.AT_CHANCE: ("no better than chance", HATCH | {"shape": ".", "solidity": 0.3}),
}
"""How cells are covered in which no seed has learnt, and why."""
MARKS = {
    Status.PARTLY_DIVERGED: ("partly diverged", "×", "#ffffff"),
    Status.PARTLY_AT_CHANCE: ("partly no better than chance", "○", "#ffffff"),
    Status.FAILED: ("failed", "?", "#8a8a8a"),
}
"""Signs on cells in which some seeds have not learnt, or none has a result."""
PATTERN_WORDS = (
    "Hatched: every seed diverged (a loss that was not finite); dotted: no seed was better than chance; "
    "× and ○: some were so."
)
SILENT = {"hoverinfo": "skip", "mode": "lines"}


@dataclass(frozen=True, kw_only=True)
class Block:
    """Rows of a landscape that share axes: those of positive weight decay, or the strip of weight decay 0.

    `heights` (n,) and `y_edges` (n + 1,) place the rows on the y axis.
    """

    landscape: Landscape
    rows: slice
    axes: dict[str, str]
    heights: NDArray[np.float64]
    y_edges: NDArray[np.float64]


def blocks(panel: int, landscape: Landscape, look: Look = DEFAULT) -> list[Block]:
    """Return the map of a panel and, for weight decay 0, the strip under it; either may be absent."""
    found = []
    decay = look.decay(landscape)[landscape.positive]
    if len(decay):
        found.append(
            Block(
                landscape=landscape,
                rows=landscape.positive,
                axes=_axes(names(panel)),
                heights=decay,
                y_edges=edges(decay),
            )
        )
    if landscape.zero:
        axes = _axes(names(panel, strip=True))
        found.append(
            Block(
                landscape=landscape, rows=slice(0, 1), axes=axes, heights=np.array([0.5]), y_edges=np.array([0.0, 1.0])
            )
        )
    return found


def _axes(references: tuple[str, str]) -> dict[str, str]:
    return dict(zip(("xaxis", "yaxis"), references, strict=True))


def traces(block: Block, colors: Colors, inside: NDArray[np.bool_], look: Look = DEFAULT) -> list[Any]:
    """Return the heatmap of a block with its marks and the outline of the cells `inside` (W, L)."""
    landscape, rows = block.landscape, block.rows
    drawn: list[Any] = [
        go.Heatmap(
            x=edges(landscape.lr),
            y=block.y_edges,
            z=_heights(block, colors, look),
            coloraxis="coloraxis",
            customdata=_texts(landscape, rows, look),
            meta=_meta(block),
            hovertemplate=HOVER,
            hoverongaps=False,
            name=plain(landscape.label),
            **block.axes,
        )
    ]
    for status, (name, pattern) in PATTERNS.items():
        if lost := _outline(block, landscape.status == status):
            covered = {"line": {"width": 0}, "fill": "toself", "fillpattern": pattern, "name": name}
            drawn.append(go.Scatter(**lost, **covered, **SILENT, **block.axes))
    drawn += _marks(block)
    around = _outline(block, inside)
    for ink, width in OUTLINE if around else ():
        line = {"line": {"color": ink, "width": width}, "cliponaxis": False, "name": "basin"}
        drawn.append(go.Scatter(**around, **line, **SILENT, **block.axes))
    return drawn


def _heights(block: Block, colors: Colors, look: Look) -> NDArray[np.float64]:
    """Return the color coordinates; a cell without a value in which every seed diverged is there for the pointer."""
    z, lost = colors(look.values(block.landscape)[block.rows]), block.landscape.status[block.rows] == Status.DIVERGED
    return np.where(lost & np.isnan(z), colors(np.array(np.inf)), z)


def _meta(block: Block) -> dict[str, Any]:
    """Return what leads from a point's [row, column] to its cell: exact numbers on the common scale."""
    landscape = block.landscape
    decay = landscape.weight_decay[block.rows].tolist()
    return {"label": plain(landscape.label), "lr": landscape.lr.tolist(), "weight_decay": decay}


def _outline(block: Block, cells: NDArray[np.bool_]) -> dict[str, list[float | None]]:
    if not cells[block.rows].any():
        return {}
    return dict(zip("xy", path(cells[block.rows], edges(block.landscape.lr), block.y_edges), strict=True))


def _marks(block: Block) -> list[Any]:
    """Return the signs of `MARKS`."""
    landscape, drawn = block.landscape, []
    for status, (name, text, ink) in MARKS.items():
        row, column = np.nonzero(landscape.status[block.rows] == status)
        if not len(row):
            continue
        place: dict[str, Any] = {"x": landscape.lr[column], "y": block.heights[row], **block.axes}
        place |= {"mode": "text", "text": [text] * len(row), "textfont": {"color": ink, "size": 14}}
        if status == Status.FAILED:
            counts = landscape.failed[block.rows][row, column].tolist()
            words = [f"<b>{plain(landscape.label)}</b><br>{plural(n, 'run')} failed" for n in counts]
            meta = {"label": plain(landscape.label), "cells": _cells(block, row, column)}
            drawn.append(go.Scatter(**place, hovertext=words, hoverinfo="text", name=name, meta=meta))
        else:
            drawn.append(go.Scatter(**place, hoverinfo="skip", name=name))
    return drawn


def _cells(block: Block, row: NDArray[np.int64], column: NDArray[np.int64]) -> list[list[float]]:
    """Return [learning rate, weight decay on the common scale] of some cells of a block."""
    landscape = block.landscape
    decay = landscape.weight_decay[block.rows]
    return [[float(landscape.lr[j]), float(decay[i])] for i, j in zip(row, column, strict=True)]


def ring(panel: int, landscape: Landscape, best: Place, look: Look = DEFAULT) -> list[Any]:
    """Return the ring around a landscape's best cell."""
    strip = landscape.zero and best.row == 0
    height = 0.5 if strip else float(look.decay(landscape)[best.row])
    return ring_at((float(landscape.lr[best.column]), height), names(panel, strip=strip))


def ring_at(place: tuple[float, float], axes: tuple[str, str]) -> list[Any]:
    """Return a ring around a point, in data units, on some axes."""
    where: dict[str, Any] = {"x": [place[0]], "y": [place[1]], **_axes(axes)}
    rings = [{"symbol": "circle-open", "size": 15, "color": ink, "line": {"width": w}} for ink, w in RING]
    shared = {"mode": "markers", "hoverinfo": "skip", "name": "best", "cliponaxis": False}
    return [go.Scatter(**where, **shared, marker=marker) for marker in rings]


def _texts(landscape: Landscape, rows: slice, look: Look) -> NDArray[np.object_]:
    """Return what the pointer shows of each cell: (rows, L, 6) texts.

    As an array: Plotly checks nested lists item by item, which takes longer than making them.
    """
    label, rates = plain(landscape.label), [number(lr) for lr in landscape.lr]
    table = []
    for row in range(*rows.indices(len(landscape.weight_decay))):
        decay = [number(landscape.weight_decay[row]), number(landscape.weight_decay_native[row])]
        grids = outcome_grids(landscape)
        cells = zip(rates, *(grid[row].tolist() for grid in grids), strict=True)
        table.append([[label, rate, *decay, *cell_words(values, look=look)] for rate, *values in cells])
    return np.array(table, dtype=object).reshape(-1, len(rates), 6)


def outcome_grids(landscape: Landscape) -> tuple[NDArray[Any], ...]:
    """Return (W, L) arrays of what `cell_words` is told of each cell."""
    one = landscape
    return one.mean, one.std, one.seeds, one.diverged, one.at_chance, one.failed


def cell_words(outcome: Sequence[float], *, look: Look = DEFAULT) -> tuple[str, str]:
    """Return what is said of one cell: its error, or what `look` shows, and its runs.

    Args:
        outcome: Mean and standard deviation in the metric's unit (NaN with one seed), the runs behind them, the shares
            of these that diverged and that are no better than chance (0..1; NaN without a run), runs without a result.
        look: Whose metric it is.
    """
    mean, std, seeds, diverged, at_chance, failed = outcome
    lost = [round(seeds * share) if seeds else 0 for share in (diverged, at_chance)]
    return look.said(mean, std), runs_words(int(seeds), lost[0], lost[1], int(failed))


@lru_cache(maxsize=4096)
def runs_words(seeds: int, diverged: int, at_chance: int, failed: int = 0) -> str:
    """Return "3 seeds, 1 diverged, 1 no better than chance"."""
    runs = [seed_counts([seeds])]
    runs += [f"{diverged} diverged"] if diverged else []
    runs += [f"{at_chance} no better than chance"] if at_chance else []
    runs += [f"{failed} failed"] if failed else []
    return ", ".join(runs)
