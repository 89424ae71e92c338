"""Panels of lines with bands, one color an optimizer: what slices and curves share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from analysis.figures.layout import Sizes, axis, base, key, names, places, title
from analysis.figures.theme import DASHES, LINES, SYMBOLS, Drawing, color, decade_ticks, faded, finite, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

WIDE = Sizes(1180, 2, 300, 52, 46, left=56, right=12, top=30, bottom=8, gap=0.07)
NARROW = Sizes(390, 1, 230, 52, 46, left=48, right=8, top=30, bottom=8, gap=0.0)


@dataclass(frozen=True, eq=False)
class Line:
    """One optimizer's line: y (n,) at x (n,), a band from `low` to `high`, a text a point; NaN breaks it."""

    label: str
    number: int
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    texts: list[str]
    markers: bool = False
    crossed: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Panel:
    """What is drawn against what; `unit` is said of the y axis, `x_axis` adds to the x axis (type, ticks)."""

    title: str
    unit: str
    x_title: str
    lines: Sequence[Line]
    x_axis: dict[str, Any] = field(default_factory=dict)


def draw(panels: Sequence[Panel], caption: str) -> Drawing:
    """Return the panels side by side, one legend for all of them."""
    shown: set[str] = set()
    traces = []
    for i, panel in enumerate(panels):
        for line in panel.lines:
            traces += _traces(line, names(i), legend=line.label not in shown)
            shown.add(line.label)
    wide, narrow = (_layout(panels, page) for page in (WIDE, NARROW))
    return Drawing(go.Figure(traces, wide), go.Layout(narrow), caption)


def _traces(line: Line, axes: tuple[str, str], *, legend: bool) -> list[Any]:
    on = {"xaxis": axes[0], "yaxis": axes[1], "legendgroup": plain(line.label), "name": plain(line.label)}
    ink = color(line.number)
    traces: list[Any] = []
    for part in _unbroken(line):
        around = np.concatenate([line.x[part], line.x[part][::-1]])
        limits = np.concatenate([line.high[part], line.low[part][::-1]])
        traces.append(
            go.Scatter(
                x=around,
                y=limits,
                mode="lines",
                line={"width": 0},
                fill="toself",
                fillcolor=faded(ink, 0.16),
                hoverinfo="skip",
                showlegend=False,
                **on,
            )
        )
    symbol = SYMBOLS[line.number % len(SYMBOLS)]
    symbols = [symbol] * len(line.x) if line.crossed is None else np.where(line.crossed, "x", symbol).tolist()
    traces.append(
        go.Scatter(
            x=line.x,
            y=line.y,
            mode="lines+markers" if line.markers or len(line.x) == 1 else "lines",
            showlegend=legend,
            line={"color": ink, "width": 2, "dash": DASHES[line.number // len(LINES) % len(DASHES)]},
            marker={"color": ink, "size": 6, "symbol": symbols},
            text=line.texts,
            hovertemplate="<b>%{fullData.name}</b><br>%{text}<extra></extra>",
            **on,
        )
    )
    return traces


def _unbroken(line: Line) -> list[slice]:
    """Return the stretches of at least two points over which the band has a width."""
    known = np.isfinite(line.low) & np.isfinite(line.high)
    steps = np.diff(np.concatenate([[0], known.astype(int), [0]]))
    stretches = zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), strict=True)
    return [slice(a, b) for a, b in stretches if b - a > 1 and (line.high[a:b] > line.low[a:b]).any()]


def _layout(panels: Sequence[Panel], page: Sizes) -> dict[str, Any]:
    spots, height = places(len(panels), page, strip=False)
    # Names at the left of the top margin, above the first panel's title.
    legend = {
        "orientation": "h",
        "x": 0,
        "xanchor": "left",
        "y": 1,
        "yref": "container",
        "yanchor": "top",
        "bgcolor": "rgba(0,0,0,0)",
        "font": {"size": 13},
    }
    made = base(page, height, legend=legend, showlegend=True)
    for i, (panel, place) in enumerate(zip(panels, spots, strict=True)):
        x, y = names(i)
        made[key(x)] = axis(domain=place.x, anchor=y, title={"text": panel.x_title, "standoff": 6}, **panel.x_axis)
        made[key(y)] = axis(domain=place.y, anchor=x, showline=False, **_y(panel.lines))
    heads = [f"<b>{plain(panel.title)}</b><br>{plain(panel.unit)}" for panel in panels]
    made["annotations"] = [title(head, place) for head, place in zip(heads, spots, strict=True)]
    return made


def _y(lines: Sequence[Line]) -> dict[str, Any]:
    """Return a log axis where positive values span more than a decade, else a linear one from 0."""
    values = finite(np.concatenate([np.zeros(0), *(part for line in lines for part in (line.y, line.low, line.high))]))
    if len(values) and values.min() > 0 and values.max() > 10 * values.min():
        low, high = float(values.min()) / 1.15, float(values.max()) * 1.15
        ticks, texts = decade_ticks(low, high, fine=True)
        return {
            "type": "log",
            "range": [float(np.log10(v)) for v in (low, high)],
            "tickvals": ticks,
            "ticktext": texts,
        }
    return {"rangemode": "tozero"}
