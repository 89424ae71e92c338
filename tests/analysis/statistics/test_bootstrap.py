"""The bootstrap against Student's t, its intervals at the limits, and draws of divergence at the frontier."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from analysis.landscapes.basin import Place
from analysis.measures.divergence_edge import frontier, least_beside, unsettled
from analysis.statistics.bootstrap import interval, moved, multipliers
from analysis.statistics.comparison import Comparison, contrast
from analysis.statistics.sample_size import seeds_needed
from tests.support.landscapes import OVER_LANDSCAPE, contrasts, one, paraboloid, without

if TYPE_CHECKING:
    from robustness.claims.measures import Scale

ONE = np.array([-2.0])
NAN = float("nan")
INFINITE = float("inf")


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
@pytest.mark.parametrize("level", [0.95, 0.975])
def test_the_interval_of_a_mean_is_students(seeds: int, level: float) -> None:
    random = np.random.default_rng(seeds)
    first, second = 3 + random.standard_normal((2, seeds))
    sides = [one(lambda u, v: 0 * u, name, x=ONE, y=ONE, seeds=seeds, effect=at)
             for name, at in (("a", first), ("b", second))]  # fmt: skip
    found = contrasts(*sides).compare("depth", "a", "b", level=level)
    student = stats.ttest_rel(first, second).confidence_interval(level)
    assert found.estimate == pytest.approx(first.mean() - second.mean())
    assert found.seeds == seeds
    width = student.high - student.low
    np.testing.assert_allclose([found.low, found.high], student, atol=1e-9 * width)


@pytest.mark.parametrize(("seeds", "missing"), [(2, 0), (3, 0), (5, 2), (10, 3)])
def test_as_many_draws_as_are_taken_come_close_to_student_and_to_no_side(seeds: int, missing: int) -> None:
    random = np.random.default_rng(1)
    values = random.standard_normal((seeds + missing, 40))
    values[:missing] = np.nan
    draws = moved(values, multipliers(seeds + missing, seeds - 1))
    sizes, leans = [], []
    for place in range(40):
        known = values[missing:, place]
        low, high = interval(draws[:, place])
        half = stats.t.ppf(0.975, seeds - 1) * stats.sem(known)
        sizes.append((high - low) / 2 / half)
        leans.append(((high + low) / 2 - known.mean()) / half)
    # Of two seeds the tail is Cauchy's, and no verdict hangs on it.
    assert np.mean(sizes) == pytest.approx(1, abs=0.025 if seeds > 2 else 0.08)
    assert np.std(sizes) < 0.06
    np.testing.assert_allclose(leans, 0, atol=1e-9)


def test_multipliers_are_the_same_in_every_call() -> None:
    np.testing.assert_array_equal(multipliers(3, 2), multipliers(3, 2))
    assert multipliers(4, 1, 256).shape == (256, 4)
    np.testing.assert_allclose(multipliers(3, 2).sum(axis=0), 0, atol=1e-6)


@pytest.mark.parametrize("size", [0.3, 20.0])
def test_a_seed_effect_common_to_both_changes_no_interval(size: float) -> None:
    made = []
    for effect in (np.zeros(4), size * np.array([1.0, 0.1, 0.6, 0.0])):
        sides = [
            one(paraboloid(x=x, a=1.0, b=1.0), name, points=12, seeds=4, effect=effect, noise=0.2, stream=stream)
            for name, x, stream in (("a", -2.0, 0), ("b", -2.3, 1))
        ]
        made.append(contrasts(*sides))
    assert float(np.nanmax(sides[0].values["test_error"])) < made[0].chance
    for measure, kind in OVER_LANDSCAPE.items():
        both = [each.compare(measure, "a", "b", delta=2.0 if kind.basin else None) for each in made]
        assert both[0].known
        ends = [(each.estimate, each.low, each.high) for each in both]
        np.testing.assert_allclose(ends[0], ends[1], rtol=1e-7, atol=1e-9, err_msg=measure)


def test_places_without_a_value_and_with_a_single_one() -> None:
    values = np.array([[1.0, NAN, NAN], [3.0, 5.0, NAN], [NAN, NAN, NAN]])
    t = multipliers(3, 1, 256)
    draws = moved(values, t)
    np.testing.assert_allclose(draws[:, 0], 2 + (t[:, 0] * -1 + t[:, 1] * 1) / np.sqrt(2))
    np.testing.assert_array_equal(draws[:, 1], 5.0)
    assert np.isnan(draws[:, 2]).all()
    np.testing.assert_array_equal(moved(values[..., None], t)[..., 0], draws)


def test_intervals_of_draws_that_are_infinite_or_unknown() -> None:
    draws = np.arange(200.0)
    assert interval(draws) == (5.0, 194.0)
    assert interval(draws, 0.5) == (50.0, 149.0)
    assert interval(np.where(draws > 180, INFINITE, draws)) == (5.0, INFINITE)
    assert interval(np.full(100, INFINITE)) == (INFINITE, INFINITE)
    assert interval(np.where(draws < 10, NAN, draws)) == (15.0, 194.0)
    assert np.isnan(interval(np.where(draws < 11, NAN, draws))).all()
    assert np.isnan(interval(np.full(9, NAN))).all()


@pytest.mark.parametrize("count", [20, 21, 41, 60, 61, 100, 501, 512])
@pytest.mark.parametrize("level", [0.95, 0.975, 0.9])
def test_an_interval_leaves_out_as_many_draws_above_as_below(count: int, level: float) -> None:
    low, high = interval(np.arange(float(count)), level)
    assert low == count - 1 - high
    assert abs(low - (count - 1) * (1 - level) / 2) <= 0.5 + 1e-9


def test_a_ratio_of_two_empty_basins_is_equality() -> None:
    value, other = np.array([0.0, 0.0, 2.0, 3.0, NAN]), np.array([0.0, 2.0, 0.0, 1.5, 1.0])
    np.testing.assert_array_equal(contrast(value, other, "ratio"), [1.0, 0.0, INFINITE, 2.0, NAN])
    np.testing.assert_array_equal(contrast(value, other, "difference"), [0.0, -2.0, 2.0, 1.5, NAN])


@pytest.mark.parametrize(
    ("scale", "ends", "known", "side"),
    [
        ("ratio", (2.0, 1.5, INFINITE), True, 1),
        ("ratio", (INFINITE, 1.5, INFINITE), True, 1),
        ("ratio", (0.0, 0.0, 1 / 1.5), True, -1),
        ("ratio", (1.2, 0.9, 1.5), True, 0),
        ("ratio", (1.0, 1.0 + 1e-12, 1.5), True, 0),
        ("difference", (1.0, 0.5, 1.5), True, 1),
        ("difference", (-1.0, -1.5, -0.5), True, -1),
        ("difference", (1.0, NAN, NAN), False, 0),
        ("ratio", (NAN, 1.5, 2.0), False, 0),
    ],
)
def test_on_which_side_of_equality_an_interval_lies(
    scale: Scale, ends: tuple[float, float, float], known: bool, side: int
) -> None:
    estimate, low, high = ends
    made = Comparison(
        measure="m", column="", delta=None, of="a", against="b", value=1.0, other=1.0, scale=scale,
        estimate=estimate, low=low, high=high, level=0.95, seeds=3, needed=None,
    )  # fmt: skip
    assert (made.known, made.side) == (known, side)


@pytest.mark.parametrize("level", [0.95, 0.99])
@pytest.mark.parametrize("effect", [0.3, 0.5, 0.8, 1.0])
def test_the_seeds_that_are_named_give_the_power_that_is_named(effect: float, level: float) -> None:
    pilot = 4
    half = stats.t.ppf((1 + level) / 2, pilot - 1) / np.sqrt(pilot)
    needed = seeds_needed(-effect, -effect - half, -effect + half, pilot, level)
    assert needed is not None
    random = np.random.default_rng(5)

    def power(seeds: int) -> float:
        studies = effect + random.standard_normal((4000, seeds))
        return float((stats.ttest_1samp(studies, 0, axis=1).pvalue < 1 - level).mean())

    assert 0.75 < power(needed) < 0.85
    assert power(needed // 2) < 0.6


def test_no_number_of_seeds_is_named_without_a_guess() -> None:
    assert seeds_needed(1.0, 0.5, 1.5, 1) is None
    assert seeds_needed(0.0, -0.5, 0.5, 3) is None
    assert seeds_needed(1.0, NAN, NAN, 3) is None
    assert seeds_needed(INFINITE, 0.5, INFINITE, 3) is None
    assert seeds_needed(1e-4, -1.0, 1.0, 3) is None
    assert seeds_needed(5.0, 4.99, 5.01, 3) == 3


def grid(*rows: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Shares of two seeds: "." completed, "x" diverged, "/" one of each, " " missing."""
    kinds = {".": (0, 0), "x": (1, 1), "/": (0, 1), " ": (NAN, NAN)}
    return np.moveaxis(np.array([[kinds[sign] for sign in row] for row in rows], dtype=np.float64), -1, 0)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((".....", "....."), ("     ", "     ")),
        (("...xx", "...xx"), ("  ##", "  ##")),
        (("....x", "....."), ("   ##", "    #")),
        (("../xx", "../xx"), (" # # ", " # # ")),
        ((".. xx", ".. xx"), ("     ", "     ")),
        (("xxx", "x.x", "xxx"), (" # ", "###", " # ")),
    ],
)
def test_the_frontier_is_where_neighbors_differ(rows: tuple[str, ...], expected: tuple[str, ...]) -> None:
    mask = np.array([[sign == "#" for sign in row.ljust(len(rows[0]))] for row in expected])
    np.testing.assert_array_equal(frontier(grid(*rows)), mask)


def test_draws_of_divergence_are_those_of_the_posterior_on_the_frontier_only() -> None:
    lost = np.repeat(grid("..xx/. ", "..xx/. "), 2, axis=0)
    draws = unsettled(lost, multipliers(4, 3, 4096), 0)
    assert np.nanmin(draws) >= 0
    assert np.nanmax(draws) <= 1
    mean = (3 / 8) / (3 / 8 + 4 + 5 / 8)
    expected = [0, mean, 1 - mean, 1 - mean, 0.5, mean, NAN]
    np.testing.assert_allclose(draws.mean(axis=0), [expected, expected], atol=0.01)
    np.testing.assert_array_equal(draws[:, 0, 0], 0)
    assert draws[:, 0, 4].std() > 0.1
    # Cells and optimizers vary on their own.
    assert abs(np.corrcoef(draws[:, 0, 1], draws[:, 1, 1])[0, 1]) < 0.1
    assert abs(np.corrcoef(draws[:, 0, 1], unsettled(lost, multipliers(4, 3, 4096), 1)[:, 0, 1])[0, 1]) < 0.1


def test_the_least_beside_a_cell() -> None:
    np.testing.assert_array_equal(least_beside(np.array([[5.0, 1, 7], [2, 9, 3]])), [[1, 5, 1], [5, 1, 7]])


def test_missing_runs_at_the_frontier_leave_intervals() -> None:
    sides = [one(paraboloid(), name, points=10, seeds=3, diverges=12.0, noise=1.0, stream=i)
             for i, name in enumerate("ab")]  # fmt: skip
    found = contrasts(without(sides[0], (0, 2)), sides[1])
    assert found.chosen["a"] != Place(0, 0)
    assert found.compare("failure_share", "a", "b").known
