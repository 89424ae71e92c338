"""Tuning curves agree with opda and with simulated random search, band and all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from opda.nonparametric import EmpiricalDistribution

from analysis.landscapes.basin import common_box
from analysis.landscapes.landscape import landscapes
from analysis.landscapes.sampled import samples
from analysis.measures.tuning_curve import TuningCurve, default_trials, grid_curve, sample_curve, tuning_curve
from analysis.statistics.order_statistics import equal_tailed_limits, inside_probability
from tests.support import alexnet, synthetic

TRIALS = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89]


def opda_bands(errors: np.ndarray, **options: Any) -> Any:
    return EmpiricalDistribution.confidence_bands(
        errors, 0.95, method="ld_equal_tailed", generator=np.random.default_rng(0), n_jobs=1, **options
    )


def test_limits_are_those_that_opda_simulates() -> None:
    for count in (1, 5, 40):
        low, high = equal_tailed_limits(count, 0.9)
        bands = EmpiricalDistribution.confidence_bands(
            np.arange(count) + 0.5, 0.9, a=0.0, b=count + 1.0, method="ld_equal_tailed",
            generator=np.random.default_rng(0), n_jobs=1,
        )  # fmt: skip
        places = np.arange(count + 1, dtype=float)
        np.testing.assert_allclose(bands[0].cdf(places)[1:], low[1:], atol=3e-3)
        np.testing.assert_allclose(bands[2].cdf(places), high, atol=3e-3)


def test_probability_of_staying_inside_is_that_of_a_simulation_and_of_closed_forms() -> None:
    # One draw; and of two draws the lesser below 1/2, the greater above: 1 - P(both above) - P(both below).
    assert inside_probability(np.array([0.2]), np.array([0.7])) == pytest.approx(0.5)
    assert inside_probability(np.array([0.0, 0.5]), np.array([0.5, 1.0])) == pytest.approx(0.5)
    assert inside_probability(np.zeros(9), np.ones(9)) == pytest.approx(1.0)
    low, high = np.linspace(0.0, 0.7, 8), np.linspace(0.3, 1.0, 8)
    draws = np.sort(np.random.default_rng(0).random((200_000, 8)), axis=1)
    simulated = ((draws >= low) & (draws <= high)).all(axis=1).mean()
    assert inside_probability(low, high) == pytest.approx(simulated, abs=4 * np.sqrt(0.25 / 200_000))


def test_curve_is_opdas_on_random_errors() -> None:
    errors = 100 * np.random.default_rng(1).random(40)
    curve = tuning_curve(errors, None, TRIALS, label="one")
    lower, point, upper = opda_bands(errors, a=0.0, b=100.0)
    np.testing.assert_array_equal(curve.median, point.quantile_tuning_curve(TRIALS, minimize=True))
    np.testing.assert_array_equal(curve.low, upper.quantile_tuning_curve(TRIALS, minimize=True))
    np.testing.assert_array_equal(curve.high, lower.quantile_tuning_curve(TRIALS, minimize=True))
    assert (curve.label, curve.confidence, curve.exact) == ("one", 0.95, True)


@pytest.mark.slow
def test_curve_is_opdas_on_real_trials() -> None:
    errors = alexnet.trials()["top_1_error"].to_numpy()[::2]  # opda's simulation takes the square of their number
    curve = tuning_curve(errors, None, TRIALS)
    with pytest.warns(RuntimeWarning, match="Duplicates"):
        lower, point, upper = opda_bands(errors, a=0.0, b=100.0)
    np.testing.assert_array_equal(curve.median, point.quantile_tuning_curve(TRIALS, minimize=True))
    # opda's limits are simulated, ours are solved for: at most one order statistic apart.
    ranked = np.unique(np.concatenate([[0.0], errors, [100.0]]))
    for ours, theirs in ((curve.low, upper), (curve.high, lower)):
        place, other = (np.searchsorted(ranked, v) for v in (ours, theirs.quantile_tuning_curve(TRIALS, minimize=True)))
        assert np.abs(place - other).max() <= 1
        assert (place == other).mean() > 0.7
    assert (curve.low <= curve.median).all()
    assert (curve.median <= curve.high).all()


@pytest.mark.slow
def test_band_holds_the_whole_curve_in_95_of_100_simulated_searches() -> None:
    # Errors 100 u^2: the best of n has the median 100 (1 - 0.5^(1 / n))^2.
    random, studies, cells = np.random.default_rng(2), 2000, 30
    counts = np.arange(1, 61)
    truth = 100 * (1 - 0.5 ** (1 / counts)) ** 2
    held = 0
    for _ in range(studies):
        curve = tuning_curve(100 * random.random(cells) ** 2, None, counts)
        held += bool(((curve.low <= truth) & (truth <= curve.high)).all())
    # The curve at whole numbers of trials up to 60 asks less of the band than all of F does.
    assert held / studies >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / studies)


def test_band_for_the_distribution_holds_at_its_level() -> None:
    low, high = equal_tailed_limits(25, 0.95)
    draws = np.sort(np.random.default_rng(3).random((20_000, 25)), axis=1)
    held = ((low[1:] <= draws) & (draws <= high[:-1])).all(axis=1).mean()
    assert held == pytest.approx(0.95, abs=4 * np.sqrt(0.05 * 0.95 / 20_000))


def test_least_error_is_minus_the_greatest_of_its_negative() -> None:
    errors = np.random.default_rng(4).normal(40, 9, 41)
    curve = tuning_curve(errors, None, TRIALS)
    lower, point, upper = opda_bands(-errors, a=-100.0, b=0.0)
    for ours, theirs in ((curve.median, point), (curve.low, lower), (curve.high, upper)):
        np.testing.assert_array_equal(ours, -theirs.quantile_tuning_curve(TRIALS))


def test_infinite_errors_stay_infinite_or_become_chance() -> None:
    errors = np.array([np.inf, 3.0, np.inf, 5.0, np.inf, np.inf, 4.0])
    curve = tuning_curve(errors, None, [1, 2, 50], support=(0.0, np.inf))
    assert curve.median[0] == np.inf
    np.testing.assert_array_equal(curve.median[1:], [5.0, 3.0])
    assert np.isfinite(curve.low).all()
    lost = tuning_curve(np.where(np.isinf(errors), np.nan, errors), None, [1, 2, 50], chance=90.0)
    same = tuning_curve(np.where(np.isinf(errors), 90.0, errors), None, [1, 2, 50])
    for name in ("median", "low", "high"):
        np.testing.assert_array_equal(getattr(lost, name), getattr(same, name))
    assert lost.median[0] == 90.0


def test_weights_count_as_areas() -> None:
    random = np.random.default_rng(5)
    errors, copies = 100 * random.random(20), random.integers(1, 6, 20)
    weighted = tuning_curve(errors, copies / 7, TRIALS)
    repeated = tuning_curve(np.repeat(errors, copies), None, TRIALS)
    np.testing.assert_array_equal(weighted.median, repeated.median)
    assert not weighted.exact
    alike, plain = (tuning_curve(errors, weights, TRIALS) for weights in (np.full(20, 0.3), None))
    np.testing.assert_array_equal(alike.high, plain.high)
    np.testing.assert_array_equal(alike.low, plain.low)
    without = tuning_curve([*errors, 0.0], [*copies, 0.0], TRIALS)
    np.testing.assert_array_equal(without.low, weighted.low)


def test_curve_of_a_grid_is_weighted_by_cells_in_the_box() -> None:
    maps = landscapes(synthetic.runs())
    curve = grid_curve(maps["adamw"], common_box(maps.values()), TRIALS)
    assert isinstance(curve, TuningCurve)
    # An even grid: every positive weight decay's cell has the same area.
    even = tuning_curve(maps["adamw"].mean[1:].ravel(), None, TRIALS)
    # The median of a single trial lies between two of an even number of cells.
    np.testing.assert_array_equal(curve.median[1:], even.median[1:])
    np.testing.assert_array_equal(curve.low, even.low)
    assert not curve.exact
    assert (np.diff(curve.median) <= 0).all()
    assert grid_curve(landscapes(synthetic.runs(weight_decay=(0.0,)))["adamw"]) is None


def test_curve_of_samples_needs_uniform_ones() -> None:
    cells = samples(synthetic.sampled(25))
    own = cells[cells["label"] == "adamw"]
    curve = sample_curve("adamw", own, {"random"})
    assert curve is not None
    assert curve.exact
    assert curve.trials[-1] == 25
    np.testing.assert_array_equal(curve.median, tuning_curve(own["mean"].to_numpy(), None, curve.trials).median)
    quasi = sample_curve("adamw", own, ["qmc"])
    assert quasi is not None
    assert not quasi.exact
    assert sample_curve("adamw", own, ["random", "tpe"]) is None
    assert sample_curve("adamw", own, []) is None
    assert sample_curve("adamw", own.head(0), ["random"]) is None


@pytest.mark.parametrize(("errors", "weights", "options"), [
    ([], None, {}),
    ([1.0, np.nan], None, {}),
    ([1.0, 2.0], [1.0], {}),
    ([1.0, 2.0], [1.0, -1.0], {}),
    ([1.0, 2.0], [0.0, 0.0], {}),
    ([1.0, 101.0], None, {}),
    ([1.0, 2.0], None, {"confidence": 1.0}),
])  # fmt: skip
def test_nonsense_is_refused(errors: list[float], weights: list[float] | None, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"cell|error|weight|confidence|max of ys"):
        tuning_curve(errors, weights, [1], **options)


def test_numbers_of_trials_go_up_to_the_number_of_cells() -> None:
    assert default_trials(1) == [1]
    assert default_trials(5) == [1, 2, 3, 4, 5]
    many = default_trials(10_000)
    assert (many[0], many[-1], len(many) <= 60) == (1, 10_000, True)
