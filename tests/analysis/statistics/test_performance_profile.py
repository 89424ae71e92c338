"""Performance profiles: hand-computed examples, and what must not change them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analysis.figures.lines.performance_profiles import performance
from analysis.statistics.performance_profile import breakpoints, profile, ratios, score

if TYPE_CHECKING:
    from collections.abc import Callable

# Three workloads, three optimizers; the last one has no result on the second workload.
COSTS = np.array([[2.0, 4.0, 3.0], [5.0, 1.0, np.nan], [6.0, 6.0, 9.0]])
RATIOS = np.array([[1.0, 2.0, 1.5], [5.0, 1.0, np.inf], [1.0, 1.0, 1.5]])


def test_ratios_profiles_and_scores_by_hand() -> None:
    np.testing.assert_array_equal(ratios(COSTS), RATIOS)
    expected = [[2 / 3, 2 / 3, 2 / 3, 2 / 3, 1.0], [2 / 3, 2 / 3, 1.0, 1.0, 1.0], [0.0, 2 / 3, 2 / 3, 2 / 3, 2 / 3]]
    np.testing.assert_allclose(profile(COSTS, [1.0, 1.5, 2.0, 4.0, 5.0]), expected)
    # Areas from 1 to 4: heights 2/3 throughout; 2/3 up to 2, then 1; 0 up to 1.5, then 2/3.
    np.testing.assert_allclose(score(COSTS), [2 / 3, (2 / 3 + 2) / 3, 2 / 3 * 2.5 / 3])
    np.testing.assert_array_equal(breakpoints(COSTS), [1.0, 1.5, 2.0, 4.0])


def test_score_is_the_area_under_the_profile() -> None:
    costs = np.random.default_rng(0).lognormal(0.0, 0.7, (9, 5))
    for tau_max in (1.5, 4.0, 20.0):
        middles = 1 + (tau_max - 1) * (np.arange(20_000) + 0.5) / 20_000
        np.testing.assert_allclose(score(costs, tau_max), profile(costs, middles).mean(axis=1), atol=2e-4)


def test_units_and_order_change_nothing() -> None:
    random = np.random.default_rng(1)
    costs, taus = random.lognormal(0.0, 1.0, (6, 4)), np.linspace(1, 6, 40)
    # Powers of 2 scale a ratio's both sides without rounding.
    np.testing.assert_array_equal(profile(costs * 2.0 ** random.integers(-9, 9, (6, 1)), taus), profile(costs, taus))
    rows, columns = random.permutation(6), random.permutation(4)
    np.testing.assert_array_equal(profile(costs[rows], taus), profile(costs, taus))
    np.testing.assert_array_equal(profile(costs[:, columns], taus), profile(costs, taus)[columns])
    np.testing.assert_allclose(score(costs[rows][:, columns]), score(costs)[columns])


def test_a_profile_rises_and_is_highest_for_who_is_never_beaten() -> None:
    costs = np.random.default_rng(2).lognormal(0.0, 1.0, (6, 3))
    costs[:, 1] = costs.min(axis=1) / 2
    shares = profile(costs, np.linspace(1, 9, 50))
    assert (np.diff(shares, axis=1) >= 0).all()
    assert (shares[1] == 1).all()
    assert score(costs)[1] == 1.0
    assert (score(costs) <= 1).all()


def test_nobody_and_nothing() -> None:
    np.testing.assert_array_equal(ratios([[0.0, 1.0, 0.0]]), [[1.0, np.inf, 1.0]])
    np.testing.assert_array_equal(score([[np.nan, np.inf], [1.0, 2.0]]), [0.5, 0.5 * 2 / 3])
    assert np.isnan(score(np.zeros((0, 2)))).all()
    assert np.isnan(profile(np.zeros((0, 2)), [1.0])).all()
    assert ratios(np.zeros((2, 0))).shape == (2, 0)


@pytest.mark.parametrize("call", [
    lambda: ratios([[1.0, -1.0]]), lambda: ratios(np.ones(3)), lambda: score(COSTS, 1.0), lambda: score(COSTS, np.inf),
])  # fmt: skip
def test_nonsense_is_refused(call: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"below 0|table|tau_max"):
        call()


def test_the_figure_draws_the_profiles() -> None:
    drawing = performance({"Test error": COSTS, "Basin": COSTS[:2]}, ["a", "b", "c"])
    lines = [trace for trace in drawing.figure.data if trace.hovertemplate]
    assert [line.name for line in lines] == ["a", "b", "c"] * 2
    for line, shares in zip(lines, profile(COSTS, [1.0, 1.5, 2.0, 4.0]), strict=False):
        np.testing.assert_array_equal(line.x, [1.0, 1.5, 2.0, 4.0])
        np.testing.assert_allclose(line.y, 100 * shares)
        assert line.line.shape == "hv"
    assert "3 workloads" in drawing.caption
    assert "score 0.889" in lines[1].text[0]
