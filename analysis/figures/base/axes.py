"""Log axes of learning rates and weight decays, with a place for weight decay 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.figures.base.theme import decade_ticks
from analysis.landscapes.landscape import edges

if TYPE_CHECKING:
    from numpy.typing import NDArray

ZERO_WORDS = " The separate points at 0 are weight decay 0, which a log axis cannot hold."


def place_of_zero(decays: NDArray[np.float64]) -> float | None:
    """Return where on a log axis weight decay 0 stands: a step and a half below the least positive one.

    None where the ascending `decays` do not start with 0.
    """
    if not len(decays) or decays[0] > 0:
        return None
    positive = decays[decays > 0]
    if not len(positive):
        return 1.0
    step = positive[1] / positive[0] if len(positive) > 1 else 10.0
    return float(positive[0] / max(step, 2.0) ** 1.5)


def cell_axis(values: NDArray[np.float64], zero: float | None = None) -> dict[str, Any]:
    """Return the log axis that ends at the outer edges of the cells around ascending `values`.

    `zero`: where 0 stands; see `place_of_zero`.
    """
    positive = values[values > 0]
    low, high = (edges(positive)[[0, -1]]) if len(positive) else (0.5, 2.0)
    ticks, texts = decade_ticks(float(low), float(high)) if len(positive) else ([], [])
    if zero is not None:
        ticks, texts, low = [zero, *ticks], ["0", *texts], min(low, zero / 1.5)
    return {
        "type": "log",
        "range": [float(np.log10(low)), float(np.log10(high))],
        "tickvals": ticks,
        "ticktext": texts,
    }
