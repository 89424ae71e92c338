"""The page of maps of measured and of sampled studies: one per optimizer, over a strip for weight decay 0."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from analysis.figures.base.layout import Sizes, axis, base, key, names, places, title
from analysis.figures.base.theme import decade_ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.figures.base.color_scale import Colors
    from analysis.figures.base.layout import PanelPlace

UNIT = "test error, %"
OWN_GAP = 0.055
"""Room between maps whose axes all have labels."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The common limits of all maps, and whether there is a strip under them.

    `own`: limits of each map's weight decay axis, where the maps do not share one.
    """

    lr: tuple[float, float]
    weight_decay: tuple[float, float] | None
    zero: bool
    decay_title: str = "weight decay λ, common scale"
    own: tuple[tuple[float, float] | None, ...] = ()

    def decay(self, panel: int) -> tuple[float, float] | None:
        """Return the limits of a map's weight decay axis."""
        return self.own[panel] if self.own else self.weight_decay


def sizes(count: int, *, narrow: bool) -> Sizes:
    """Return the pixels of a page of `count` maps."""
    if narrow:
        return Sizes(width=390, columns=1, panel=250, title=54, axis=40, left=58, right=10, top=4, bottom=88, gap=0.0)
    columns = count if count <= 4 else 3 if count in {5, 6, 9} else 4
    return Sizes(
        width=1180,
        columns=columns,
        panel={1: 380, 2: 360}.get(columns, 310),
        title=54,
        axis=46,
        left=70,
        right=84,
        top=4,
        bottom=8,
        gap=0.035,
    )


def layout(titles: Sequence[str], frame: Frame, colors: Colors, *, narrow: bool, unit: str = UNIT) -> dict[str, Any]:
    """Return the layout of the page; `titles` is Plotly markup, one per map, `unit` what the color bar says."""
    page = sizes(len(titles), narrow=narrow)
    if frame.own and not narrow:
        page = replace(page, gap=OWN_GAP)
    spots, height = places(len(titles), page, frame.zero)
    made: dict[str, Any] = base(page, height, showlegend=False)
    ticks, texts = decade_ticks(*frame.lr)
    for i, place in enumerate(spots):
        x, y = names(i)
        _, strip = names(i, strip=True)
        last = place.last_in_column
        made[key(x)] = axis(
            type="log",
            range=_range(frame.lr),
            domain=place.x,
            anchor=strip if frame.zero else y,
            showgrid=False,
            tickvals=ticks,
            ticktext=texts,
            title={"text": "learning rate", "standoff": 6} if last else None,
            matches=None if i == 0 else "x",
            showline=False,
        )
        made[key(y)] = _map_axis(frame, i, place, x)
        if place.strip:
            made[key(strip)] = axis(
                domain=place.strip,
                anchor=x,
                range=[0, 1],
                fixedrange=True,
                showgrid=False,
                showline=False,
                tickvals=[0.5],
                ticktext=["0"],
                showticklabels=place.column == 0,
                ticks="",
            )
    made["annotations"] = [title(text, place) for text, place in zip(titles, spots, strict=True)]
    made["coloraxis"] = colors.axis(**_colorbar(page, unit, narrow=narrow))
    return made


def _map_axis(frame: Frame, panel: int, place: PanelPlace, anchor: str) -> dict[str, Any]:
    limits, first_column = frame.decay(panel), place.column == 0
    if limits is None:
        return axis(domain=place.y, anchor=anchor, visible=False, range=[0, 1])
    ticks, texts = decade_ticks(*limits)
    return axis(
        type="log",
        range=_range(limits),
        domain=place.y,
        anchor=anchor,
        showgrid=False,
        showline=False,
        tickvals=ticks,
        ticktext=texts,
        showticklabels=first_column or bool(frame.own),
        matches=None if panel == 0 or frame.own else "y",
        title={"text": frame.decay_title, "standoff": 4} if first_column else None,
    )


def _range(limits: tuple[float, float]) -> list[float]:
    from math import log10

    return [log10(limits[0]), log10(limits[1])]


def _colorbar(page: Sizes, unit: str, *, narrow: bool) -> dict[str, Any]:
    if narrow:
        return {
            "orientation": "h",
            "x": 0.5,
            "xanchor": "center",
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "len": 0.96,
            "thickness": 12,
            "title": {"text": unit, "side": "top", "font": {"size": 13}},
            "tickfont": {"size": 12},
            "ypad": 4,
        }
    return {
        "x": 1.0,
        "xpad": 16,
        "len": page.panel + 30,
        "lenmode": "pixels",
        "y": 1,
        "yanchor": "top",
        "thickness": 14,
        "title": {"text": f"{unit.replace(' ', '<br>', 1)}<br>&nbsp;", "side": "top", "font": {"size": 13}},
        "tickfont": {"size": 12},
        "ypad": 12,
    }
