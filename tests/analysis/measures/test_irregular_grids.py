"""Grids that are uneven, differ, have holes, too few seeds, or a weight decay of 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analysis.landscapes.basin import Place
from tests.support.landscapes import OVER_LANDSCAPE, contrasts, middles, one, paraboloid, without

if TYPE_CHECKING:
    from tests.support.landscapes import Truth


def test_uneven_grids_have_areas_by_their_true_weights() -> None:
    x = np.array([-4.0, -3.5, -2.0, -1.9, 0.0])
    truth: Truth = lambda u, v: np.where((u > -3.6) & (u < -1.95) & (v < -2), 5.0, 45.0)  # noqa: E731
    found = contrasts(one(truth, x=x, y=np.array([-4.0, -2.5, -1.0])))
    # From the middle of -4 and -3.5 to that of -2 and -1.9; two rows of 1.5 decades.
    assert found.value("basin_area", "a", delta=1.0) == pytest.approx((-1.95 + 3.75) * 3.0)
    box = (0.95 + 4.25) * 4.5
    assert found.value("profile_auc", "a") == pytest.approx(1 - (45 - 40 * 1.8 * 3.0 / box) / 90)
    assert found.value("lr_sensitivity", "a") == pytest.approx(40 - 40 * 1.8 / 5.2)
    assert found.value("weight_decay_sensitivity", "a") == pytest.approx(40 - 40 * 3.0 / 4.5)
    lost = contrasts(one(truth, x=x, y=np.array([-4.0, -2.5, -1.0]), diverges=45.0))
    assert lost.value("failure_share", "a") == pytest.approx(1 - 1.8 * 3.0 / box)
    crowded = contrasts(one(paraboloid(), x=-4 + 4 * ((np.arange(200) + 0.5) / 200) ** 2, points=200))
    assert crowded.value("basin_area", "a", delta=1.0) == pytest.approx(np.pi * 0.5 * 0.7, rel=0.02)


def test_optimizers_on_other_grids_are_compared_in_one_box() -> None:
    truth: Truth = lambda u, v: np.where((u < -1) & (v > -3), 10.0, 50.0)  # noqa: E731
    far = one(truth, "b", x=middles((-2, 2), 40), y=middles((-4, 3), 70))
    found = contrasts(one(truth, "a"), far)
    # In common are -2..0 and -4..-1.
    for name in "ab":
        assert found.value("basin_area", name, delta=1.0) == pytest.approx(2.0)
        assert found.value("profile_auc", name) == pytest.approx(1 - (10 + 50 * 2) / 3 / 90)
        assert found.value("lr_sensitivity", name) == pytest.approx(20.0)
    assert found.contact("b", 1.0).sides == ("low lr", "high weight decay")


def test_weight_decay_zero_is_in_no_area_but_may_be_chosen() -> None:
    plain, flat = contrasts(one(paraboloid(), points=200)), contrasts(one(paraboloid(), points=200, zero=1.5))
    assert flat.chosen["a"] == Place(0, 0)
    assert flat.depth("a") == 1.5
    # e* is half a point below the paraboloid's own, so the basin of 1 point is its basin of half a point.
    assert flat.value("basin_area", "a", delta=1.0) == pytest.approx(np.pi * 0.5 * 0.7 * 0.5, rel=0.02)
    for measure in ("profile_auc", "failure_share", "optimum_weight_decay"):
        assert flat.value(measure, "a") == plain.value(measure, "a")
    assert flat.value("lr_sensitivity", "a") == pytest.approx(0.0)
    assert flat.contact("a", 1.0).optimum


@pytest.mark.parametrize("zero", [None, 1.0])
def test_optimizers_are_compared_on_the_cells_that_both_have(zero: float | None) -> None:
    a, b = (one(paraboloid(y=-2.5), name, zero=zero, points=20, seeds=3, diverges=30.0) for name in "ab")
    missing = np.zeros(a.lost.shape, dtype=bool)
    missing[:, :, 13:] = missing[:, :4, 3] = missing[:, -1] = True
    found = contrasts(without(a, missing), b)
    for measure, kind in OVER_LANDSCAPE.items():
        made = found.compare(measure, "a", "b", delta=2.0 if kind.basin else None)
        assert made.estimate == pytest.approx(made.equal, abs=1e-12), measure
        assert made.value == pytest.approx(made.other)
    whole = contrasts(b)
    assert whole.value("profile_auc", "b") != pytest.approx(found.value("profile_auc", "b"), rel=0.01)


def test_cells_with_fewer_seeds_count_with_those_they_have() -> None:
    effect = np.array([0.0, 1.0, 5.0])
    few = without(one(paraboloid(), points=20, seeds=3, effect=effect), (2,))
    found, pair = contrasts(few), contrasts(one(paraboloid(), points=20, seeds=2, effect=effect[:2]))
    for measure, kind in OVER_LANDSCAPE.items():
        delta = 1.0 if kind.basin else None
        assert found.value(measure, "a", delta=delta) == pytest.approx(pair.value(measure, "a", delta=delta)), measure


def test_an_optimizer_that_always_diverges_has_failures_and_no_basin() -> None:
    dead = one(paraboloid(), "b", points=20, seeds=3, diverges=-1.0)
    found = contrasts(one(paraboloid(), "a", points=20, seeds=3), dead)
    values = {name: found.value(name, "b", delta=1.0 if kind.basin else None) for name, kind in OVER_LANDSCAPE.items()}
    assert {name: number for name, number in values.items() if not np.isnan(number)} == {
        "failure_share": 1.0,
        "profile_auc": pytest.approx(0.0),
        "basin_area_absolute": 0.0,
    }
    assert found.chosen["b"] is None
    assert np.isnan(found.depth("b"))
    assert not found.inside("b", 1.0).any()
    assert found.contact("b", 1.0).sides == ()
    failures = found.compare("failure_share", "a", "b")
    assert (failures.estimate, failures.low, failures.high, failures.seeds) == (-1.0, -1.0, -1.0, 3)
    assert not found.compare("depth", "a", "b").known
    alone = contrasts(dead)
    assert alone.best is None
    assert alone.value("failure_share", "b") == 1.0
    assert np.isnan(alone.value("basin_area_absolute", "b", delta=1.0))


def test_without_a_weight_decay_above_0_there_is_no_area() -> None:
    none = np.zeros(0)
    found = contrasts(*(one(paraboloid(), name, y=none, zero=3.0, seeds=3, noise=0.1) for name in "ab"))
    assert found.box is None
    for measure in ("basin_area", "basin_area_absolute"):
        made = found.compare(measure, "a", "b", delta=1.0)
        assert np.isnan([made.value, made.other, made.estimate]).all()
        assert not made.known
    assert found.compare("depth", "a", "b").known
