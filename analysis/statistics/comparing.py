"""From two values and the draws of their difference to a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.statistics.bootstrap import contrast, seeds_needed
from analysis.statistics.comparison import Comparison

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analysis.statistics.comparison import Scale

    Floats = NDArray[np.float64]


def comparison(
    measure: str,
    of: str,
    against: str,
    values: Sequence[float],
    ends: tuple[float, float],
    *,
    column: str = "",
    delta: float | None = None,
    scale: Scale,
    level: float,
    seeds: int,
) -> Comparison:
    """Return the comparison of two values; `ends` are those of its interval, NaN without one."""
    estimate = float(contrast(np.asarray(values[:1]), np.asarray(values[1:2]), scale)[0])
    low, high = ends
    effect = np.array([estimate, low, high])
    if scale == "ratio":
        with np.errstate(divide="ignore", invalid="ignore"):
            effect = np.log(effect)
    needed = seeds_needed(float(effect[0]), float(effect[1]), float(effect[2]), seeds, level)
    return Comparison(
        measure, column, delta, of, against, float(values[0]), float(values[1]), scale,
        estimate, low, high, level, seeds, needed,
    )  # fmt: skip
