"""What the figures share: colors that the color-blind can tell apart, number formats, light and dark."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from analysis.formats import number

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from numpy.typing import NDArray

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

# Okabe & Ito's palette without black, which a dark page swallows, and yellow, weak on white; then six that lie as far
# from these and from each other as can be seen with any kind of color vision, on white and on a dark page.
LINES = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00",
    "#A53C69", "#A53CFF", "#875A2D", "#96C396", "#9687FF", "#D200C3",
)  # fmt: skip
DASHES = ("solid", "dash", "dot", "dashdot")
DASHED = 6
"""The colors of one dash: the second six are told apart by that too."""
SYMBOLS = (
    "circle", "square", "diamond", "triangle-up", "triangle-down", "pentagon",
    "hexagon", "star", "triangle-left", "triangle-right", "star-square", "bowtie",
)  # fmt: skip

MAP = "Viridis_r"
"""Perceptually uniform for all kinds of color vision; reversed, so that low error is the bright end."""

INK = {"light": "#1d2733", "dark": "#e4e9ef"}
GRID = {"light": "#e3e7ec", "dark": "#2d3742"}
AXIS = {"light": "#8b97a5", "dark": "#6b7886"}
PAPER = {"light": "#ffffff", "dark": "#161c23"}


@dataclass(frozen=True)
class Drawing:
    """A figure with the words that belong under it.

    Attributes:
        figure: Laid out for about 1100 pixels.
        narrow: The same figure's layout for a telephone: traces keep their axes, the panels are stacked.
        caption: What is drawn, how many seeds, what the bands are. Plain text.
        rendered_width: Width in pixels that suits a static picture.
    """

    figure: go.Figure
    narrow: go.Layout
    caption: str
    rendered_width: int = field(default=1180)


def color(slot: int) -> str:
    """Return the line color of an optimizer's slot."""
    return LINES[slot % len(LINES)]


def dash(slot: int) -> str:
    """Return the dash of an optimizer's slot."""
    return DASHES[slot // DASHED % len(DASHES)]


def faded(hex_color: str, alpha: float) -> str:
    """Return a hex color as an rgba() text with opacity `alpha`."""
    red, green, blue = (int(hex_color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def plain(text: str) -> str:
    """Return `text` such that Plotly shows it as it is: no markup, no template fields."""
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("%{", "%&#123;")):
        text = text.replace(sign, entity)
    return text


def decade_ticks(low: float, high: float, *, fine: bool = False) -> tuple[list[float], list[str]]:
    """Return tick positions in [low, high] and texts: decades, or 1-2-5 steps where there are few.

    Few is less than two; for an axis to read values off (`fine`), less than three.
    """
    span = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    decades = [tick for power in span if low <= (tick := float(f"1e{power}")) <= high]
    if len(decades) >= (3 if fine else 2):
        return decades, [f"10<sup>{round(np.log10(tick))}</sup>" for tick in decades]
    steps = [float(f"{m}e{power}") for power in span for m in (1, 2, 5)]
    ticks = [tick for tick in steps if low <= tick <= high]
    return ticks, [number(tick) for tick in ticks]


def fine_ticks(low: float, high: float, most: int = 8) -> tuple[list[float], list[str]]:
    """Return 1-2-5 steps in [low, high] where these are few enough to read values off, else as `decade_ticks`."""
    span = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [tick for power in span for m in (1, 2, 5) if low <= (tick := float(f"{m}e{power}")) <= high]
    return (ticks, [number(tick) for tick in ticks]) if 1 < len(ticks) <= most else decade_ticks(low, high, fine=True)


def finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the finite ones of `values`, flat."""
    return values[np.isfinite(values)]


def hexadecimal(rgb: tuple[float, float, float]) -> str:
    """Return a color of three shares 0..1 as a hex text."""
    return "#" + "".join(f"{round(255 * part):02x}" for part in rgb)
