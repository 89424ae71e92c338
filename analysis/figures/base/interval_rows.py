"""The page of a forest plot: labels beside the intervals where there is room, above them where there is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.figures.base.layout import Sizes, axis, base, key, names
from analysis.figures.base.theme import AXIS, decade_ticks
from analysis.formats import number

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDE = Sizes(width=1180, columns=1, panel=0, title=34, axis=52, left=350, right=216, top=32, bottom=4, gap=0.0)
NARROW = Sizes(width=390, columns=1, panel=0, title=30, axis=52, left=14, right=14, top=32, bottom=4, gap=0.0)
PITCH = {False: 42, True: 58}
"""Pixels from row to row."""
ABOVE = {False: 0.5, True: 0.8}
"""Share of the pitch above an interval, which on a narrow page holds its label; the rest is below."""


@dataclass(frozen=True)
class Row:
    """A row's words, as Plotly markup: the claim, the two sides, the estimate in numbers."""

    claim: str
    sides: str
    numbers: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """The rows of one panel, of one unit, drawn at y = 0, -1, ... within `limits` of the x axis.

    `alone`: the rows compare one optimizer with 0. `line`: whether a vertical line stands at equality.
    """

    unit: str
    rows: Sequence[Row]
    limits: tuple[float, float]
    alone: bool = False
    line: bool = True

    @property
    def title(self) -> str:
        """What the x axis is called."""
        if self.unit == "ratio":
            return "ratio, A / B"
        return self.unit if self.alone else f"difference A − B, {self.unit}"


def layout(groups: Sequence[Group], *, narrow: bool) -> dict[str, Any]:
    """Return the layout of the panels, one under the other; it grows with the rows."""
    page, pitch = (NARROW if narrow else WIDE), PITCH[narrow]
    heights = [page.title + pitch * len(group.rows) + page.axis for group in groups]
    area = max(sum(heights) - page.axis, 60)
    legend = {"orientation": "h", "x": 0, "xanchor": "left", "xref": "container"}
    legend |= {"y": 1, "yref": "container", "yanchor": "top", "font": {"size": 13}, "bgcolor": "rgba(0,0,0,0)"}
    made = base(page, area + page.top + page.bottom + page.axis, legend=legend, showlegend=True)
    made["annotations"], made["shapes"] = [], []
    for i, group in enumerate(groups):
        top = sum(heights[:i]) + page.title
        domain = (max(0.0, 1 - (top + pitch * len(group.rows)) / area), 1 - top / area)
        x, y = names(i)
        made[key(x)] = axis(anchor=y, title={"text": group.title, "standoff": 6}, showgrid=not narrow, **_x(group))
        above = ABOVE[narrow]
        span = [-(len(group.rows) - 1) - (1 - above), above]
        made[key(y)] = axis(domain=domain, anchor=x, range=span, visible=False, fixedrange=True)
        made["shapes"] += [] if not group.line else _lines_of_equality(group, (x, y), span, narrow=narrow)
        made["annotations"] += _labels(group, (x, y), narrow=narrow)
    if not groups:
        words = {"text": "No claim has data yet.", "x": 0, "y": 0.5, "xref": "paper", "yref": "paper"}
        made["annotations"].append({**words, "showarrow": False, "xanchor": "left"})
        made |= {"xaxis": {"visible": False}, "yaxis": {"visible": False}}
    return made


def _lines_of_equality(
    group: Group, on: tuple[str, str], span: Sequence[float], *, narrow: bool
) -> list[dict[str, Any]]:
    """Return the vertical line at equality; on a narrow page in pieces, since labels stand between the rows."""
    at = 1.0 if group.unit == "ratio" else 0.0
    pieces = [(-place - 0.2, -place + 0.15) for place in range(len(group.rows))] if narrow else [(span[0], span[1])]
    look = {"type": "line", "layer": "below", "line": {"color": AXIS["light"], "width": 1.5}}
    return [{**look, "xref": on[0], "yref": on[1], "x0": at, "x1": at, "y0": low, "y1": high} for low, high in pieces]


def _x(group: Group) -> dict[str, Any]:
    low, high = group.limits
    if group.unit != "ratio":
        return {"range": [low, high], "nticks": 6}
    ticks, texts = decade_ticks(low, high, fine=True)
    if 1.0 not in ticks:
        ticks, texts = [1.0, *ticks], ["1", *texts]
    limits = [float(np.log10(low)), float(np.log10(high))]
    texts = [number(tick) for tick in ticks] if len(ticks) < 7 else texts
    return {"type": "log", "range": limits, "tickvals": ticks, "ticktext": texts}


def _labels(group: Group, on: tuple[str, str], *, narrow: bool) -> list[dict[str, Any]]:
    shared = {"showarrow": False, "align": "left", "xanchor": "left", "font": {"size": 12}}
    found = []
    for place, row in enumerate(group.rows):
        at = {**shared, "yref": on[1], "y": -float(place), "xref": "paper"}
        words = {**at, "text": f"<b>{row.claim}</b><br>{row.sides}", "x": 0}
        if narrow:
            found.append({**words, "yanchor": "bottom", "yshift": 6})
        else:
            found.append({**words, "xshift": 12 - WIDE.left})
            found.append({**at, "text": row.numbers, "x": 1, "xshift": 14})
    return found
