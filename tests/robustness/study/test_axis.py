from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from robustness.study import Axis, DecayAxis, Study
from robustness.validation.stored_studies import as_stored
from tests.support.studies import make

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_range_is_log_spaced_with_both_ends_and_six_digits() -> None:
    assert Axis(low=1e-4, high=1e-1, points=4).values == (1e-4, 1e-3, 1e-2, 1e-1)
    assert Axis(low=1e-4, high=1e-2, points=4).values == (1e-4, 0.000464159, 0.00215443, 1e-2)


def test_zero_stands_before_the_range_of_a_weight_decay() -> None:
    assert DecayAxis(low=1e-4, high=1e-2, points=3, zero=True).values == (0.0, 1e-4, 1e-3, 1e-2)
    assert DecayAxis(low=1e-4, high=1e-2, points=3).values == (1e-4, 1e-3, 1e-2)


def test_a_list_may_be_in_any_order_and_have_a_negative_zero() -> None:
    values = make(space={"lr": [1, 1e-2], "weight_decay": [1e-4, -0.0]}).space.weight_decay.values
    assert values == (0.0, 1e-4)
    assert math.copysign(1, values[0]) == 1


def test_a_range_without_points_has_no_values() -> None:
    with pytest.raises(ValueError, match="without points"):
        _ = Axis(low=1e-4, high=1).values


def test_a_denser_range_keeps_the_old_values() -> None:
    coarse, fine = (Axis(low=3e-5, high=0.7, points=points).values for points in (7, 19))
    assert coarse == fine[::3]


numbers = st.floats(min_value=1e-12, max_value=1e12)


@given(low=numbers, ratio=st.floats(1.5, 1e6), points=st.integers(2, 60), zero=st.booleans())
def test_any_range_ascends_within_its_bounds(low: float, ratio: float, points: int, zero: bool) -> None:
    high = low * ratio
    axis = DecayAxis(low=low, high=high, points=points, zero=zero)
    values = axis.values[zero:]
    assert len(values) == points
    assert (values[0], values[-1]) == (low, high)
    assert all(left < right for left, right in pairwise(axis.values))
    for index, value in enumerate(values):
        exact = low ** (1 - index / (points - 1)) * high ** (index / (points - 1))
        assert value == pytest.approx(exact, rel=6e-6)


@given(st.lists(numbers, min_size=1, max_size=30, unique_by=lambda value: f"{value:.6g}"))
def test_any_list_ascends_and_survives_a_round_trip(values: list[float]) -> None:
    axis = Axis(values=values)
    assert list(axis.values) == sorted(values)
    assert Axis.model_validate(axis.model_dump()) == axis


@pytest.mark.parametrize("values", [[0.3, 0.1, 0.1 * 3], [1, 2, 1.0], [1e-5, 1e-5 * (1 + 5e-10)]])
def test_a_number_written_in_two_ways_is_there_twice(values: list[float]) -> None:
    with pytest.raises(ValidationError, match="is in the list twice"):
        Axis(values=values)
    with as_stored():  # what was trained is read
        assert len(Axis(values=values if 1 not in values else [1, 2]).values) == len(set(values))


def test_numbers_that_differ_in_the_seventh_digit_are_two() -> None:
    assert len(Axis(values=[0.1, 0.1000001]).values) == 2


@pytest.mark.parametrize("kind", [list, tuple, np.asarray, torch.as_tensor])
def test_numbers_of_other_libraries_are_taken(kind: Callable[[Any], Any]) -> None:
    """As `numpy.logspace` and `numpy.arange` have them."""
    values = np.logspace(-4, -1, 4)
    plainly = Study(
        name="x", workload="digits", optimizers=["adam"], space={"lr": values.tolist(), "weight_decay": [0, 1]}, seeds=2
    )
    study = Study(
        name="x", workload="digits", optimizers=["adam"],
        space={"lr": kind(values), "weight_decay": {"values": kind(np.arange(2.0))}}, seeds=kind(np.arange(2)),
    )  # fmt: skip
    assert study.grid() == plainly.grid()
    assert Study.parse(study.text).grid() == study.grid()
