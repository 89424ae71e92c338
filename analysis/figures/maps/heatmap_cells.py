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
    lost = _outline(block, landscape.status == Status.DIVERGED)
    if lost:
        hatched = {"line": {"width": 0}, "fill": "toself", "fillpattern": HATCH, "name": "diverged"}
        drawn.append(go.Scatter(**lost, **hatched, **SILENT, **block.axes))
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
    """Return crosses on cells in which some seeds diverged, question marks on those that failed."""
    landscape, drawn = block.landscape, []
    for status, text, ink in ((Status.PARTLY_DIVERGED, "×", "#ffffff"), (Status.FAILED, "?", "#8a8a8a")):
        row, column = np.nonzero(landscape.status[block.rows] == status)
        if not len(row):
            continue
        place: dict[str, Any] = {"x": landscape.lr[column], "y": block.heights[row], **block.axes}
        place |= {"mode": "text", "text": [text] * len(row), "textfont": {"color": ink, "size": 14}}
        if status == Status.FAILED:
            counts = landscape.failed[block.rows][row, column].tolist()
            words = [f"<b>{plain(landscape.label)}</b><br>{plural(n, 'run')} failed" for n in counts]
            meta = {"label": plain(landscape.label), "cells": _cells(block, row, column)}
            drawn.append(go.Scatter(**place, hovertext=words, hoverinfo="text", name="failed", meta=meta))
        else:
            drawn.append(go.Scatter(**place, hoverinfo="skip", name="partly diverged"))
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
        grids = (landscape.mean, landscape.std, landscape.seeds, landscape.diverged, landscape.failed)
        cells = zip(rates, *(grid[row].tolist() for grid in grids), strict=True)
        table.append([[label, rate, *decay, *cell_words(*values, look=look)] for rate, *values in cells])
    return np.array(table, dtype=object).reshape(-1, len(rates), 6)


def cell_words(
    mean: float, std: float, seeds: int, diverged: float, failed: int, *, look: Look = DEFAULT
) -> tuple[str, str]:
    """Return what is said of one cell: its error, or what `look` shows, and its runs.

    Args:
        mean: In the metric's unit.
        std: Likewise; NaN with one seed.
        seeds: Runs behind the mean.
        diverged: Their share that diverged, 0..1; NaN without a run.
        failed: Runs without a result.
        look: Whose metric it is.
    """
    return look.said(mean, std), _runs_words(seeds, round(seeds * diverged) if seeds else 0, failed)


@lru_cache(maxsize=4096)
def _runs_words(seeds: int, lost: int, failed: int) -> str:
    runs = [seed_counts([seeds])]
    runs += [f"{lost} diverged"] if lost else []
    runs += [f"{failed} failed"] if failed else []
    return ", ".join(runs)
