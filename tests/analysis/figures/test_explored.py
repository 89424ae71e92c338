"""Maps as a reader asks for them, against numbers computed directly from the runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analysis.figures.base.figure import NotDrawn
from analysis.figures.base.metrics import METRICS, TEST_ERROR, Look, recorded
from analysis.figures.explored import cuts, maps
from analysis.figures.registry import figures
from tests.support.explored_cases import (  # noqa: F401
    GRAD,
    NAMES,
    by_cell,
    cells,
    direct,
    drawn,
    lost,
    make_contents,
    make_searched,
    overlay,
)

if TYPE_CHECKING:
    from analysis.contents.gather import Contents


def test_the_default_is_the_figure_of_the_report(contents: Contents, searched: Contents) -> None:
    for one in (contents, searched):
        report = drawn(figures()["basins"].draw(one))
        for look in (Look(), Look(interpolated=one is searched)):
            found = drawn(maps(one, look))
            assert found.figure.to_json() == report.figure.to_json()
            assert (found.narrow, found.caption) == (report.narrow, report.caption)
        cut = cuts(one, Look())
        expected = figures()["slices"].draw(one)
        assert isinstance(cut, NotDrawn) or cut.figure.to_json() == drawn(expected).figure.to_json()
    assert next(iter(METRICS.values())) is TEST_ERROR is Look().metric


def test_metrics_are_those_with_a_number(contents: Contents) -> None:
    assert [m.key for m in recorded(contents.runs)] == [key for key in METRICS if key != "hessian_top"]
    assert recorded(contents.runs.assign(test_error=np.nan, grad_norm=None))[0].key == "test_error_at_best"
    assert "grad_norm" not in {m.key for m in recorded(contents.runs.drop(columns="grad_norm"))}
    assert recorded(contents.runs.iloc[:0]) == []


def test_cells_lead_to_their_runs(contents: Contents) -> None:
    found = drawn(maps(contents, Look()))
    for label in NAMES:
        mean = direct(contents, label, "test_error")
        shown = by_cell(found, label)
        assert set(mean.index) <= set(shown)
        least = min(direct(contents, name, "test_error").min() for name in NAMES)
        end = found.figure.layout.coloraxis.cmax
        for place, value in mean.items():
            expected = min(np.log10(1 + (value - least)), end)
            assert shown[place][0] == pytest.approx(expected, abs=1e-9)
            assert shown[place][1][4].startswith(f"test error {value:.2f}")
    failed = [t for t in cells(found, "scatter") if t.name == "failed"]
    gone = contents.runs[contents.runs["status"] == "failed"].iloc[0]
    assert [t.meta for t in failed] == [{"label": gone["label"], "cells": [[gone["lr"], gone["weight_decay"]]]}]


def test_a_norm_is_colored_by_its_logarithm(contents: Contents) -> None:
    full, robust = (drawn(maps(contents, Look(metric=GRAD, limits=limits))) for limits in ("full", "robust"))
    axis, every = full.figure.layout.coloraxis, []
    for label in NAMES:
        mean, shown = direct(contents, label, "grad_norm"), by_cell(full, label)
        every += mean.dropna().tolist()
        for place, value in mean.dropna().items():
            assert shown[place][0] == pytest.approx(np.log10(value))
            assert shown[place][1][4].startswith(f"gradient norm {value:.3g}")
        for place in lost(contents, label):
            assert np.isfinite(shown[place][0]), "a diverged cell is there for the pointer"
            assert shown[place][1][4:] == ["gradient norm unknown", "3 seeds, 3 diverged"]
    assert (axis.cmin, axis.cmax) == pytest.approx((np.log10(min(every)), np.log10(max(every))))
    assert robust.figure.layout.coloraxis.cmax < axis.cmax
    assert axis.colorbar.ticktext[-1] == f"{max(every):.3g}"
    assert axis.colorbar.title.text == "gradient<br>norm<br>&nbsp;"
    assert "gradient norm" in full.figure.layout.annotations[0].text
    assert "Mean gradient norm" in full.caption
    assert "has no gradient norm and is left out" in full.caption


def test_runs_are_counted_by_their_results(contents: Contents) -> None:
    partly = contents.runs[(contents.runs["status"] == "diverged") & (contents.runs["label"] == "adams")]
    counts = partly.groupby(["lr", "weight_decay"]).size()
    place = counts[counts == 1].index[0]
    said = by_cell(drawn(maps(contents, Look(metric=GRAD))), "adams")[place][1]
    assert said[5] == "3 seeds, 1 diverged"
    one = contents.runs[(contents.runs["label"] == "adams") & (contents.runs["lr"] == place[0])]
    values = one[one["weight_decay"] == place[1]]["grad_norm"]
    assert said[4] == f"gradient norm {values.mean():.3g} ± {values.std():.3g}"


def test_outline_and_ring_stay_those_of_the_test_error(contents: Contents) -> None:
    expected = overlay(drawn(maps(contents, Look())))
    looks = [Look(metric=GRAD), Look(metric=METRICS["validation_error"]), Look(seed=1), Look(spread=True)]
    for look in looks:
        found = drawn(maps(contents, look))
        np.testing.assert_equal(overlay(found), expected)
        assert "those of the mean test error over all seeds" in found.caption
    wide = overlay(drawn(maps(contents, Look(delta=4.0, metric=GRAD))))
    np.testing.assert_equal(wide, overlay(drawn(maps(contents, Look(delta=4.0)))))
    assert [x for name, x, _ in wide if name == "best"] == [x for name, x, _ in expected if name == "best"]
    assert [x for name, x, _ in wide if name == "basin"] != [x for name, x, _ in expected if name == "basin"]


def test_full_limits_go_to_the_worst_trained_cell(contents: Contents) -> None:
    axis = drawn(maps(contents, Look(limits="full"))).figure.layout.coloraxis
    worst = max(direct(contents, n, "test_error").drop(list(lost(contents, n))).max() for n in NAMES)
    least = min(direct(contents, n, "test_error").min() for n in NAMES)
    assert axis.cmax == pytest.approx(np.log10(1 + worst - least))
    assert axis.colorbar.ticktext[-1] == f"{worst:.3g}"
    robust = drawn(maps(contents, Look())).figure.layout.coloraxis
    assert robust.colorbar.ticktext[-1].startswith("≥")
    assert robust.cmax < axis.cmax


def test_one_seed(contents: Contents) -> None:
    found = drawn(maps(contents, Look(seed=1)))
    rows = contents.runs[contents.runs["seed"] == 1].set_index(["label", "lr", "weight_decay"])
    shown = by_cell(found, "adams")
    own = rows.loc["adams"]
    errors = own["test_error"].fillna(own["baseline"]).to_dict()
    for place, (z, texts) in shown.items():
        if place not in own.index:
            assert np.isnan(z)
        else:
            assert texts[4] == f"test error {errors[place]:.2f} %"
            assert texts[5].startswith("1 seed")
    assert "seed 1" in found.figure.layout.annotations[0].text
    assert found.caption.startswith("Test error of seed 1 of each measured cell;")


def test_spread(contents: Contents) -> None:
    found = drawn(maps(contents, Look(spread=True, limits="full")))
    low, high = (10 ** found.figure.layout.coloraxis[end] for end in ("cmin", "cmax"))
    for label in NAMES:
        std, shown, gone = direct(contents, label, "test_error", "std"), by_cell(found, label), lost(contents, label)
        for place, value in std.items():
            if place in gone:
                continue
            if np.isnan(value):
                assert np.isnan(shown[place][0]), "one seed has no spread"
            else:
                assert 10 ** shown[place][0] == pytest.approx(np.clip(value, low, high))
    assert direct(contents, "adams", "test_error", "count").min() == 1
    assert "fewer than two seeds" in found.caption
    assert maps(contents, Look(spread=True, seed=1)) == NotDrawn("one seed has no spread")


def test_the_decay_as_given_has_its_own_axes(contents: Contents) -> None:
    found, common = (drawn(maps(contents, Look(native=native))) for native in (True, False))
    layout = found.figure.layout
    native, given = (
        next(t for t in cells(one) if t.meta["label"] == "adamw" and len(t.y) > 2) for one in (found, common)
    )
    np.testing.assert_allclose(native.y, np.asarray(given.y) * 1000)
    assert native.meta == given.meta, "a cell keeps its place on the common scale"
    own = layout[f"yaxis{native.yaxis[1:]}"]
    assert own.matches is None
    assert 10 ** own.range[0] == pytest.approx(native.y[0])
    assert own.showticklabels
    ranges = {layout[f"yaxis{t.yaxis[1:]}"].range for t in cells(found) if len(t.y) > 2}
    assert len(ranges) == 2
    assert layout.yaxis.title.text == "weight decay, as given"
    rings = [t for t in found.figure.data if t.name == "best" and t.yaxis == native.yaxis]
    before = [t for t in common.figure.data if t.name == "best" and t.yaxis == native.yaxis]
    np.testing.assert_allclose([t.y[0] for t in rings], [t.y[0] * 1000 for t in before])
