"""Names and numbers that the whole package shares."""

from __future__ import annotations

from robustness.results import best

METRIC = "test_error"
"""The column that is measured, percent."""


CHOOSER = "validation_error"
"""The column that chooses cells, percent."""


WITHIN = 2.0
"""Points of error that bound the basins whose learning rates and cells other measures are taken over."""


ROUNDING = best.ROUNDING
"""Values that differ by no more, in their own unit, are alike: means of the same k/n errors differ by rounding."""


LEVEL = 0.95
"""Confidence level of an interval that stands by itself."""


DELTAS = (1.0, 2.0)


ERROR = 0.04
"""Of all intervals of a claim together: 1 - their joint confidence level. At 0.05 an optimizer under two names would be
decided in just 5 of 100 studies, and so in more than 5 of every other hundred."""


LEAST_SEEDS = 3
"""Fewer seeds decide nothing, whatever their interval."""


AXES = {"lr": "learning rate", "weight_decay": "weight decay"}
"""What the two axes of a map are called, by their columns."""
