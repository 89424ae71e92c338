"""What must change no comparison, and what must only turn it round."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from analysis.landscapes.by_seed import replicates
from analysis.landscapes.labels import label
from analysis.measures import per_seed
from analysis.measures.contrasts import Contrasts
from tests.support import synthetic
from tests.support.landscapes import OVER_LANDSCAPE, contrasts, middles, one, paraboloid, without

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.landscapes.by_seed import Replicates
    from analysis.statistics.comparison import Comparison

LOCATED = {"optimum_weight_decay"}
NAN = float("nan")


def noisy(name: str, stream: int, seeds: int = 3, *, points: int = 14, **options: Any) -> Replicates:
    truth = paraboloid(x=-2 - 0.2 * stream, a=0.6 + 0.1 * stream, depth=2 + 0.2 * stream)
    return one(truth, name, points=points, seeds=seeds, noise=0.3, diverges=25.0, stream=stream, **options)


def every(found: Contrasts, of: str = "a", against: str = "b") -> Iterator[Comparison]:
    for measure, kind in OVER_LANDSCAPE.items():
        for delta in (1.0, 2.0) if kind.basin else (None,):
            yield found.compare(measure, of, against, delta=delta)
    for column in ("test_error", "train_loss"):
        yield found.compare("matched", of, against, column=column)
        yield found.compare("trend", of, against, column=column)


def numbers(found: Contrasts, *, leave: set[str] | None = None) -> dict[tuple[str, float | None, str], list[float]]:
    return {
        (each.measure, each.delta, each.column): [each.estimate, each.low, each.high, each.value, each.other]
        for each in every(found)
        if each.measure not in (leave or set())
    }


def same(first: Contrasts, second: Contrasts, *, leave: set[str] | None = None, compared_only: bool = False) -> None:
    kept = slice(3 if compared_only else None)
    others = numbers(second, leave=leave)
    for key, values in numbers(first, leave=leave).items():
        np.testing.assert_allclose(others[key][kept], values[kept], rtol=1e-9, atol=1e-9, err_msg=str(key))


def test_a_weight_decay_rescaled_by_a_constant_shifts_the_best_one_alone() -> None:
    sides = noisy("a", 0), noisy("b", 1)
    found = contrasts(*sides)
    moved = contrasts(*(replace(each, weight_decay=1e3 * each.weight_decay) for each in sides))
    same(found, moved, leave=LOCATED)
    both = [each.compare("optimum_weight_decay", "a", "b") for each in (found, moved)]
    assert both[1].value == pytest.approx(both[0].value + 3)
    assert [both[1].low, both[1].high] == pytest.approx([both[0].low, both[0].high])
    for name in "ab":
        assert found.contact(name, 1.0).sides == moved.contact(name, 1.0).sides
        assert found.contact(name, 1.0).share == pytest.approx(moved.contact(name, 1.0).share)


@pytest.mark.parametrize("shear", [-1.0, 1.0])
def test_areas_inside_the_box_do_not_change_when_weight_decay_is_divided_by_the_learning_rate(shear: float) -> None:
    straight = paraboloid(a=0.5, b=0.7, depth=2.0)
    a, b = (one(straight, name, points=300) for name in "ab")
    tilted = one(lambda u, v: straight(u, v + shear * (u + 2)), "b", points=300)
    plain, sheared = contrasts(a, b), contrasts(a, tilted)
    assert not sheared.contact("b", 2.0).sides
    for measure in ("basin_area", "basin_area_absolute"):
        for delta in (1.0, 2.0):
            assert sheared.compare(measure, "a", "b", delta=delta).estimate == pytest.approx(1, rel=0.01)
            assert plain.compare(measure, "a", "b", delta=delta).estimate == 1
    assert sheared.value("ridge_slope", "b", delta=1.0) == pytest.approx(-shear, abs=0.01)


@pytest.mark.parametrize("validation", [True, False])
def test_a_constant_added_to_all_errors_changes_no_relative_area_and_no_difference(validation: bool) -> None:
    sides = [noisy("a", 0, 4, validation=validation), noisy("b", 1, 4, validation=validation)]
    worse = [replace(each, values={name: v + 5.0 for name, v in each.values.items()}) for each in sides]
    chances = contrasts(*sides), contrasts(*worse, chance=95.0)
    # A share of chance is less of a greater one, and a ratio of errors is none of differences.
    same(*chances, leave={"profile_auc", "matched", "trend"}, compared_only=True)
    shares = [each.value("profile_auc", "a") * each.chance for each in chances]
    assert shares[0] == pytest.approx(shares[1])


@pytest.mark.parametrize("validation", [True, False])
def test_the_other_way_round_everything_is_turned_round(validation: bool) -> None:
    sides = [noisy(name, i, 4, validation=validation, zero=4.0) for i, name in enumerate("abc")]
    sides[1] = without(sides[1], (0, slice(2, 4), slice(3, 5)))
    found = contrasts(*sides)
    for there, back in zip(every(found, "a", "b"), every(found, "b", "a"), strict=True):
        np.testing.assert_equal((there.value, there.other), (back.other, back.value))
        assert (there.seeds, there.needed, there.side) == (back.seeds, back.needed, -back.side)
        if there.scale == "difference":
            expected = -back.estimate, -back.high, -back.low
        else:
            with np.errstate(divide="ignore"):
                expected = tuple(1 / np.array([back.estimate, back.high, back.low]))
        np.testing.assert_allclose([there.estimate, there.low, there.high], expected, rtol=1e-12, err_msg=there.measure)


def test_a_basin_of_which_nothing_is_left_is_decided_either_way_round() -> None:
    found = contrasts(noisy("a", 0), one(paraboloid(depth=12.0), "b", points=14, seeds=3, noise=0.3, stream=1))
    there, back = (found.compare("basin_area_absolute", *pair, delta=1.0) for pair in (("a", "b"), ("b", "a")))
    assert (back.estimate, back.low, back.high) == (0.0, 0.0, 0.0)
    assert (there.estimate, there.low, there.high) == (np.inf, np.inf, np.inf)
    assert (there.side, back.side) == (1, -1)
    assert there.needed is back.needed is None


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("diverges", [1e9, 6.0, 4.5])
def test_two_optimizers_with_the_same_runs_are_equal(seeds: int, diverges: float) -> None:
    rough = one(paraboloid(a=1.0, b=1.0), "a", points=14, seeds=seeds, noise=0.6, diverges=diverges, stream=3)
    lost = rough.lost.mean(axis=0)
    assert ((lost > 0) & (lost < 1)).any() == (diverges < 1e9)
    found = contrasts(rough, replace(rough, label="b"), draws=2048)
    for each in every(found):
        assert each.estimate == each.equal, each.measure
        assert each.low <= each.equal <= each.high or (seeds == 2 and not each.known), each.measure
        assert each.side == 0
        assert each.needed is None


@pytest.mark.parametrize(
    ("seeds", "validation", "scoring"), [(1, True, 1), (1, False, 1), (2, False, 1), (3, False, 2)]
)
def test_one_scoring_seed_has_no_interval(seeds: int, validation: bool, scoring: int) -> None:
    found = contrasts(noisy("a", 0, seeds, validation=validation), noisy("b", 1, seeds, validation=validation))
    for each in every(found):
        if each.measure in OVER_LANDSCAPE:
            assert each.seeds == scoring
        if np.isfinite(each.estimate):
            assert each.known == (each.seeds > 1)
            assert (each.needed is None) or each.known
        if each.seeds == 1:
            assert np.isnan([each.low, each.high]).all()


def test_the_optimizer_with_fewer_seeds_gives_the_degrees_of_freedom() -> None:
    full, few = noisy("a", 0, 5), without(noisy("b", 1, 5), (slice(2, None),))
    found = contrasts(full, few)
    assert [found.seeds(*names) for names in ("a", "b", "ab")] == [5, 2, 2]
    alone = contrasts(full, noisy("b", 1, 5)).compare("depth", "a", "b")
    few_made = found.compare("depth", "a", "b")
    assert few_made.seeds == 2
    assert few_made.high - few_made.low > alone.high - alone.low


def table() -> pd.DataFrame:
    runs = synthetic.runs({name: synthetic.DEMO[name] for name in ("adam", "adamw")}, diverges=20.0, noise=0.5)
    return runs.assign(optimizer=runs["optimizer"].map({"adam": "a", "adamw": "b"}))


def exact(found: Contrasts) -> dict[tuple[str, float | None, str], list[float]]:
    return {key: list(np.nan_to_num(values, nan=-1e9)) for key, values in numbers(found).items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        lambda runs: runs.sample(frac=1, random_state=1),
        lambda runs: pd.concat([runs, runs.iloc[100:300], runs.iloc[100:300]]).sample(frac=1, random_state=2),
        lambda runs: runs.assign(seed=runs["seed"].map({0: 3, 1: 17, 2: 40})),
    ],
    ids=["rows in another order", "rows repeated", "seeds renumbered"],
)
@pytest.mark.parametrize("first", [True, False], ids=["labelled before", "labelled after"])
def test_what_a_table_may_do_without_changing_a_bit(change: object, first: bool) -> None:
    assert callable(change)
    runs = table()
    changed = change(label(runs)) if first else label(change(runs))
    assert exact(Contrasts.of_runs(changed)) == exact(Contrasts.of_runs(label(runs)))


def test_runs_that_share_a_place_are_averaged_in_any_order() -> None:
    runs = label(table())
    copies = [
        runs.assign(run_id=runs["run_id"] + str(i), test_error=runs["test_error"] * (1 + i / 7)) for i in range(3)
    ]
    joined = pd.concat(copies)
    found = [replicates(rows, ["test_error"]) for rows in (joined, joined.sample(frac=1, random_state=3), runs)]
    for name, each in found[0].items():
        np.testing.assert_array_equal(each.values["test_error"], found[1][name].values["test_error"])
        one = found[2][name]  # a diverged run has chance in each copy
        expected = one.values["test_error"] * np.where(one.lost == 1, 1.0, 8 / 7)
        np.testing.assert_allclose(each.values["test_error"], expected)


def test_runs_are_put_in_their_places() -> None:
    runs = synthetic.failed(label(table()), label(table())["seed"].eq(1) & label(table())["lr"].eq(synthetic.LR[4]))
    found = replicates(runs.assign(text="x"), ["test_error", "nothing"], lr=synthetic.LR[2:6])
    assert list(found) == ["a", "b"]
    each = found["b"]
    assert each.lost.shape == (3, len(synthetic.WEIGHT_DECAY), 4)
    assert each.count == 3
    for _, row in runs[(runs["label"] == "b") & runs["lr"].isin(synthetic.LR[2:6])].iterrows():
        at = int(row["seed"]), synthetic.WEIGHT_DECAY.index(row["weight_decay"]), synthetic.LR[2:6].index(row["lr"])
        lost = {"completed": 0.0, "diverged": 1.0, "failed": NAN}[row["status"]]
        error = row["baseline"] if row["status"] == "diverged" else row["test_error"]
        np.testing.assert_equal([each.values["test_error"][at], each.lost[at]], [error, lost])
    assert np.isnan(each.values["nothing"]).all()
    assert np.isnan(each.lost[1, :, 2]).all()


def test_series_are_of_the_same_measures_as_their_names_say() -> None:
    assert not set(per_seed.FORMULAS) & set(OVER_LANDSCAPE)
    with pytest.raises(ValueError, match="needs the column"):
        contrasts(one(paraboloid(), y=middles((-5, -1), 5))).value("matched", "a")
