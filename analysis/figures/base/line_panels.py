"""Panels of lines with bands, one color an optimizer: what slices and curves share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from analysis.figures.base.layout import Sizes, axis, base, key, names, places, title
from analysis.figures.base.theme import SYMBOLS, Drawing, color, dash, faded, fine_ticks, finite, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LEGEND_ROW = 20
WIDE = Sizes(width=1180, columns=2, panel=300, title=52, axis=46, left=56, right=12, top=30, bottom=8, gap=0.07)
NARROW = Sizes(width=390, columns=1, panel=230, title=52, axis=46, left=48, right=14, top=30, bottom=8, gap=0.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Polyline:
    """One optimizer's line: y (n,) at x (n,), a band from `low` to `high`, a text a point; NaN breaks it.

    `number` is the slot that gives the line its look (`analysis.landscapes.slots`).
    `ink`, `dash` and `width` stand in for that look. `steps`: y holds until the next x.
    `whiskers`: bars from `low` to `high` in place of the band. `joined`: whether a line joins the points.
    """

    label: str
    number: int
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    texts: list[str]
    markers: bool = False
    crossed: NDArray[np.bool_] | None = None
    ink: str | None = None
    dash: str | None = None
    width: float = 2.0
    steps: bool = False
    whiskers: bool = False
    joined: bool = True

    @property
    def color(self) -> str:
        """The line's color as a hex text."""
        return self.ink or color(self.number)


@dataclass(frozen=True, kw_only=True)
class Panel:
    """What is drawn against what; `unit` is said of the y axis, `x_axis` adds to the x axis (type, ticks).

    `y_axis` stands in for the y axis that the lines ask for; panels of one `scale` have one y axis.
    """

    title: str
    unit: str
    x_title: str
    lines: Sequence[Polyline]
    x_axis: dict[str, Any] = field(default_factory=dict)
    y_axis: dict[str, Any] = field(default_factory=dict)
    scale: str | None = None


def draw(panels: Sequence[Panel], caption: str, columns: int = 2) -> Drawing:
    """Return the panels side by side in `columns`, one legend for all of them."""
    shown: dict[str, None] = {}
    traces = []
    for i, panel in enumerate(panels):
        for line in panel.lines:
            traces += _traces(line, names(i), legend=line.label not in shown)
            shown[line.label] = None
    names_shown = list(shown)
    wide, narrow = (
        _layout(panels, with_legend(page, names_shown)) for page in (replace(WIDE, columns=columns), NARROW)
    )
    return Drawing(go.Figure(traces, wide), go.Layout(narrow), caption)


def with_legend(page: Sizes, labels: Sequence[str]) -> Sizes:
    """Return the page with a top margin that holds the legend's rows; widths of texts are estimated."""
    room, rows, used = page.width - page.left - page.right, 1, 0.0
    for label in labels:
        width = 50 + 7.2 * len(label)
        rows, used = (rows + 1, width) if used and used + width > room else (rows, used + width)
    return replace(page, top=page.top + LEGEND_ROW * (rows - 1))


def _traces(line: Polyline, axes: tuple[str, str], *, legend: bool) -> list[Any]:
    # As dicts: a figure makes its own traces of them, and would check those of objects a second time.
    on = {"xaxis": axes[0], "yaxis": axes[1], "legendgroup": plain(line.label), "name": plain(line.label)}
    traces: list[Any] = [] if line.whiskers else [_band(line, part, on) for part in _unbroken(line)]
    symbol = SYMBOLS[line.number % len(SYMBOLS)]
    symbols = symbol if line.crossed is None else np.where(line.crossed, "x", symbol).tolist()
    sizes = 6 if line.crossed is None else np.where(line.crossed, 9, 6).tolist()
    kind = "lines+markers" if line.markers or len(line.x) == 1 else "lines"
    more: dict[str, Any] = {}
    if line.whiskers:
        bars = {"array": line.high - line.y, "arrayminus": line.y - line.low, "symmetric": False}
        more["error_y"] = {"type": "data", "color": line.color, "thickness": 1.2, "width": 3, **bars}
    traces.append(
        dict(
            x=line.x,
            y=line.y,
            mode=kind if line.joined else "markers",
            showlegend=legend,
            line={
                "color": line.color,
                "width": line.width,
                "dash": line.dash or dash(line.number),
                "shape": "hv" if line.steps else "linear",
            },
            marker={"color": line.color, "size": sizes, "symbol": symbols},
            text=line.texts,
            hovertemplate="<b>%{fullData.name}</b><br>%{text}<extra></extra>",
            **on,
            **more,
        )
    )
    return traces


def _band(line: Polyline, part: slice, on: dict[str, Any]) -> Any:
    x, low, high = line.x[part], line.low[part], line.high[part]
    if line.steps:
        x, low, high = np.repeat(x, 2)[1:], np.repeat(low, 2)[:-1], np.repeat(high, 2)[:-1]
    return dict(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=faded(line.color, 0.16),
        hoverinfo="skip",
        showlegend=False,
        **on,
    )


def _unbroken(line: Polyline) -> list[slice]:
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
        made[key(y)] = axis(domain=place.y, anchor=x, showline=False, **(panel.y_axis or _y(_together(panels, panel))))
    heads = [f"<b>{plain(panel.title)}</b><br>{plain(panel.unit)}" for panel in panels]
    made["annotations"] = [title(head, place) for head, place in zip(heads, spots, strict=True)]
    return made


def _together(panels: Sequence[Panel], panel: Panel) -> list[Polyline]:
    return [
        line
        for other in panels
        if other is panel or (panel.scale and other.scale == panel.scale)
        for line in other.lines
    ]


def _y(lines: Sequence[Polyline]) -> dict[str, Any]:
    values = np.concatenate([np.zeros(0), *(part for line in lines for part in (line.y, line.low, line.high))])
    return log_axis(values) or {"rangemode": "tozero"}


def log_axis(values: NDArray[np.float64], room: float = 1.15) -> dict[str, Any]:
    """Return a log axis where positive values span more than a decade; {} where a linear one serves.

    `room`: factor beyond the least and the greatest value.
    """
    values = finite(values)
    if not len(values) or values.min() <= 0 or values.max() <= 10 * values.min():
        return {}
    low, high = float(values.min()) / room, float(values.max()) * room
    ticks, texts = fine_ticks(low, high)
    limits = [float(np.log10(v)) for v in (low, high)]
    return {"type": "log", "range": limits, "tickvals": ticks, "ticktext": texts}
