"""Landscapes of a study whose cells a search chose: points over an interpolated surface, labelled so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from analysis.figures.cells import HOVER, cell_words
from analysis.figures.layout import names
from analysis.figures.panels import Frame, layout
from analysis.figures.scale import scale_of
from analysis.figures.theme import Drawing, number, plain, plural, seed_counts, short
from analysis.samples import surface

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from analysis.figures.scale import Scale

LOST = {"size": 8, "symbol": "x", "color": "#7d8590", "line": {"color": "#ffffff", "width": 1}}


def sampled_basins(cells: pd.DataFrame, delta: float = 1.0) -> Drawing:
    """Return one map per optimizer: cells as points, an interpolated surface under them.

    Args:
        cells: The table of `analysis.samples.samples`.
        delta: Points of error at which the color scale goes from linear to logarithmic.
    """
    parts = {str(name): part for name, part in cells.groupby("label", observed=True, sort=True)}
    known = cells[(cells["diverged"] < 1) & cells["mean"].notna()]
    whole = known[known["diverged"] == 0]
    colors = scale_of(known["mean"].to_numpy(), whole["mean"].to_numpy(), delta)
    traces = [trace for i, (label, part) in enumerate(parts.items()) for trace in _panel(i, label, part, colors)]
    frame = _frame(cells)
    titles = [_title(label, part) for label, part in parts.items()]
    wide, narrow = (layout(titles, frame, colors, narrow=is_narrow) for is_narrow in (False, True))
    return Drawing(go.Figure(traces, wide), go.Layout(narrow), _caption(cells, colors))


def _frame(cells: pd.DataFrame) -> Frame:
    def limits(values: pd.Series) -> tuple[float, float]:
        logs = np.log10(values.to_numpy(dtype=np.float64))
        room = max(0.04 * float(np.ptp(logs)), 0.1)
        return float(10 ** (logs.min() - room)), float(10 ** (logs.max() + room))

    positive = cells.loc[cells["weight_decay"] > 0, "weight_decay"]
    return Frame(limits(cells["lr"]), limits(positive) if len(positive) else None, len(positive) < len(cells))


def _title(label: str, cells: pd.DataFrame) -> str:
    best = cells.loc[cells["diverged"] < 1, "mean"].min()
    least = f"least {best:.2f} % · " if np.isfinite(best) else ""
    return f"<b>{plain(short(label))}</b><br>{least}{plural(len(cells), 'cell')}, interpolated"


def _panel(i: int, label: str, cells: pd.DataFrame, colors: Scale) -> list[Any]:
    x, y = names(i)
    traces: list[Any] = []
    between = surface(cells)
    if between is not None:
        shade = {"coloraxis": "coloraxis", "opacity": 0.6, "hoverinfo": "skip", "name": "interpolated"}
        z = colors(between.values).astype(np.float32)
        traces.append(go.Heatmap(x=between.lr, y=between.weight_decay, z=z, xaxis=x, yaxis=y, **shade))
    cells = cells[cells["mean"].notna()]
    trained = cells[cells["diverged"] < 1]
    best = np.zeros(len(cells), dtype=bool)
    if len(trained):
        best = cells.index == trained["mean"].idxmin()
    for strip in (False, True):
        for lost in (False, True):
            some = ((cells["weight_decay"] == 0) == strip) & ((cells["diverged"] == 1) == lost)
            if some.any():
                marker = LOST if lost else _marker(cells[some], best[some.to_numpy()], colors)
                traces.append(_points(names(i, strip=strip), label, cells[some], marker))
    return traces


def _marker(cells: pd.DataFrame, best: NDArray[np.bool_], colors: Scale) -> dict[str, Any]:
    """Return points in the map's colors; the best one is ringed."""
    line = {
        "color": np.where(best, "#c1121f", "#111111").tolist(),
        "width": np.where(best, 3.0, 1.0).tolist(),
    }
    size = np.where(best, 13, 9).tolist()
    look = {"size": size, "line": line, "opacity": 1}
    return {**look, "color": colors(cells["mean"].to_numpy()), "coloraxis": "coloraxis"}


def _points(axes: tuple[str, str], label: str, cells: pd.DataFrame, marker: dict[str, Any]) -> go.Scatter:
    identity = cells[["lr", "weight_decay", "weight_decay_native"]].to_numpy().tolist()
    outcome = (cells[column].tolist() for column in ("mean", "std", "seeds", "diverged", "failed"))
    said = zip(identity, *outcome, strict=True)
    return go.Scatter(
        x=cells["lr"].to_numpy(),
        y=np.where(cells["weight_decay"] > 0, cells["weight_decay"], 0.5),
        mode="markers",
        marker=marker,
        customdata=[[plain(label), *map(number, place), *cell_words(*values)] for place, *values in said],
        hovertemplate=HOVER,
        name="diverged" if marker is LOST else plain(label),
        cliponaxis=False,
        xaxis=axes[0],
        yaxis=axes[1],
    )


def _caption(cells: pd.DataFrame, colors: Scale) -> str:
    return (
        f"Points: the cells that were tried, mean test error over {seed_counts(cells['seeds'])}. The paler "
        "surface between them is interpolated (linearly, in log space), not measured, and ends where the "
        "points do. Red ring: the cell of least test error; gray crosses: every seed diverged. Where a search chose, "
        f"points crowd, and their share says nothing of the basin’s area. {colors.words}"
    )
