"""The axes as Optuna sees them."""

from __future__ import annotations

import pytest

from robustness.search.coordinates import Coordinate
from robustness.study import Axis, DecayAxis


@pytest.mark.parametrize(
    "axis",
    [Axis(low=1e-4, high=1), DecayAxis(low=1e-5, high=0.1, zero=True), DecayAxis(values=[0, 1e-3, 0.5])],
)
def test_a_coordinate_and_its_value_are_inverse(axis: Axis) -> None:
    coordinate = Coordinate("x", axis)
    for value in axis.listed or (axis.low, 3.21e-3, axis.high):
        assert value is not None
        place = coordinate.coordinate(value)
        assert place is not None
        assert coordinate.distribution._contains(place)
        assert coordinate.value(place) == pytest.approx(value, rel=1e-5)
    assert coordinate.coordinate(7.0) is None
    if getattr(axis, "zero", False):
        assert coordinate.value(coordinate.distribution.low) == 0
        zero = coordinate.coordinate(0.0)
        assert zero is not None
        assert coordinate.value(zero) == 0
