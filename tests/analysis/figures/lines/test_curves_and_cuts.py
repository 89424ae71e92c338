"""Curves, cuts, clouds, profiles and tuning curves: their numbers against the raw rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from analysis.figures import decays_over_epochs, over_epochs, profile, profiles, tuning
from analysis.figures.base.theme import fine_ticks
from analysis.figures.lines import learning_curves
from analysis.figures.lines.decay_cut import decay_cut
from analysis.figures.lines.epochs import spread_evenly
from analysis.figures.lines.scatter import scatter
from analysis.landscapes.labels import label
from analysis.landscapes.landscape import landscapes
from analysis.statistics.confidence_interval import t_interval
from tests.support import synthetic
from tests.support.own_figures import LR, RATES, bands, cell, curve, lines, stands

if TYPE_CHECKING:
    import pandas as pd

NAME = "<b>x</b> %{x} & co"


@pytest.fixture(name="runs")
def labelled() -> pd.DataFrame:
    return label(synthetic.runs())


def test_any_quantities_of_chosen_cells_are_means_with_seed_ranges(runs: pd.DataFrame) -> None:
    curves = synthetic.curves(runs)
    noise = np.random.default_rng(0).uniform(0.5, 2, len(curves))
    curves["root_mean_v"] *= noise
    chosen = {"adam": [], "adamw": cell(runs, "adamw"), "adams": cell(runs, "adams")}
    drawing = over_epochs(
        curves, chosen, [learning_curves.SCHEDULER, learning_curves.GRAD_NORM_SQ, learning_curves.TRAIN_LOSS]
    )
    own = curves[curves["run_id"].isin(chosen["adams"])]
    drawn = lines(drawing, "adams")
    expected = (1 / own["root_mean_v"]).groupby(own["epoch"])
    np.testing.assert_allclose(drawn[0].y, expected.mean())
    np.testing.assert_allclose(drawn[2].y, own.groupby("epoch")["train_loss"].mean())
    band = next(t for t in bands(drawing) if t.name == "adams")
    np.testing.assert_allclose(band.y, [*expected.max(), *expected.min()[::-1]])
    assert drawn[0].line.color != lines(drawing, "adamw")[0].line.color
    assert lines(drawing, "adam") == []
    assert "3 seeds" in drawing.caption
    stands(drawing)


def test_a_quantity_that_was_not_recorded_is_named_in_the_caption(runs: pd.DataFrame) -> None:
    curves = synthetic.curves(runs)
    drawing = over_epochs(
        curves, {"adam": cell(runs, "adam")}, [learning_curves.EFFECTIVE_DECAY, learning_curves.TRAIN_LOSS]
    )
    assert "Not recorded for these runs: effective decay" in drawing.caption
    assert len(drawing.figure.layout.annotations) == 1
    empty = over_epochs(curves.iloc[:0], {"adam": []}, [learning_curves.TRAIN_LOSS])
    assert "no seed" in empty.caption
    stands(empty)


def test_weight_decays_are_spread_over_the_measured_ones_and_hold_the_chosen() -> None:
    measured = [0.0, *np.logspace(-5, 0, 12).tolist()]
    some = spread_evenly(measured, [])
    assert len(some) == 7
    assert (some[0], some[-1]) == (0.0, measured[-1])
    assert np.diff([measured.index(v) for v in some]).tolist() == [2] * 6
    chosen = [measured[3], measured[5]]
    with_chosen = spread_evenly(measured, chosen)
    assert len(with_chosen) == 7
    assert set(chosen) < set(with_chosen)
    assert with_chosen == sorted(with_chosen)
    assert 0.0 in with_chosen
    assert spread_evenly(measured[:5], chosen) == measured[:5]
    assert set(spread_evenly(measured, measured)) == set(measured)


def test_lines_of_weight_decays_are_means_ordered_in_color_and_legend(runs: pd.DataFrame) -> None:
    curves = synthetic.curves(runs)
    curves["grad_norm"] *= np.random.default_rng(1).uniform(0.5, 2, len(curves))
    drawing = decays_over_epochs(curves, runs, RATES, [learning_curves.GRAD_NORM], {"adams": 1e-3})
    legend = [t.name for t in drawing.figure.data if t.showlegend]
    values = [float(name.removeprefix("λ = ")) for name in legend]
    assert values == sorted(values)
    assert values[0] == 0
    assert 1e-3 in values
    assert len(values) <= 7
    held = runs[(runs["label"] == "adams") & (runs["lr"] == LR) & (runs["weight_decay"] == 1e-3)]["run_id"]
    mean = curves[curves["run_id"].isin(held)].groupby("epoch")["grad_norm"].mean()
    of_adams = lines(drawing, "λ = 0.001")[-1]
    np.testing.assert_allclose(of_adams.y, mean)
    assert of_adams.line.width > lines(drawing, "λ = 0.001")[0].line.width
    light = [sum(int(lines(drawing, name)[0].line.color[i : i + 2], 16) for i in (1, 3, 5)) for name in legend[1:]]
    assert light == sorted(light)
    assert lines(drawing, "λ = 0")[0].line.dash == "dash"
    assert lines(drawing, "λ = 0.001")[0].line.dash == "solid"
    ranges = [drawing.figure.layout[key].range for key in ("yaxis", "yaxis3", "yaxis5")]
    assert ranges[0] == ranges[1] == ranges[2]
    stands(drawing)


def test_decay_cut_has_students_intervals_of_the_raw_rows(runs: pd.DataFrame) -> None:
    drawing = decay_cut(runs, {"adam": None, "adamw": None, "adams": LR})
    own = runs[(runs["label"] == "adams") & (runs["lr"] == LR)].groupby("weight_decay")["test_error"]
    drawn = lines(drawing, "adams")[0]
    keep = [0, *range(2, 13)]
    np.testing.assert_allclose(np.asarray(drawn.y)[keep], own.mean())
    low, high = stats.t.interval(0.95, own.count() - 1, loc=own.mean(), scale=own.sem())
    axis = 10 ** np.array(drawing.figure.layout.yaxis.range)
    up, down = np.asarray(drawn.error_y.array)[keep], np.asarray(drawn.error_y.arrayminus)[keep]
    np.testing.assert_allclose(own.mean() + up, np.minimum(high, axis[1]))
    np.testing.assert_allclose(own.mean() - down, np.maximum(low, axis[0]))
    np.testing.assert_allclose(np.asarray(drawn.x)[2:], synthetic.WEIGHT_DECAY[1:])
    assert drawn.x[0] < synthetic.WEIGHT_DECAY[1]
    assert np.isnan(drawn.x[1])
    assert f"{low[5]:.2f} % to {high[5]:.2f} %" in drawn.text[6]
    assert "95 % Student-t interval" in drawing.caption
    assert "3 seeds" in drawing.caption
    stands(drawing)


def test_decay_cut_crosses_lost_cells_and_one_seed_has_no_interval() -> None:
    runs = label(synthetic.runs(seeds=1, diverges=10.0))
    drawing = decay_cut(runs, RATES)
    lost = runs[(runs["label"] == "adamw") & (runs["lr"] == LR)].sort_values("weight_decay")["status"] == "diverged"
    assert lost.any()
    drawn = lines(drawing, "adamw")[0]
    symbols = np.delete(np.asarray(drawn.marker.symbol), 1)
    np.testing.assert_array_equal(symbols == "x", lost)
    assert not np.isfinite(np.asarray(drawn.error_y.array, dtype=float)).any()
    assert "One seed: there is no interval" in drawing.caption
    assert "no interval" in drawn.text[0]


def test_optimizers_stand_apart_by_less_than_a_step(runs: pd.DataFrame) -> None:
    drawing = decay_cut(runs, RATES)
    places = [np.log10(np.asarray(lines(drawing, name)[0].x)[2:]) for name in RATES]
    exact = np.log10(synthetic.WEIGHT_DECAY[1:])
    for one in places:
        assert (np.abs(one - exact) < 0.2 * np.diff(exact).min()).all()
    assert (places[0] < places[1]).all()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_t_interval_is_scipys_and_knows_its_spread(count: int) -> None:
    values = np.random.default_rng(count).normal(3, 2, (6, 4))
    values[count:, 0] = np.nan
    values[:, 1] = 7.0
    found = t_interval(values)
    own = values[:count, 0]
    assert found.seeds.tolist() == [count, 6, 6, 6]
    assert found.mean[0] == pytest.approx(own.mean())
    if count == 1:
        assert np.isnan([found.low[0], found.high[0]]).all()
    else:
        expected = stats.ttest_1samp(own, 0).confidence_interval(0.95)
        assert (found.low[0], found.high[0]) == pytest.approx(tuple(expected))
    assert found.spread.tolist() == [count > 1, False, True, True]


@pytest.mark.parametrize("runs", [
    synthetic.runs(lr=(1e-3,), weight_decay=(1e-3,), seeds=1),
    synthetic.runs(lr=(1e-3,), weight_decay=(0.0,), seeds=1),
    synthetic.runs(diverges=-1.0, seeds=2),
    synthetic.failed(synthetic.runs(seeds=1), np.ones(432, dtype=bool)),
    synthetic.runs(seeds=2).iloc[::7],
    synthetic.runs({NAME: synthetic.Basin()}, seeds=1),
])  # fmt: skip
def test_figures_stand_on_whatever_there_is_and_show_names_as_they_are(runs: pd.DataFrame) -> None:
    runs = label(runs)
    curves = synthetic.curves(runs)
    rates = {str(name): float(runs["lr"].iloc[0]) for name in runs["label"].cat.categories}
    chosen = {name: runs.loc[runs["label"] == name, "run_id"].tolist()[:2] for name in rates}
    found = {name: profile(one) for name, one in landscapes(runs).items()}
    drawn = [
        over_epochs(curves, chosen, [learning_curves.TRAIN_LOSS]),
        decays_over_epochs(
            curves,
            runs,
            rates,
            [learning_curves.EFFECTIVE_DECAY, learning_curves.GRAD_NORM],
            dict.fromkeys(rates, 1e-3),
        ),
        decay_cut(runs, rates),
        scatter(curves, chosen),
        profiles(found, [1]),
        tuning({name: curve([1] * 4, [9] * 4) for name in rates}),
    ]
    for drawing in drawn:
        stands(drawing)
        text = drawing.figure.to_json()
        assert "<b>x" not in text
        assert "\\u003cb\\u003ex" not in text
        assert "%{x}" not in text


def test_ticks_are_fine_where_they_are_few() -> None:
    assert fine_ticks(0.6, 108) == ([1, 2, 5, 10, 20, 50, 100], ["1", "2", "5", "10", "20", "50", "100"])
    assert fine_ticks(1e-5, 2.0)[1][0] == "10<sup>-5</sup>"
    assert len(fine_ticks(2.2, 4.5)[0]) == 0
