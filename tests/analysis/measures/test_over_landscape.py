"""Every measure on landscapes whose answer is known, and how fast the grid's answer comes to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.integrate import quad

from tests.support.landscapes import CHANCE, X, Y, contrasts, middles, one, paraboloid

if TYPE_CHECKING:
    from tests.support.landscapes import Floats, Truth

NARROW = paraboloid(x=-2.2, y=-2.8, a=0.2, b=0.21)
"""Reaches chance within the box on both axes."""


def value(measure: str, truth: Truth, points: int, delta: float | None = None) -> float:
    return contrasts(one(truth, points=points)).value(measure, "a", delta=delta)


def cells(points: int) -> tuple[Floats, Floats]:
    x, y = np.meshgrid(middles(X, points), middles(Y, points))
    return np.asarray(x), np.asarray(y)


@pytest.mark.parametrize("delta", [0.5, 1.0, 2.0])
def test_areas_of_a_paraboloid_converge_to_pi_a_b_delta(delta: float) -> None:
    worse, better = paraboloid(a=0.6, b=0.8, depth=2.25), paraboloid(x=-2.1, depth=2.0)
    for points in (20, 60, 240):
        found = contrasts(one(worse, "a", points=points), one(better, "b", points=points))
        for measure, height in (("basin_area", delta), ("basin_area_absolute", delta - 0.25)):
            true = np.pi * 0.6 * 0.8 * height
            # The boundary passes through (perimeter / cell width) cells; e* is off by half a cell at most.
            off = 2 * np.pi * 0.8 * np.sqrt(height) * (4 / points) + np.pi * 0.6 * 0.8 * (2 / points / 0.5) ** 2 * 2
            assert abs(found.value(measure, "a", delta=delta) - true) < off
    for measure, height in (("basin_area", delta), ("basin_area_absolute", delta - 0.25)):
        assert found.value(measure, "a", delta=delta) == pytest.approx(np.pi * 0.6 * 0.8 * height, rel=0.02)


def test_profile_auc_is_the_integral_of_the_profile() -> None:
    levels = np.linspace(0, CHANCE, 2001)
    errors = np.sort(np.minimum(NARROW(*cells(1500)), CHANCE).ravel())
    profile = np.searchsorted(errors, levels, side="right") / errors.size
    true = float(np.trapezoid(profile, levels)) / CHANCE
    errors_of = [abs(value("profile_auc", NARROW, points) - true) for points in (8, 24, 120)]
    assert errors_of[-1] < 1e-3
    assert errors_of[-1] < errors_of[0]


def test_learning_rate_sensitivity_is_the_integral_at_the_chosen_weight_decay() -> None:
    kink = 0.2 * np.sqrt(CHANCE - 2)
    area, _ = quad(lambda u: min(2 + (u / 0.2) ** 2, CHANCE), -1.8, 2.2, points=[kink])
    true = area / 4 - 2
    assert 20 < true < 60
    errors = [abs(value("lr_sensitivity", NARROW, points) - true) for points in (10, 50, 250)]
    assert errors[-1] < 2e-3 * true
    assert errors[-1] < errors[0]


def test_weight_decay_sensitivity_is_the_integral_at_the_learning_rates_of_the_basin() -> None:
    # Where u = 0.2 r, the basin of 2 points is 2 * 0.21 sqrt(2 - r^2) high.
    r = np.linspace(-np.sqrt(2), np.sqrt(2), 2001)
    v = np.linspace(-2.2, 1.8, 4001)
    cuts = np.minimum(2 + r[:, None] ** 2 + (v / 0.21) ** 2, CHANCE).mean(axis=1)
    true = float(np.average(cuts, weights=np.sqrt(np.maximum(2 - r**2, 0)))) - 2
    errors = [abs(value("weight_decay_sensitivity", NARROW, points) - true) for points in (10, 50, 250)]
    assert errors[-1] < 2e-3 * true
    assert errors[-1] < errors[0]


def test_sensitivity_over_the_box_is_the_mean_of_the_box() -> None:
    true = float(np.minimum(NARROW(*cells(1500)), CHANCE).mean()) - 2.0
    assert value("lr_sensitivity_box", NARROW, 250) == pytest.approx(true, rel=2e-3)
    assert abs(value("lr_sensitivity_box", NARROW, 10) - true) < 0.05 * true


@pytest.mark.parametrize("slope", [-2.0, -1.0, -0.5, 0.0, 1.0])
def test_ridge_of_a_sheared_paraboloid(slope: float) -> None:
    a, b = 0.5, 0.3
    truth: Truth = lambda u, v: 2 + ((u + 2) / a) ** 2 + ((v + 3 - slope * (u + 2)) / b) ** 2  # noqa: E731
    # Regression of a uniform or radially weighted ellipse: v = slope u + independent.
    correlation = slope * a / np.hypot(slope * a, b)
    assert value("ridge_slope", truth, 200, 1.0) == pytest.approx(slope, abs=0.01)
    assert value("ridge_correlation", truth, 200, 1.0) == pytest.approx(correlation, abs=0.01)


@pytest.mark.parametrize("width", [1.5, 0.5, 0.2, 0.1])
def test_a_valley_of_constant_product_has_a_slope_and_a_correlation_towards_minus_one(width: float) -> None:
    truth: Truth = lambda u, v: 2 + ((u + v + 5) / width) ** 2 + ((u - v - 1) / 1.5) ** 2  # noqa: E731
    true = -(1.5**2 - width**2) / (1.5**2 + width**2)
    for measure in ("ridge_slope", "ridge_correlation"):
        assert value(measure, truth, 200, 1.0) == pytest.approx(true, abs=0.01)


def test_a_basin_of_one_column_has_no_ridge() -> None:
    truth: Truth = lambda u, v: np.where(np.abs(u + 1.95) < 0.05, 2.0, 50.0)  # noqa: E731
    assert np.isnan([value(measure, truth, 40, 1.0) for measure in ("ridge_slope", "ridge_correlation")]).all()


@pytest.mark.parametrize("distance", [0.0, 0.2, 0.4])
@pytest.mark.parametrize(
    ("name", "side"),
    [("x", "low lr"), ("x", "high lr"), ("y", "low weight decay"), ("y", "high weight decay")],
)
def test_a_clipped_basin_has_the_area_within_the_box_and_contact_says_where(
    name: str, side: str, distance: float
) -> None:
    ends = X if name == "x" else Y
    at = ends[0] + distance if side.startswith("low") else ends[1] - distance
    truth = paraboloid(a=0.5, b=0.5, **{name: at})
    found = contrasts(one(truth, points=400))
    t = distance / 0.5
    cut = np.arccos(t) - t * np.sqrt(1 - t**2)
    assert found.value("basin_area", "a", delta=1.0) == pytest.approx(0.25 * (np.pi - cut), rel=0.02)
    contact = found.contact("a", 1.0)
    assert contact.sides == (side,)
    assert contact.optimum == (distance == 0)


def test_a_step_has_its_exact_share() -> None:
    # 3 x 2 decades of 4 x 4, to a cell: all else diverges.
    truth: Truth = lambda u, v: np.where((u < -1) & (v > -3), 10.0, CHANCE)  # noqa: E731
    found = contrasts(one(truth, points=8, diverges=CHANCE))
    expected = {
        "basin_area": 6.0,
        "basin_area_absolute": 6.0,
        "failure_share": 1 - 6 / 16,
        "profile_auc": 6 / 16 * (1 - 10 / 90),
        "lr_sensitivity": (3 * 10 + 1 * 90) / 4 - 10,
        "weight_decay_sensitivity": (2 * 10 + 2 * 90) / 4 - 10,
        "lr_sensitivity_box": (6 * 10 + 10 * 90) / 16 - 10,
        "depth": 10.0,
    }
    for measure, true in expected.items():
        assert found.value(measure, "a", delta=1.0) == pytest.approx(true), measure


@pytest.mark.parametrize("points", [10, 33, 100])
def test_the_best_weight_decay_is_found_to_half_a_cell(points: int) -> None:
    tilted: Truth = lambda u, v: 2 + (u + 2 + 0.5 * (v + 3.3)) ** 2 + (v + 3.3) ** 2  # noqa: E731
    assert abs(value("optimum_weight_decay", tilted, points) + 3.3) <= 4 / points + 1e-9
    assert abs(value("optimum_weight_decay", paraboloid(y=-3.3), points) + 3.3) <= 2 / points + 1e-9


def test_an_error_above_that_of_chance_counts_as_chance() -> None:
    steep, capped = paraboloid(a=0.2, b=0.2), lambda u, v: np.minimum(paraboloid(a=0.2, b=0.2)(u, v), 30.0)
    found = contrasts(one(steep, "a"), one(capped, "b"), chance=30.0)
    for measure in ("profile_auc", "lr_sensitivity", "lr_sensitivity_box", "weight_decay_sensitivity"):
        assert found.value(measure, "a") == pytest.approx(found.value(measure, "b"))


def test_on_an_uneven_grid_a_ridge_is_that_of_a_weighted_regression() -> None:
    random = np.random.default_rng(0)
    x, y = np.cumsum(random.uniform(0.1, 1, 9)) - 5, np.cumsum(random.uniform(0.1, 1, 7)) - 6
    errors = random.uniform(2, 6, (7, 9))
    found = contrasts(one(lambda u, v: errors, x=x, y=y))
    # Cells go from middle to middle, and are as wide on both sides at the ends.
    spans = [np.diff(np.concatenate([[1.5 * z[0] - 0.5 * z[1]], (z[1:] + z[:-1]) / 2, [1.5 * z[-1] - 0.5 * z[-2]]]))
             for z in (y, x)]  # fmt: skip
    weights = np.outer(*spans) * np.maximum(errors.min() + 1.5 - errors, 0)
    u, v = np.meshgrid(x, y)
    slope = np.polyfit(u.ravel(), v.ravel(), 1, w=np.sqrt(weights.ravel()))[0]
    covariance = np.cov(u.ravel(), v.ravel(), aweights=weights.ravel())
    assert found.value("ridge_slope", "a", delta=1.5) == pytest.approx(slope)
    correlation = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert found.value("ridge_correlation", "a", delta=1.5) == pytest.approx(correlation)
    # Of the basin of 2 points, the area at each learning rate; and there the mean over the weight decays.
    rates = (np.outer(*spans) * (errors <= errors.min() + 2)).sum(axis=0)
    sensitivity = np.average(np.average(errors, axis=0, weights=spans[0]), weights=rates) - errors.min()
    assert found.value("weight_decay_sensitivity", "a") == pytest.approx(sensitivity)


def test_a_basin_needs_its_delta_and_a_measure_its_name() -> None:
    found = contrasts(one(paraboloid()))
    with pytest.raises(ValueError, match="basin_area needs delta"):
        found.value("basin_area", "a")
    with pytest.raises(ValueError, match="depth compares two optimizers"):
        found.compare("depth", "a", None)
    with pytest.raises(KeyError):
        found.value("breadth", "a")
