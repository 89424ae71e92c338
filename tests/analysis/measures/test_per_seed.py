"""Measures with one number a seed, against scipy's and numpy's own fits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.landscapes.labels import label
from analysis.measures import per_seed
from analysis.measures.contrasts import Contrasts
from analysis.measures.equal_loss import adjusted, last_epochs
from tests.support import synthetic
from tests.support.landscapes import contrasts, one, paraboloid, without

if TYPE_CHECKING:
    from analysis.landscapes.by_seed import Replicates
    from tests.support.landscapes import Floats

NAN = float("nan")


def with_column(landscape: Replicates, values: Floats, name: str = "norm") -> Replicates:
    return replace(landscape, values={**landscape.values, name: np.broadcast_to(values, landscape.lost.shape)})


def sides(seeds: int = 5, **options: Any) -> list[Replicates]:
    """Two optimizers with overlapping basins and a column of their own noise."""
    random = np.random.default_rng(seeds)
    made = []
    for stream, (name, x) in enumerate((("a", -2.2), ("b", -1.8))):
        landscape = one(paraboloid(x=x), name, points=12, seeds=seeds, stream=stream, **options)
        made.append(with_column(landscape, 10 ** (0.3 * stream + 0.2 * random.standard_normal(landscape.lost.shape))))
    return made


def student(values: Floats, level: float = 0.95) -> tuple[float, float]:
    found = stats.ttest_1samp(values, 0).confidence_interval(level)
    return float(found.low), float(found.high)


@pytest.mark.parametrize("level", [0.95, 0.975])
def test_a_column_is_compared_by_the_ratio_of_geometric_means_over_the_cells_of_both_basins(level: float) -> None:
    a, b = sides()
    found = contrasts(a, b, draws=2**16)
    both = found.inside("a", 2.0) & found.inside("b", 2.0)
    assert both.any()
    assert (found.inside("a", 2.0) ^ both).any()
    logs = [np.log(each.values["norm"][:, both]).mean(axis=1) for each in (a, b)]
    made = found.compare("matched", "a", "b", column="norm", level=level)
    assert (made.value, made.other) == pytest.approx(tuple(np.exp([each.mean() for each in logs])))
    assert made.estimate == pytest.approx(np.exp((logs[0] - logs[1]).mean()))
    low, high = student(logs[0] - logs[1], level)
    np.testing.assert_allclose(np.log([made.low, made.high]), [low, high], atol=0.01 * (high - low))
    assert (made.seeds, made.column, made.equal) == (5, "norm", 1.0)
    own = np.log(a.values["norm"][:, found.inside("a", 2.0)]).mean()
    assert found.value("matched", "a", column="norm") == pytest.approx(np.exp(own))


def test_a_column_is_compared_run_by_run_where_both_have_a_positive_value() -> None:
    a, b = sides(3)
    values = a.values["norm"].copy()
    whole = contrasts(a, b)
    place = tuple(np.argwhere(whole.inside("a", 2.0) & whole.inside("b", 2.0))[0])
    values[0, place[0], place[1]], values[1, place[0], place[1]] = NAN, 0.0
    found = contrasts(with_column(a, values), b)
    both = found.inside("a", 2.0) & found.inside("b", 2.0)
    expected = []
    for seed in range(3):
        kept = both.copy()
        kept[place] = seed == 2
        expected.append(np.log(a.values["norm"][seed][kept] / b.values["norm"][seed][kept]).mean())
    assert found.compare("matched", "a", "b", column="norm").estimate == pytest.approx(np.exp(np.mean(expected)))
    assert found.compare("matched", "b", "a", column="norm").estimate == pytest.approx(np.exp(-np.mean(expected)))


@pytest.mark.parametrize(("change", "column"), [("axes", "norm"), ("basins", "norm"), ("none", "nothing")])
def test_there_is_nothing_to_match_without_shared_cells_or_the_column(change: str, column: str) -> None:
    a, b = sides(3)
    b = replace(b, lr=2 * b.lr) if change == "axes" else b
    b = replace(sides(3)[1], values=one(paraboloid(x=-0.3), points=12, seeds=3).values) if change == "basins" else b
    b = with_column(b, np.ones(()))
    made = contrasts(a, b).compare("matched", "a", "b", column=column)
    assert np.isnan([made.estimate, made.low, made.high]).all()
    assert (made.seeds, made.known) == (0, False)


@pytest.mark.parametrize("zero", [None, 4.0])
def test_a_trend_is_the_mean_slope_over_the_learning_rates_of_the_basin(zero: float | None) -> None:
    a, b = sides(4, zero=zero, diverges=8.0, noise=0.5)
    found = contrasts(a, b, draws=2**16)

    def slopes(each: Replicates) -> Floats:
        positive = each.weight_decay > 0
        basin = found.inside(each.label, 2.0) & positive[:, None]
        rows = []
        for column in np.flatnonzero(basin.any(axis=0)):
            kept = positive & (each.lost[:, :, column] == 0).all(axis=0)
            x, y = np.log10(each.weight_decay[kept]), np.log10(each.values["norm"][:, kept, column])
            rows.append([stats.linregress(x, seed).slope for seed in y])
        return np.asarray(np.mean(rows, axis=0))

    share = a.lost.mean(axis=0)
    assert ((share > 0) & (share < 1)).any()
    expected = slopes(a), slopes(b)
    made, alone = (found.compare("trend", "a", against, column="norm") for against in ("b", None))
    assert made.estimate == pytest.approx((expected[0] - expected[1]).mean(), abs=1e-10)
    low, high = student(expected[0] - expected[1])
    np.testing.assert_allclose([made.low, made.high], [low, high], atol=0.01 * (high - low))
    assert alone.estimate == pytest.approx(expected[0].mean(), abs=1e-10)
    assert (alone.other, alone.against) == (0.0, "")
    low, high = student(expected[0])
    np.testing.assert_allclose([alone.low, alone.high], [low, high], atol=0.01 * (high - low))
    assert found.value("trend", "b", column="norm") == pytest.approx(expected[1].mean(), abs=1e-10)


@pytest.mark.parametrize("slope", [-0.5, 0.0, 1.0])
def test_a_power_law_has_its_exponent_for_a_trend(slope: float) -> None:
    landscape = one(paraboloid(), points=12, seeds=2, diverges=40.0, noise=0.2)
    found = contrasts(with_column(landscape, 3 * landscape.weight_decay[:, None] ** slope))
    made = found.compare("trend", "a", None, column="norm")
    assert made.estimate == pytest.approx(slope)
    assert made.side == np.sign(slope)
    few = contrasts(with_column(one(paraboloid(), y=np.array([-3.5, -3.0]), seeds=2), np.ones(())))
    assert np.isnan(few.value("trend", "a", column="norm"))


def test_the_best_epoch_is_read_in_the_chosen_cell() -> None:
    a, b = sides(4, noise=0.3)
    a, b = (with_column(each, each.values["norm"], "best_test_error") for each in (a, b))
    found = contrasts(a, b, draws=2**16)
    at = [each.values["norm"][:, *found.chosen[each.label]] for each in (a, b)]  # type: ignore[misc,arg-type]
    made = found.compare("best_epoch_depth", "a", "b")
    assert (made.value, made.other) == pytest.approx((at[0].mean(), at[1].mean()))
    low, high = student(at[0] - at[1])
    np.testing.assert_allclose([made.low, made.high], [low, high], atol=0.01 * (high - low))
    assert np.isnan(contrasts(*sides()).value("best_epoch_depth", "a"))
    fewer = contrasts(without(a, (1, slice(None), slice(None))), b)
    there, back = (fewer.compare("best_epoch_depth", *pair) for pair in (("a", "b"), ("b", "a")))
    assert there.seeds == back.seeds == 3
    assert there.other == back.value == pytest.approx(at[1][[0, 2, 3]].mean())


def curve(run: str, loss: Floats, error: Floats) -> pd.DataFrame:
    return pd.DataFrame({"run_id": run, "epoch": np.arange(1, len(loss) + 1), "train_loss": loss, "test_error": error})


@pytest.mark.parametrize(("epochs", "kept"), [(200, 40), (80, 40), (79, 39), (20, 10), (7, 3), (1, 0)])
def test_the_last_epochs_are_forty_or_half(epochs: int, kept: int) -> None:
    found = last_epochs(curve("r", np.ones(epochs), np.ones(epochs)))
    assert list(found["epoch"]) == list(range(epochs - kept + 1, epochs + 1))


def test_at_equal_loss_two_parallel_lines_differ_by_their_distance() -> None:
    loss = np.logspace(0, -2, 20), np.logspace(-0.5, -3, 20)
    lines = [7 + 3 * np.log10(loss[0]), 5.5 + 3 * np.log10(loss[1])]
    curves = pd.concat([curve(run, *each) for run, *each in zip("ab", loss, lines, strict=True)])
    found = adjusted(curves, pd.DataFrame({"first": ["a"], "second": ["b"]}))
    assert float((found["first_error"] - found["second_error"]).iloc[0]) == pytest.approx(1.5)
    middle = np.mean([np.log10(each[10:]).mean() for each in loss])
    assert float(found["first_error"].iloc[0]) == pytest.approx(7 + 3 * middle)


def test_errors_at_equal_loss_are_those_of_an_analysis_of_covariance() -> None:
    random = np.random.default_rng(0)
    runs = {name: curve(name, 10 ** random.normal(-1, 0.5, 30), random.normal(5, 1, 30)) for name in "abcd"}
    runs["c"].loc[20, "train_loss"] = 0.0
    found = adjusted(
        pd.concat(runs.values()), pd.DataFrame({"first": ["a", "c"], "second": ["b", "d"], "seed": [3, 9]})
    )
    rows = pd.concat(each.iloc[15:] for each in runs.values())
    rows = rows[rows["train_loss"] > 0]
    design = pd.get_dummies(rows["run_id"]).astype(float).assign(loss=np.log10(rows["train_loss"])).to_numpy()
    effects = np.linalg.lstsq(design, rows["test_error"].to_numpy(), rcond=None)[0]
    expected = [effects[0] - effects[1], effects[2] - effects[3]]
    np.testing.assert_allclose(found["first_error"] - found["second_error"], expected)
    assert list(found["seed"]) == [3, 9]


def test_no_error_at_equal_loss_without_losses_that_vary_and_three_epochs() -> None:
    pair = pd.DataFrame({"first": ["a"], "second": ["b"]})
    flat = pd.concat([curve(run, np.ones(20), np.arange(20.0)) for run in "ab"])
    assert not len(adjusted(flat, pair))
    short = pd.concat([curve("a", np.logspace(0, -1, 5), np.ones(5)), curve("b", np.logspace(0, -1, 20), np.ones(20))])
    assert not len(adjusted(short, pair))
    assert not len(adjusted(short.iloc[:0], pair))


def test_a_study_is_compared_at_equal_loss_seed_by_seed() -> None:
    runs = label(synthetic.runs({name: synthetic.DEMO[name] for name in ("adam", "adamw")}, seeds=3, noise=0.3))
    curves = synthetic.curves(runs)
    curves["test_error"] += np.random.default_rng(2).normal(0, 0.3, len(curves))
    found = Contrasts.of_runs(runs, curves=curves)
    made = found.compare("equal_loss_error", "adam", "adamw")
    both = per_seed.shared(found, "adam", "adamw")
    axes = found.replicates["adam"]
    names = {
        (row.label, row.seed, row.lr, row.weight_decay): row.run_id for row in runs.itertuples()
    }  # fmt: skip
    places = [(seed, axes.lr[c], axes.weight_decay[r]) for seed in axes.seeds for r, c in np.argwhere(both)]
    pairs = pd.DataFrame(
        [(*(names[(name, *place)] for name in ("adam", "adamw")), place[0]) for place in places],
        columns=["first", "second", "seed"],
    )
    each = adjusted(curves, pairs).groupby("seed")[["first_error", "second_error"]].mean()
    apart = (each["first_error"] - each["second_error"]).to_numpy()
    assert made.estimate == pytest.approx(apart.mean())
    assert made.seeds == 3
    low, high = student(apart)
    np.testing.assert_allclose([made.low, made.high], [low, high], atol=0.1 * (high - low))
    assert np.isnan(Contrasts.of_runs(runs).compare("equal_loss_error", "adam", "adamw").estimate)
    with pytest.raises(ValueError, match="compares two"):
        found.compare("equal_loss_error", "adam", None)
    with pytest.raises(ValueError, match="needs the column"):
        found.compare("trend", "adam", None)


def test_columns_are_read_from_the_runs_table_on_first_use() -> None:
    runs = label(synthetic.runs({"adam": synthetic.DEMO["adam"]}, diverges=20.0))
    runs["grad_norm"] = np.random.default_rng(0).random(len(runs))
    runs["text"] = "x"
    found = Contrasts.of_runs(pd.concat([runs, runs, runs]))
    one, values = found.replicates["adam"], found.column("adam", "grad_norm")
    for row in runs.sample(50, random_state=0).itertuples():
        at = np.flatnonzero(one.seeds == row.seed), one.weight_decay == row.weight_decay, one.lr == row.lr
        assert values[np.ix_(*at)].item() == row.grad_norm
    assert found.column("adam", "grad_norm") is values
    for name in ("text", "nothing"):
        assert np.isnan(found.column("adam", name)).all()
    np.testing.assert_array_equal(np.isnan(found.column("adam", "train_loss")), one.lost == 1)
