"""Measures on basins that are known in closed form: paraboloids in log space."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from analysis.contents.summary import runs_of_summaries, summarize, summarize_samples
from analysis.landscapes.basin import (
    Box,
    Place,
    area_share,
    basin,
    basin_area,
    basin_share,
    best_cell,
    box_contact,
    cell_weights,
    common_box,
    depth,
)
from analysis.landscapes.labels import label
from analysis.landscapes.landscape import Landscape, Status, edges, landscapes
from analysis.measures.contrasts import Contrasts
from tests.support import synthetic
from tests.support.synthetic import Basin


def landscape(
    shape: Basin | None = None,
    points: int = 25,
    zero: bool = False,
    diverges: float = 1e9,
    shift: float = 1.0,
) -> Landscape:
    lr = tuple(np.logspace(-4.5, -0.5, points))
    decay = tuple(shift * np.logspace(-5, -1, points))
    runs = synthetic.runs(
        {"adams": shape or Basin()}, lr=lr, weight_decay=(0.0, *decay) if zero else decay, seeds=1, noise=0,
        diverges=diverges,
    )  # fmt: skip
    return landscapes(runs)["adams"]


def test_weights_are_the_areas_between_true_edges() -> None:
    runs = synthetic.runs(lr=(1e-3, 1e-2, 1.0), weight_decay=(0.0, 1e-4, 1e-2), seeds=1)
    weights = cell_weights(landscapes(runs)["adam"])
    np.testing.assert_allclose(weights, [[0.0, 0.0, 0.0], [2.0, 3.0, 4.0], [2.0, 3.0, 4.0]])


def test_weights_are_clipped_to_the_box() -> None:
    one = landscape(points=9)
    box = Box((1e-4, 1e-2), (1e-4, 10**-1.75))
    assert cell_weights(one, box).sum() == pytest.approx(2.0 * 2.25)
    assert cell_weights(one).sum() == pytest.approx(4.5 * 4.5)


@pytest.mark.parametrize("delta", [0.5, 1.0, 2.0])
def test_area_of_a_paraboloid_converges_to_its_closed_form(delta: float) -> None:
    shape = Basin(depth=2.0, x=-2.5, y=-3.0, a=0.6, b=0.8)
    truth = np.pi * shape.a * shape.b * delta
    errors = [abs(basin_area(landscape(shape, points), delta, reference=2.0) / truth - 1) for points in (17, 65, 401)]
    # Counting cells inside a smooth boundary errs by at most (perimeter x cell width) / area.
    for error, points in zip(errors, (17, 65, 401), strict=True):
        perimeter = 2 * np.pi * 0.8 * delta**0.5
        assert error < perimeter * (4 / (points - 1)) / truth
    assert errors[-1] < 0.01


def test_basin_is_what_the_formula_says_relative_and_absolute() -> None:
    one = landscape(points=33)
    x, y = np.log10(one.lr), np.log10(one.weight_decay)[:, None]
    error = 2.0 + ((x + 2.5) / 0.5) ** 2 + ((y + 3.0) / 0.7) ** 2
    np.testing.assert_array_equal(basin(one, 1.5), error <= error.min() + 1.5)
    np.testing.assert_array_equal(basin(one, 1.5, reference=1.0), error <= 2.5)
    assert not basin(one, 0.5, reference=1.0).any()


def test_a_mean_at_the_threshold_is_inside_in_spite_of_rounding() -> None:
    one = landscape(points=3)
    mean = np.full((3, 3), 0.1 + 0.2 + 1.0)
    mean[1, 1] = 0.3
    assert basin(dataclasses.replace(one, mean=mean), 1.0).all()


def test_area_ignores_a_constant_factor_of_weight_decay_and_a_constant_error() -> None:
    one = landscape(Basin(y=-3.0), points=40)
    shifted = landscape(Basin(y=0.0), points=40, shift=1e3)
    assert basin_area(shifted, 1.0) == pytest.approx(basin_area(one, 1.0))
    worse = landscape(Basin(depth=7.25), points=40)
    assert basin_area(worse, 1.0) == pytest.approx(basin_area(one, 1.0))
    assert basin_area(worse, 1.0, reference=2.0) == 0


def test_weight_decay_zero_is_in_no_area_but_may_be_the_best() -> None:
    with_zero, without = landscape(zero=True), landscape()
    assert basin_area(with_zero, 1.0) == basin_area(without, 1.0)
    assert area_share(with_zero, with_zero.lost) == area_share(without, without.lost) == 0
    mean = with_zero.mean.copy()
    mean[0, 3] = 0.5
    best = dataclasses.replace(with_zero, mean=mean)
    assert best_cell(best) == Place(0, 3)
    assert depth(best) == 0.5
    assert box_contact(best, 1.0).optimum


def test_share_is_of_the_measured_area() -> None:
    one = landscape(points=21)
    half = dataclasses.replace(one, mean=one.mean.copy(), seeds=one.seeds.copy())
    half.mean[:10], half.seeds[:10] = np.nan, 0
    rows = slice(10, None)
    assert basin_share(half, 1.0) == pytest.approx(basin(one, 1.0)[rows].sum() / one.mean[rows].size)


def test_failures_count_by_area_and_by_seed() -> None:
    runs = synthetic.runs({"adam": Basin()}, lr=(1e-3, 1e-2, 1.0), weight_decay=(1e-4, 1e-2), seeds=2, noise=0)
    lost = (runs["lr"] == 1.0) | ((runs["lr"] == 1e-3) & (runs["seed"] == 0) & (runs["weight_decay"] == 1e-2))
    runs["status"] = np.where(lost, "diverged", "completed")
    runs["test_error"] = np.where(lost, 90.0, 5.0)
    one = landscapes(runs)["adam"]
    # Cells are 1, 1.5 and 2 decades wide: all of the last column, half of one cell in the first.
    assert area_share(one, one.lost) == pytest.approx((2 * 2.0 + 0.5 * 1.0) / (2 * 4.5))
    assert not basin(one, 1e3)[one.status == Status.DIVERGED].any()


def test_nothing_trained_has_no_best_cell_and_no_basin() -> None:
    one = landscape(diverges=-1.0)
    assert best_cell(one) is None
    assert np.isnan(depth(one))
    assert basin_area(one, 1.0) == 0
    assert area_share(one, one.lost) == 1
    assert not box_contact(one, 1.0).optimum


@pytest.mark.parametrize(
    ("shape", "sides", "optimum"),
    [
        (Basin(), (), False),
        (Basin(x=-4.5), ("low lr",), True),
        (Basin(x=-0.8), ("high lr",), False),
        (Basin(y=-1.0), ("high weight decay",), True),
        (Basin(y=-4.6), ("low weight decay",), False),
    ],
)
def test_contact_tells_where_the_box_clips_a_basin(shape: Basin, sides: tuple[str, ...], optimum: bool) -> None:
    one = landscape(shape)
    contact = box_contact(one, 1.0)
    assert contact.sides == sides
    assert contact.optimum == optimum
    inside = basin(one, 1.0)
    border = np.ones_like(inside)
    border[1:-1, 1:-1] = False
    assert contact.share == pytest.approx((inside & border).sum() / inside.sum())


def test_box_is_what_all_landscapes_cover() -> None:
    near = landscapes(synthetic.runs(lr=(1e-3, 1e-2, 1e-1), weight_decay=(1e-4, 1e-3), seeds=1))["adam"]
    far = landscapes(synthetic.runs(lr=(1e-2, 1e-1, 1.0), weight_decay=(0.0, 1e-5, 1e-4), seeds=1))["adamw"]
    box = common_box([near, far])
    assert box is not None
    np.testing.assert_allclose(np.log10([*box.lr, *box.weight_decay]), [-2.5, -0.5, -4.5, -3.5])
    strip = landscapes(synthetic.runs(weight_decay=(0.0,), seeds=1))["adam"]
    assert common_box([strip]) is None
    np.testing.assert_allclose(edges(near.lr)[[0, -1]], [10**-3.5, 10**-0.5])


def test_summary_chooses_on_validation_and_scores_on_test() -> None:
    runs = synthetic.runs()
    elsewhere = Basin(x=-3.3).error(runs["lr"].to_numpy(), runs["weight_decay"].to_numpy())
    runs["validation_error"] = np.where(runs["status"] == "diverged", 90.0, elsewhere)
    test, contrasts = landscapes(runs)["adamw"], Contrasts.of_runs(label(runs))
    made = summarize(test, contrasts, 1.0)
    own = runs[(runs["optimizer"] == "adamw") & (runs["status"] == "completed")]
    cells = own.groupby(["lr", "weight_decay"])[["test_error", "validation_error"]].mean()
    chosen, least = cells["validation_error"].idxmin(), cells["test_error"].idxmin()
    assert chosen != least
    assert made.chosen is not None
    assert made.least is not None
    assert (made.chosen.lr, made.chosen.weight_decay) == chosen
    assert made.chosen.mean == pytest.approx(cells["test_error"][chosen])
    assert (made.least.lr, made.least.weight_decay) == least
    assert made.least.weight_decay_native == pytest.approx(made.least.weight_decay * 1e3)
    assert made.seeds == (3, 3)
    assert made.share == pytest.approx(basin_share(test, 1.0, made.chosen.mean))
    one_seed = label(runs[runs["seed"] == 0].assign(validation_error=np.nan))
    made = summarize(landscapes(one_seed)["adamw"], Contrasts.of_runs(one_seed), 1.0)
    assert made.chosen is None
    assert made.share == pytest.approx(basin_share(landscapes(one_seed)["adamw"], 1.0))


def test_summary_of_samples_has_optima_and_no_area() -> None:
    from analysis.landscapes.sampled import samples

    runs = label(synthetic.sampled(50))
    made = summarize_samples(samples(runs), samples(runs, "validation_error"))
    cells = runs[runs["status"] == "completed"].groupby(["label", "lr", "weight_decay"], observed=True)["test_error"]
    for one in made:
        assert one.least is not None
        assert one.least.mean == pytest.approx(cells.mean()[one.label].min())
        assert np.isnan(one.share)
        assert one.cells == 50
    ids = runs_of_summaries(runs, made)
    assert {len(found) for found in ids.values()} == {2}


def test_a_sampled_share_is_of_the_cell_that_validation_chose_and_of_the_best_on_validation() -> None:
    def cells(**errors: list[float]) -> pd.DataFrame:
        frames = [
            pd.DataFrame({"label": name, "lr": 10.0 ** np.arange(-4, 0), "weight_decay": 1e-3, "mean": mean})
            for name, mean in errors.items()
        ]
        whole = pd.concat(frames, ignore_index=True)
        return whole.assign(weight_decay_native=1.0, std=0.1, seeds=3, diverged=0.0, lost=0.0, at_chance=0.0, failed=0)

    # Of a the validation error chooses the second cell (3.0), of b the first (2.0); validation takes a for the best.
    test = cells(a=[2.5, 3.0, 3.9, 9.0], b=[2.0, 2.9, 3.5, 3.95])
    validation = cells(a=[1.5, 1.0, 5.0, 9.0], b=[1.2, 3.0, 4.0, 5.0])
    found = {one.label: one for one in summarize_samples(test, validation, {"random"}, 1.0)}
    assert (found["a"].depth, found["b"].depth) == (3.0, 2.0)
    assert (found["a"].share, found["b"].share) == (3 / 4, 2 / 4)
    # Within a point of a's 3.0, not of b's 2.0: the test error chooses no reference.
    assert (found["a"].share_of_all, found["b"].share_of_all) == (3 / 4, 1.0)
