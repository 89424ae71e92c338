"""Where panels stand: the same axes for a wide page, where they are side by side, and for a narrow one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analysis.figures.base.theme import AXIS, FONT, GRID, INK

STRIP = 22
STRIP_GAP = 7


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Pixels of a page of panels; `gap` is the share of the width between two columns."""

    width: int
    columns: int
    panel: int
    title: int
    axis: int
    left: int
    right: int
    top: int
    bottom: int
    gap: float


@dataclass(frozen=True, kw_only=True)
class PanelPlace:
    """One panel's domains on the page (shares of the plotting area); `strip` is None without one."""

    x: tuple[float, float]
    y: tuple[float, float]
    strip: tuple[float, float] | None
    column: int
    last_in_column: bool


def places(count: int, sizes: Sizes, strip: bool) -> tuple[list[PanelPlace], int]:
    """Return each panel's place and the page's height in pixels."""
    columns = min(sizes.columns, max(count, 1))
    rows = -(-max(count, 1) // columns)
    below = STRIP + STRIP_GAP if strip else 0
    row_height = sizes.title + sizes.panel + below + sizes.axis
    # The last row's axis labels stand in the bottom margin.
    area = rows * row_height - sizes.axis
    width = (1 - sizes.gap * (columns - 1)) / columns
    found = []
    for i in range(count):
        row, column = divmod(i, columns)
        left = column * (width + sizes.gap)
        top = row * row_height + sizes.title
        bottom = top + sizes.panel
        x = (left, min(1.0, left + width))
        y = _span(top, bottom, area)
        under = _span(bottom + STRIP_GAP, bottom + below, area) if strip else None
        found.append(PanelPlace(x=x, y=y, strip=under, column=column, last_in_column=i + columns >= count))
    return found, area + sizes.top + sizes.bottom + sizes.axis


def _span(start: float, end: float, area: float) -> tuple[float, float]:
    """Return the share of `area` between two distances from its top, as Plotly counts: from the bottom."""
    return max(0.0, 1 - end / area), 1 - start / area


def base(sizes: Sizes, height: int, **more: Any) -> dict[str, Any]:
    """Return the layout that every figure starts from, in the light look."""
    return {
        "template": "none",
        "width": None,
        "height": height,
        "margin": {
            "l": sizes.left,
            "r": sizes.right,
            "t": sizes.top,
            "b": sizes.bottom + sizes.axis,
            "pad": 0,
        },
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13, "color": INK["light"]},
        "hoverlabel": {"font": {"family": FONT, "size": 13}, "align": "left"},
        "hovermode": "closest",
        "dragmode": "zoom",
        **more,
    }


def axis(**more: Any) -> dict[str, Any]:
    """Return an axis in the light look; `title` may lack a font."""
    if more.get("title"):
        more["title"] = {"font": {"size": 13}, **more["title"]}
    return {
        "gridcolor": GRID["light"],
        "linecolor": AXIS["light"],
        "tickcolor": AXIS["light"],
        "ticks": "outside",
        "ticklen": 4,
        "zeroline": False,
        "showline": True,
        "automargin": False,
        "tickfont": {"size": 12},
        **more,
    }


def names(panel: int, *, strip: bool = False) -> tuple[str, str]:
    """Return the trace references ("x2", "y3") of a panel, or of the strip under it."""
    y = 2 * panel + (2 if strip else 1)
    return _reference("x", panel + 1), _reference("y", y)


def key(reference: str) -> str:
    """Return the layout key of a trace reference: "x2" -> "xaxis2"."""
    return f"{reference[0]}axis{reference[1:]}"


def _reference(letter: str, count: int) -> str:
    return letter if count == 1 else f"{letter}{count}"


def title(text: str, place: PanelPlace) -> dict[str, Any]:
    """Return the annotation that heads a panel; `text` is Plotly markup."""
    return {
        "text": text,
        "x": place.x[0],
        "y": place.y[1],
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": 6,
        "align": "left",
        "showarrow": False,
        "font": {"size": 13},
    }
