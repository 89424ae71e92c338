"""Landscapes of a study whose cells a search chose: points over an interpolated surface, labelled so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from analysis.figures.base.color_scale import colors_of
from analysis.figures.base.layout import names
from analysis.figures.base.metrics import DEFAULT, Look
from analysis.figures.base.panels import Frame, layout
from analysis.figures.base.theme import Drawing, plain
from analysis.figures.maps.heatmap_cells import HOVER, cell_words, ring_at
from analysis.figures.maps.heatmaps import TITLE, lost_words, native_words
from analysis.formats import number, plural, seed_counts, short
from analysis.landscapes.sampled import interpolated_map

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from analysis.figures.base.color_scale import Colors

LOST = {"size": 8, "symbol": "x", "color": "#7d8590", "line": {"color": "#ffffff", "width": 1}}
KINDS = {"": None, "diverged": LOST, "no better than chance": LOST | {"symbol": "circle-open", "color": "#7d8590"}}
"""How points are drawn whose seeds have all learnt nothing, by why."""


@dataclass(frozen=True, eq=False)
class _Points:
    """The cells of one optimizer, the ringed one among them, and how they are shown.

    `cells` has the columns of `analysis.landscapes.sampled.samples`, `value`, what is colored, and `height`, where it
    stands.
    """

    label: str
    cells: pd.DataFrame
    ringed: tuple[float, float] | None
    colors: Colors
    look: Look


def sampled_basins(
    cells: pd.DataFrame,
    delta: float = 1.0,
    look: Look | None = None,
    ringed: Mapping[str, tuple[float, float]] | None = None,
) -> Drawing:
    """Return one map per optimizer: cells as points, an interpolated surface under them.

    Args:
        cells: The table of `analysis.landscapes.sampled.samples`.
        delta: Points of error at which the color scale goes from linear to logarithmic.
        look: What the table holds and how it is shown, at the same delta; without it, test errors.
        ringed: label -> learning rate and weight decay of the ringed cell; without it, the one of least mean.
    """
    look = replace(look or DEFAULT, delta=delta)
    cells = cells.assign(
        value=cells["std" if look.spread else "mean"],
        height=cells["weight_decay_native" if look.native else "weight_decay"],
    )
    parts = {str(name): part for name, part in cells.groupby("label", observed=True, sort=True)}
    known = cells[(cells["lost"] < 1) & cells["value"].notna()]
    whole = known[known["lost"] == 0]
    colors = colors_of(known["value"].to_numpy(dtype=float), whole["value"].to_numpy(dtype=float), look)
    rings = {name: _least(part) if ringed is None else ringed.get(name) for name, part in parts.items()}
    panels = [_Points(label, part, rings[label], colors, look) for label, part in parts.items()]
    traces = [trace for i, panel in enumerate(panels) for trace in _panel(i, panel)]
    titles, frame = [_title(panel) for panel in panels], _frame(cells, list(parts.values()), look)
    wide, narrow = (layout(titles, frame, colors, narrow=small, unit=look.unit) for small in (False, True))
    return Drawing(go.Figure(traces, wide), go.Layout(narrow), _caption(cells, colors, look))


def _least(cells: pd.DataFrame) -> tuple[float, float] | None:
    """Return the cell of least mean of those that trained."""
    means = cells.loc[cells["lost"] < 1, "mean"].dropna()
    if not len(means):
        return None
    best = cells.loc[[means.idxmin()]]
    return float(best["lr"].iloc[0]), float(best["weight_decay"].iloc[0])


def _limits(values: pd.Series) -> tuple[float, float] | None:
    if not len(values):
        return None
    logs = np.log10(values.to_numpy(dtype=np.float64))
    room = max(0.04 * float(np.ptp(logs)), 0.1)
    return float(10 ** (logs.min() - room)), float(10 ** (logs.max() + room))


def _frame(cells: pd.DataFrame, parts: list[pd.DataFrame], look: Look) -> Frame:
    positive = cells.loc[cells["height"] > 0, "height"]
    lr = _limits(cells["lr"]) or (0.1, 1.0)
    common = Frame(lr=lr, weight_decay=_limits(positive), zero=len(positive) < len(cells), decay_title=look.decay_title)
    own = tuple(_limits(part.loc[part["height"] > 0, "height"]) for part in parts)
    return replace(common, own=own) if look.native else common


def _title(panel: _Points) -> str:
    cells, look = panel.cells, panel.look
    best = cells.loc[cells["lost"] < 1, "value"].min()
    least = f"least {look.metric.written(best)} · " if np.isfinite(best) else ""
    words = f"{least}{plural(len(cells), 'cell')}, interpolated"
    if look.default:
        return f"<b>{plain(short(panel.label))}</b><br>{words}"
    room = max(12, TITLE - len(look.brief))
    return f"<b>{plain(short(panel.label, room))}</b> · {plain(look.brief)}<br>{words}"


def _panel(i: int, panel: _Points) -> list[Any]:
    x, y = names(i)
    traces: list[Any] = []
    cells = panel.cells
    between = interpolated_map(cells.assign(mean=cells["value"], weight_decay=cells["height"]))
    if between is not None:
        shade = {"coloraxis": "coloraxis", "opacity": 0.6, "hoverinfo": "skip", "name": "interpolated"}
        z = panel.colors(between.values).astype(np.float32)
        traces.append(go.Heatmap(x=between.lr, y=between.weight_decay, z=z, xaxis=x, yaxis=y, **shade))
    cells = cells[cells["value"].notna() | (cells["diverged"] == 1)]
    why = np.select([cells["diverged"] == 1, cells["lost"] == 1], list(KINDS)[1:], "")
    for strip in (False, True):
        for kind in KINDS:
            some = ((cells["weight_decay"] == 0) == strip) & (why == kind)
            if some.any():
                traces.append(_points(names(i, strip=strip), replace(panel, cells=cells[some]), kind))
    return traces + _ring(i, panel) if panel.look.interpolated else traces


def _marker(panel: _Points) -> dict[str, Any]:
    """Return points in the map's colors; the best one is ringed, but for a grid's, of which there are too many."""
    color = {"color": panel.colors(panel.cells["value"].to_numpy(dtype=float)), "coloraxis": "coloraxis"}
    if panel.look.interpolated:
        return {"size": 9, "line": {"color": "#111111", "width": 1.0}, "opacity": 1, **color}
    lr, decay = panel.ringed or (np.nan, np.nan)
    best = ((panel.cells["lr"] == lr) & (panel.cells["weight_decay"] == decay)).to_numpy()
    line = {
        "color": np.where(best, "#c1121f", "#111111").tolist(),
        "width": np.where(best, 3.0, 1.0).tolist(),
    }
    size = np.where(best, 13, 9).tolist()
    look = {"size": size, "line": line, "opacity": 1}
    return {**look, **color}


def _ring(i: int, panel: _Points) -> list[Any]:
    """Return the ring around the ringed cell, as on a map of measured cells."""
    lr, decay = panel.ringed or (np.nan, np.nan)
    best = panel.cells[(panel.cells["lr"] == lr) & (panel.cells["weight_decay"] == decay)].head(1)
    if not len(best):
        return []
    height = float(best["height"].iloc[0]) if decay > 0 else 0.5
    return ring_at((lr, height), names(i, strip=decay == 0))


def _points(axes: tuple[str, str], panel: _Points, kind: str) -> go.Scatter:
    cells, label = panel.cells, plain(panel.label)
    identity = cells[["lr", "weight_decay", "weight_decay_native"]].to_numpy().tolist()
    outcome = (cells[column].tolist() for column in ("mean", "std", "seeds", "diverged", "at_chance", "failed"))
    said = zip(identity, *outcome, strict=True)
    texts = [[label, *map(number, place), *cell_words(values, look=panel.look)] for place, *values in said]
    return go.Scatter(
        x=cells["lr"].to_numpy(),
        y=np.where(cells["weight_decay"] > 0, cells["height"], 0.5),
        mode="markers",
        marker=KINDS[kind] or _marker(panel),
        customdata=np.array(texts, dtype=object),
        meta={"label": label, "cells": cells[["lr", "weight_decay"]].to_numpy().tolist()},
        hovertemplate=HOVER,
        name=kind or label,
        cliponaxis=False,
        xaxis=axes[0],
        yaxis=axes[1],
    )


def _caption(cells: pd.DataFrame, colors: Colors, look: Look) -> str:
    over = f" over {seed_counts(cells['seeds'])}" if look.seed is None else ""
    how = "the cell of least test error" if look.default else "the cell of least mean test error over all seeds"
    crowd = "Where a search chose, points crowd, and their share says nothing of the basin’s area. "
    if look.interpolated:
        how, crowd = "the cell chosen on data that do not score it", ""
    return (
        f"Points: the cells that were tried, {look.what}{over}. The paler "
        "surface between them is interpolated (linearly, in log space), not measured, and ends where the "
        f"points do. Red ring: {how}; gray crosses: every seed diverged; gray circles: no seed was better than chance. "
        f"{crowd}{native_words(look)}{lost_words(look)}{colors.words}"
    )
