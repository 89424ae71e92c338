"""Shares of uniform cells estimate areas: closed forms, coverage by simulation, opda's empirical distribution."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from opda.nonparametric import EmpiricalDistribution

from analysis.landscapes.basin import Box
from analysis.landscapes.sampled import samples
from analysis.measures.uniform_samples import (
    area_interval,
    box_area,
    share_interval,
    uniform_area,
    uniform_errors,
    uniform_profile,
    uniform_share,
)
from tests.support import alexnet, synthetic

BOX = Box((1e-4, 10**-0.5), (1e-5, 1e-1))
BASIN = synthetic.Basin(2.0, -2.25, -3.0, 0.6, 0.8)
DELTA = 1.5
AREA = np.pi * 0.6 * 0.8 * DELTA


def drawn(count: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return BASIN.error(10 ** random.uniform(-4, -0.5, count), 10 ** random.uniform(-5, -1, count))


def test_share_and_area_converge_to_the_paraboloids() -> None:
    assert box_area(BOX) == pytest.approx(3.5 * 4)
    misses = []
    for count in (100, 10_000, 1_000_000):
        area = uniform_area(drawn(count, 0), BASIN.depth + DELTA, BOX)
        share = AREA / box_area(BOX)
        misses.append(abs(area - AREA))
        assert misses[-1] < 4 * box_area(BOX) * np.sqrt(share * (1 - share) / count)
    assert misses[2] < misses[0]


@pytest.mark.parametrize(("count", "delta"), [(50, 4.0), (200, 1.5), (200, 0.4), (1000, 1.0)])
def test_interval_holds_95_of_100_studies(count: int, delta: float) -> None:
    truth = np.pi * 0.6 * 0.8 * delta / box_area(BOX)
    held = 0
    for seed in range(2000):
        low, high = share_interval(drawn(count, seed), BASIN.depth + delta)
        held += low <= truth <= high
    assert 0.93 <= held / 2000 <= 0.97


def test_interval_is_wilsons() -> None:
    from scipy.stats import binomtest

    errors = drawn(120, 1)
    inside = int((errors <= 4.0).sum())
    expected = binomtest(inside, 120).proportion_ci(0.9, method="wilson")
    assert share_interval(errors, 4.0, 0.9) == pytest.approx((expected.low, expected.high))
    low, high = area_interval(errors, 4.0, BOX, 0.9)
    assert (low, high) == pytest.approx((expected.low * 14, expected.high * 14))
    assert share_interval(errors, -1.0).low == 0.0
    assert share_interval(errors, 1e9).high == 1.0
    with pytest.raises(ValueError, match="between 0 and 1"):
        share_interval(errors, 4.0, 1.0)


def test_profile_is_opdas_distribution_of_real_trials() -> None:
    errors = uniform_errors(alexnet.cells(), ["random"], alexnet.BOX)
    assert len(errors) == 512
    thresholds = np.array([42.0, 45.0, 50.0, 60.0, 75.0, 99.0])
    raw = alexnet.trials()["top_1_error"].to_numpy()
    np.testing.assert_array_equal(uniform_profile(errors, thresholds), EmpiricalDistribution(raw).cdf(thresholds))
    lower, _, upper = EmpiricalDistribution.confidence_bands(raw, 0.95, method="dkw", a=0.0, b=100.0)
    for threshold in thresholds:
        share = uniform_share(errors, threshold)
        assert lower.cdf(threshold) <= share <= upper.cdf(threshold)
        interval = share_interval(errors, threshold)
        # Of one threshold more is known than of all at once.
        assert lower.cdf(threshold) <= interval.low <= share <= interval.high <= upper.cdf(threshold)
    assert uniform_area(errors, 50.0, alexnet.BOX) == pytest.approx(12 * (raw <= 50.0).mean())


def test_what_counts() -> None:
    cells = pd.DataFrame(
        {
            "lr": [1e-3, 1e-3, 1e-3, 1.0, 1e-3, 1e-3],
            "weight_decay": [1e-3, 0.0, 1e-3, 1e-3, 1.0, 1e-3],
            "mean": [3.0, 1.0, 90.0, 1.0, 1.0, np.nan],
            "lost": [0.0, 0.0, 1.0, 0.0, 0.0, np.nan],
        }
    )
    np.testing.assert_array_equal(uniform_errors(cells, ["random"], BOX), [3.0, np.inf])
    np.testing.assert_array_equal(uniform_errors(cells, ["qmc"]), [3.0, np.inf, 1.0, 1.0])
    assert uniform_share([3.0, np.inf], 95.0) == 0.5
    assert np.isnan(uniform_share([], 1.0))
    assert np.isnan(share_interval([], 1.0)).all()


@pytest.mark.parametrize("samplers", [["tpe"], ["random", "gp"], ["cmaes"], ["grid"], []])
def test_cells_that_a_search_chose_give_no_area(samplers: list[str]) -> None:
    cells = samples(synthetic.sampled(5))
    with pytest.raises(ValueError, match="estimate no area"):
        uniform_errors(cells, samplers)


def test_rounding_keeps_a_mean_of_thirds_inside() -> None:
    assert uniform_share([float(np.mean([0.1, 0.2, 0.3])) + 1e-12], 0.2) == 1.0
