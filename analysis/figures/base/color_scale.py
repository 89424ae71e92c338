"""One color scale for all maps: errors by their distance from the best cell, others by their logarithm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.figures.base.theme import AXIS, MAP, fine_ticks
from analysis.landscapes.basin import trained

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from analysis.figures.base.metrics import Look
    from analysis.landscapes.landscape import Landscape

    Floats = NDArray[np.float64]

QUANTILE = 0.95
DECADES_OF_SPREAD = 3.0
"""A spread of nearly nothing, which is rounding, does not stretch the scale of spreads."""


@dataclass(frozen=True)
class Scale:
    """color(e) = log10(1 + (e - best) / delta), cut off at `worst`.

    Linear within delta of the best, logarithmic beyond: the basin's floor stays visible beside a plateau. `cut`:
    whether cells may lie beyond the end.
    """

    best: float
    worst: float
    delta: float
    cut: bool = True

    def __call__(self, error: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the color coordinate of errors, all in the metric's unit."""
        above = np.clip(error, self.best, self.worst) - self.best
        return np.asarray(np.log10(1 + above / self.delta))

    def axis(self, **colorbar: Any) -> dict[str, Any]:
        """Return a Plotly color axis whose ticks are errors."""
        ticks, texts = self._ticks()
        return _axis((0.0, float(self(np.array([self.worst]))[0])), self(np.array(ticks)).tolist(), texts, colorbar)

    def _ticks(self) -> tuple[list[float], list[str]]:
        """Return the best error, round ones that leave room for each other, and the end of the scale."""
        place = lambda error: float(self(np.array([error]))[0])  # noqa: E731
        room = 0.11 * place(self.worst)
        ticks = [self.best]
        for value in (digit * 10.0**power for power in range(-3, 3) for digit in (1, 2, 3, 5, 7)):
            if value > self.best and place(ticks[-1]) + room <= place(value) <= place(self.worst) - room:
                ticks.append(value)
        texts = [f"{self.best:.3g}", *(f"{tick:g}" for tick in ticks[1:])]
        return [*ticks, self.worst], [*texts, f"{'≥' * self.cut}{self.worst:.3g}"]

    @property
    def words(self) -> str:
        """What the colors mean."""
        end = "cells beyond have the last color" if self.cut else "the worst cell that trained"
        return (
            f"Color is logarithmic in the distance from the best cell of all ({self.best:.3g} %), one scale "
            f"for all maps; it ends at {self.worst:.3g} %, {end}."
        )


@dataclass(frozen=True)
class LogScale:
    """color(v) = log10(v) between `least` > 0 and `most`; `cut`: whether cells may lie beyond `most`."""

    least: float
    most: float
    sign: str = ""
    cut: bool = True

    def __call__(self, values: Floats) -> Floats:
        """Return the color coordinate of values, all in the metric's unit."""
        return np.asarray(np.log10(np.clip(values, self.least, self.most)))

    def axis(self, **colorbar: Any) -> dict[str, Any]:
        """Return a Plotly color axis whose ticks are values."""
        low, high = np.log10([self.least, self.most]).tolist()
        ticks, texts = fine_ticks(self.least, self.most)
        room = 0.08 * (high - low)
        shown = [(t, text) for t, text in zip(np.log10(ticks).tolist(), texts, strict=True) if t <= high - room]
        end = f"{'≥' * self.cut}{self.most:.3g}"
        return _axis((low, high), [*(t for t, _ in shown), high], [*(text for _, text in shown), end], colorbar)

    @property
    def words(self) -> str:
        """What the colors mean."""
        end = "cells beyond have the last color" if self.cut else "the greatest value of a cell that trained"
        return (
            f"Color is logarithmic, one scale for all maps, from {self.least:.3g} to {self.most:.3g}{self.sign}, {end}."
        )


Colors = Scale | LogScale


def _axis(
    limits: tuple[float, float], ticks: list[float], texts: list[str], colorbar: dict[str, Any]
) -> dict[str, Any]:
    return {
        "colorscale": MAP,
        "cmin": limits[0],
        "cmax": limits[1],
        "colorbar": {
            "tickvals": ticks,
            "ticktext": texts,
            "outlinewidth": 0,
            "ticks": "outside",
            "ticklen": 4,
            "tickcolor": AXIS["light"],
            **colorbar,
        },
    }


def scale(landscapes: Iterable[Landscape], delta: float) -> Scale:
    """Return the common scale: from the least mean to a high quantile of cells in which no seed diverged.

    Cells with a diverged seed carry the error of chance and say nothing of the basin: they don't stretch it.
    """
    maps = list(landscapes)
    return scale_of(
        np.concatenate([np.zeros(0), *(m.mean[trained(m)] for m in maps)]),
        np.concatenate([np.zeros(0), *(m.mean[trained(m) & (m.lost == 0)] for m in maps)]),
        delta,
    )


def scale_of(trained_means: Floats, whole_means: Floats, delta: float, *, full: bool = False) -> Scale:
    """Return the scale of cells that trained and of those among them in which no seed diverged.

    `full`: it ends at the greatest mean of all that trained.
    """
    best = float(trained_means.min()) if len(trained_means) else 0.0
    if full:
        return Scale(
            best=best, worst=max(float(np.max(trained_means, initial=best)), best + 2 * delta), delta=delta, cut=False
        )
    whole = whole_means if len(whole_means) else np.array([best])
    return Scale(best=best, worst=max(float(np.quantile(whole, QUANTILE)), best + 2 * delta), delta=delta)


def colors_of(trained_values: Floats, whole_values: Floats, look: Look) -> Colors:
    """Return the scale of what a look shows of cells that trained, and of those in which no seed diverged."""
    trained_values, whole_values = (v[np.isfinite(v)] for v in (trained_values, whole_values))
    if look.metric.kind == "error" and not look.spread:
        return scale_of(trained_values, whole_values, look.delta, full=look.full)
    values = trained_values[trained_values > 0]
    whole = values if look.full else whole_values[whole_values > 0]
    if not len(values):
        return LogScale(0.1, 1.0)
    most = float(np.quantile(whole, 1.0 if look.full else QUANTILE)) if len(whole) else float(values.max())
    least = float(values.min())
    if look.spread:
        least = max(least, most / 10**DECADES_OF_SPREAD)
    # Values that are all alike still need a scale that goes from somewhere to somewhere.
    sign = look.unit.partition(",")[2]
    return LogScale(least, max(most, 1.1 * least), sign, cut=not look.full)


def map_colors(landscapes: Iterable[Landscape], look: Look) -> Colors:
    """Return the common scale of what a look shows of maps; cells with a diverged seed don't stretch it."""
    maps = list(landscapes)
    shown = [np.where(trained(m), look.values(m), np.nan) for m in maps]
    whole = [np.where(m.lost == 0, values, np.nan) for m, values in zip(maps, shown, strict=True)]
    flat = [np.concatenate([np.zeros(0), *(one.ravel() for one in part)]) for part in (shown, whole)]
    return colors_of(flat[0], flat[1], look)
