"""Which comparisons the edge of the box could turn round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from analysis.landscapes.basin import Contact
from analysis.measures.clipped_basin import edge
from tests.support.landscapes import contrasts, middles, one, paraboloid, without

if TYPE_CHECKING:
    from analysis.measures.contrasts import Contrasts
    from tests.support.landscapes import Floats

POINTS = 20
AT = {
    "low lr": {"x": -3.9},
    "high lr": {"x": -0.1},
    "low weight decay": {"y": -4.9},
    "high weight decay": {"y": -1.1},
}
WIDE = {"a": 0.9, "b": 0.9}
NARROW = {"a": 0.4, "b": 0.4}


def reason(found: Contrasts, measure: str, of: str = "a", against: str = "b", delta: float | None = None) -> str | None:
    both = [found.clipped(found.compare(measure, *pair, delta=delta)) for pair in ((of, against), (against, of))]
    assert both[0] == both[1]
    return both[0]


def pair(first: dict[str, float], second: dict[str, float], **options: Any) -> Contrasts:
    return contrasts(*(one(paraboloid(**shape), name, points=POINTS, **options)
                       for name, shape in (("a", first), ("b", second))))  # fmt: skip


@pytest.mark.parametrize("measure", ["basin_area", "basin_area_absolute"])
@pytest.mark.parametrize("side", list(AT))
def test_of_two_basins_the_narrower_one_must_not_be_clipped(measure: str, side: str) -> None:
    said = f"the narrower basin, a's, reaches the edge of the box at {side}"
    assert reason(pair(NARROW | AT[side], WIDE), measure, delta=1.0) == said
    assert reason(pair(NARROW, WIDE | AT[side]), measure, delta=1.0) is None
    assert reason(pair(NARROW, WIDE), measure, delta=1.0) is None


def test_a_basin_in_a_corner_reaches_both_edges() -> None:
    found = pair(NARROW | AT["high lr"] | AT["high weight decay"], WIDE)
    assert (reason(found, "basin_area", delta=1.0) or "").endswith("at high lr and high weight decay")


def test_each_basin_is_looked_at_as_it_is_measured() -> None:
    # Within 1 point of its own best it ends before the edge; within 1 point of the best of all it is narrower.
    deep, other = {"depth": 2.0, "a": 0.5, "b": 0.5}, {"depth": 2.8, "x": -2.8, "a": 0.9, "b": 0.9}
    found = pair(deep, other)
    assert found.contact("b", 2.0).sides == ("low lr",)
    assert found.contact("b", 2.0, absolute=True).sides == ()
    assert reason(found, "basin_area", delta=2.0) is None
    swapped = pair({"depth": 2.0, "a": 0.9, "b": 0.9}, {"depth": 2.8, "x": -3.2, "a": 0.7, "b": 0.7})
    assert reason(swapped, "basin_area", delta=2.0) != ""
    assert reason(swapped, "basin_area_absolute", delta=1.0) is None


def valley(name: str, width: float, zero: Floats | None) -> Any:
    """A basin that goes on to the lowest weight decay, `width` decades wide within 1 point."""
    return one(lambda u, v: 2 + (2 * (u + 2) / width) ** 2 + np.maximum(v + 3, 0) ** 2, name, points=POINTS, zero=zero)


def strip(width: float) -> Floats:
    return np.where(np.abs(middles((-4, 0), POINTS) + 2) < width / 2, 2.1, 60.0)


@pytest.mark.parametrize(
    ("narrow", "wide", "clipped"),
    [
        (None, None, True),
        (strip(0.6), None, True),
        (None, strip(0.6), True),
        (strip(0.6), strip(1.4), False),
        (strip(1.0), strip(1.0), False),
        (strip(1.4), strip(0.6), True),
        (np.full(POINTS, 60.0), np.full(POINTS, 60.0), False),
    ],
)
def test_below_the_box_a_basin_goes_on_as_wide_as_at_weight_decay_zero(
    narrow: Floats | None, wide: Floats | None, clipped: bool
) -> None:
    found = contrasts(valley("a", 0.8, narrow), valley("b", 2.0, wide))
    assert found.contact("a", 1.0).sides == ("low weight decay",)
    said = "the narrower basin, a's, reaches the edge of the box at low weight decay"
    assert reason(found, "basin_area", delta=1.0) == (said if clipped else None)


def test_a_weight_decay_of_zero_that_was_not_run_says_nothing() -> None:
    sides = [valley(name, width, strip(1.0)) for name, width in (("a", 0.8), ("b", 2.0))]
    assert reason(contrasts(*sides), "basin_area", delta=1.0) is None
    assert reason(contrasts(*(without(each, (0, 0)) for each in sides)), "basin_area", delta=1.0) is not None


@pytest.mark.parametrize("measure", ["depth", "best_epoch_depth"])
@pytest.mark.parametrize("side", list(AT))
def test_of_two_depths_the_worse_one_must_not_lie_at_the_edge(measure: str, side: str) -> None:
    def found(worse: dict[str, float], better: dict[str, float], zero: float | None = None) -> Contrasts:
        made = pair({"depth": 3.0} | worse, {"depth": 2.0} | better, zero=zero)
        for each in made.replicates.values():
            each.values["best_test_error"] = each.values["test_error"]
        return made

    said = f"the best cell of a, the worse one, lies on the edge of the box at {side}"
    assert reason(found(AT[side], {}), measure) == said
    assert reason(found({}, AT[side]), measure) is None
    # A weight decay of 0 that was tried, and is no better, leaves nothing below.
    assert reason(found(AT[side], {}, zero=5.0), measure) == (None if side == "low weight decay" else said)


def test_a_best_cell_at_weight_decay_zero_lies_at_no_edge_of_weight_decay() -> None:
    flat = one(paraboloid(depth=4.0), "a", points=POINTS, zero=3.0 + 0.1 * np.abs(np.arange(POINTS) - 9))
    found = contrasts(flat, one(paraboloid(), "b", points=POINTS, zero=9.0))
    assert found.chosen["a"] == (0, 9)
    assert reason(found, "depth") is None


@pytest.mark.parametrize(
    ("missing", "side"),
    [
        ((0, slice(None), slice(10, None)), "high lr"),
        ((0, slice(None), slice(0, 10)), "low lr"),
        ((0, slice(11, None)), "high weight decay"),
        ((0, slice(0, 11)), "low weight decay"),
    ],
)
def test_the_edge_is_that_of_the_cells_that_were_run(missing: Any, side: str) -> None:
    # Its optimum is in the middle of the axes, of which a study under way has run half.
    half = without(one(paraboloid(depth=3.0), "a", points=POINTS, zero=9.0), missing)
    found = contrasts(half, one(paraboloid(), "b", points=POINTS, zero=9.0))
    assert reason(found, "depth") == f"the best cell of a, the worse one, lies on the edge of the box at {side}"


def test_a_basin_reaches_the_edge_of_the_cells_that_both_have() -> None:
    sides = [one(paraboloid(**shape), name, points=POINTS) for name, shape in (("a", NARROW), ("b", WIDE))]
    missing = without(sides[1], (0, slice(None), slice(9, None)))
    said = "the narrower basin, a's, reaches the edge of the box at high lr"
    assert reason(contrasts(sides[0], missing), "basin_area", delta=1.0) == said


def test_other_measures_and_unknown_values_are_not_turned_round() -> None:
    found = pair(NARROW | AT["low lr"] | {"depth": 3.0}, WIDE)
    for measure in ("profile_auc", "lr_sensitivity", "failure_share", "optimum_weight_decay"):
        assert reason(found, measure) is None
    assert reason(found, "ridge_slope", delta=1.0) is None
    assert found.clipped(found.compare("trend", "a", None, column="test_error")) is None
    dead = contrasts(one(paraboloid(), "a", points=POINTS), one(paraboloid(), "b", points=POINTS, diverges=-1.0))
    assert reason(dead, "depth") is None
    assert reason(dead, "basin_area", delta=1.0) is None


def test_the_sides_in_words() -> None:
    assert edge(Contact(0.2, ("low lr", "high lr"), optimum=False)) == "low lr, high lr"
    assert edge(Contact(0.0, (), optimum=False)) == ""
