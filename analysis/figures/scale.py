"""One color scale for all maps: logarithmic in the distance from the best cell, blind to diverged cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.basin import trained
from analysis.figures.theme import AXIS, MAP

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from analysis.landscape import Landscape

QUANTILE = 0.95


@dataclass(frozen=True)
class Scale:
    """color(e) = log10(1 + (e - best) / delta), cut off at `worst`.

    Linear within delta of the best, logarithmic beyond: the basin's floor stays visible beside a plateau.
    """

    best: float
    worst: float
    delta: float

    def __call__(self, error: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the color coordinate of errors, all in the metric's unit."""
        above = np.clip(error, self.best, self.worst) - self.best
        return np.asarray(np.log10(1 + above / self.delta))

    def axis(self, **colorbar: Any) -> dict[str, Any]:
        """Return a Plotly color axis whose ticks are errors."""
        ticks, texts = self._ticks()
        return {
            "colorscale": MAP,
            "cmin": 0.0,
            "cmax": float(self(np.array([self.worst]))[0]),
            "colorbar": {
                "tickvals": self(np.array(ticks)).tolist(),
                "ticktext": texts,
                "outlinewidth": 0,
                "ticks": "outside",
                "ticklen": 4,
                "tickcolor": AXIS["light"],
                **colorbar,
            },
        }

    def _ticks(self) -> tuple[list[float], list[str]]:
        """Return the best error, round ones that leave room for each other, and the end of the scale."""
        place = lambda error: float(self(np.array([error]))[0])  # noqa: E731
        room = 0.11 * place(self.worst)
        ticks = [self.best]
        for value in (digit * 10.0**power for power in range(-3, 3) for digit in (1, 2, 3, 5, 7)):
            if value > self.best and place(ticks[-1]) + room <= place(value) <= place(self.worst) - room:
                ticks.append(value)
        texts = [f"{self.best:.3g}", *(f"{tick:g}" for tick in ticks[1:])]
        return [*ticks, self.worst], [*texts, f"≥{self.worst:.3g}"]

    @property
    def words(self) -> str:
        """What the colors mean."""
        return (
            f"Color is logarithmic in the distance from the best cell of all ({self.best:.3g} %), one scale "
            f"for all maps; it ends at {self.worst:.3g} %, cells beyond have the last color."
        )


def scale(landscapes: Iterable[Landscape], delta: float) -> Scale:
    """Return the common scale: from the least mean to a high quantile of cells in which no seed diverged.

    Cells with a diverged seed carry the error of chance and say nothing of the basin: they don't stretch it.
    """
    maps = list(landscapes)
    return scale_of(
        np.concatenate([np.zeros(0), *(m.mean[trained(m)] for m in maps)]),
        np.concatenate([np.zeros(0), *(m.mean[trained(m) & (m.diverged == 0)] for m in maps)]),
        delta,
    )


def scale_of(trained_means: NDArray[np.float64], whole_means: NDArray[np.float64], delta: float) -> Scale:
    """Return the scale of cells that trained and of those among them in which no seed diverged."""
    best = float(trained_means.min()) if len(trained_means) else 0.0
    whole = whole_means if len(whole_means) else np.array([best])
    return Scale(best, max(float(np.quantile(whole, QUANTILE)), best + 2 * delta), delta)
