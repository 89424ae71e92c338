"""The color scale of differences: centered at 0, logarithmic away from it, readable by the color-blind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.figures.base.theme import AXIS

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLORS = ("#0b4f8a", "#3f8fc9", "#9cc4e4", "#e4e4e4", "#f3bd84", "#dd7a1e", "#8f4a00")
"""Blue to orange over a gray that is no page's color."""
QUANTILE = 0.95
UNIT = 0.5
"""Points of error within which the scale is linear."""


@dataclass(frozen=True)
class Diverging:
    """color(d) = sign(d) log10(1 + |d| / unit), cut off at `most` on both sides; d in points."""

    most: float

    @classmethod
    def of(cls, differences: NDArray[np.float64]) -> Diverging:
        """Return the scale up to a high quantile of |d|: a few cells at the edge don't stretch it.

        Of cells in which no seed diverged: the error of chance says nothing of the basin.
        """
        sizes = np.abs(differences)
        return cls(max(float(np.quantile(sizes, QUANTILE)) if len(sizes) else 0.0, 2 * UNIT))

    def __call__(self, difference: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the color coordinate of differences."""
        cut = np.clip(difference, -self.most, self.most)
        return np.asarray(np.sign(cut) * np.log10(1 + np.abs(cut) / UNIT))

    def axis(self, colorbar: dict[str, Any]) -> dict[str, Any]:
        """Return a Plotly color axis whose ticks are differences."""
        ticks, texts = self._ticks()
        end = float(self(np.array([self.most]))[0])
        return {
            "colorscale": [[i / (len(COLORS) - 1), ink] for i, ink in enumerate(COLORS)],
            "cmin": -end,
            "cmax": end,
            "colorbar": {
                **colorbar,
                "tickvals": self(np.array(ticks)).tolist(),
                "ticktext": texts,
                "tickcolor": AXIS["light"],
            },
        }

    def _ticks(self) -> tuple[list[float], list[str]]:
        place = lambda value: float(self(np.array([value]))[0])  # noqa: E731
        room, inner = 0.2 * place(self.most), [0.0]
        for value in (0.5, 1, 2, 5, 10, 20, 50):
            if place(inner[-1]) + room <= place(value) <= place(self.most) - room:
                inner.append(float(value))
        positive = [*inner[1:], self.most]
        texts = [f"{value:g}" for value in inner[1:]] + [f"{self.most:.2g}"]
        below = [f"−{text}" for text in texts[:-1]] + [f"≤−{texts[-1]}"]
        above = [f"+{text}" for text in texts[:-1]] + [f"≥+{texts[-1]}"]
        return [-v for v in reversed(positive)] + [0.0, *positive], [*reversed(below), "0", *above]

    @property
    def words(self) -> str:
        """What the colors mean."""
        return (
            f"Color is linear within {UNIT:g} points of 0, logarithmic beyond, and ends at {self.most:.2g} points; "
            "cells beyond have the last color."
        )
