"""The median of the error over the box."""

import numpy as np

from robustness.claims.measures import Measure, MeasurePlugin


def median_error(draws, delta):
    """Return (B,) the median error over the measured cells of each draw, see `analysis.measures.draws.Draws`."""
    return np.nanmedian(draws.mean.reshape(len(draws.mean), -1), axis=1)


MEDIAN_ERROR = MeasurePlugin(
    measure=Measure(
        name="median_error",
        title="Median error",
        what="the median of e over the box",
        unit="%",
        difference_unit="points",
        panel="points of error",
        line=1000,
    ),
    formula=median_error,
)
