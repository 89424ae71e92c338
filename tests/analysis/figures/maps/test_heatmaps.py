"""The figures draw what was measured: cells at their true edges, exact outlines, honest captions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
import pytest

from analysis.figures import Drawing, basins, gradient_norms, sampled_basins
from analysis.figures.base.outline import path
from analysis.figures.base.theme import plain
from analysis.figures.lines.learning_curves import learning_curves
from analysis.figures.lines.slices import slices
from analysis.formats import number
from analysis.landscapes.basin import best_cell
from analysis.landscapes.labels import label
from analysis.landscapes.landscape import Landscape, Status, edges, landscapes
from analysis.landscapes.sampled import samples
from tests.support import synthetic
from tests.support.browser import find_chromium  # noqa: F401

if TYPE_CHECKING:
    import pandas as pd


def named(drawing: Drawing, name: str, kind: type = go.Scatter) -> list[Any]:
    return [t for t in drawing.figure.data if t.name == name and isinstance(t, kind)]


def one_map(runs: pd.DataFrame, name: str = "adamw") -> dict[str, Landscape]:
    return {name: landscapes(runs)[name]}


def test_heatmaps_lie_between_true_cell_edges_on_log_axes() -> None:
    maps = landscapes(synthetic.runs())
    drawn = basins(maps).figure
    heatmaps = [t for t in drawn.data if isinstance(t, go.Heatmap)]
    assert len(heatmaps) == 2 * len(maps)
    for one, main, strip in zip(maps.values(), heatmaps[::2], heatmaps[1::2], strict=True):
        np.testing.assert_array_equal(main.x, edges(one.lr))
        np.testing.assert_array_equal(main.y, edges(one.weight_decay[1:]))
        assert np.shape(main.z) == (11, 12)
        np.testing.assert_array_equal(strip.y, [0, 1])
        assert main.xaxis == strip.xaxis
        x, y = (drawn.layout[f"{ref[0]}axis{ref[1:]}"] for ref in (main.xaxis, main.yaxis))
        assert (x.type, y.type) == ("log", "log")


def test_basin_outline_hatch_and_ring_are_where_they_belong() -> None:
    maps = one_map(synthetic.runs(diverges=15.0))
    one, drawing = maps["adamw"], basins(maps)
    best = best_cell(one)
    assert best is not None
    ring = named(drawing, "best")[-1]
    assert (ring.x[0], ring.y[0]) == (one.lr[best.column], one.weight_decay[best.row])
    outline = named(drawing, "basin")[0]
    inside = (one.mean[1:] <= one.mean[best] + 1.0) & (one.status[1:] != Status.DIVERGED)
    expected = path(inside, edges(one.lr), edges(one.weight_decay[1:]))
    assert list(outline.x) == expected[0]
    assert list(outline.y) == expected[1]
    hatch = named(drawing, "diverged")[0]
    assert hatch.fill == "toself"
    assert hatch.fillpattern.shape == "/"
    assert list(hatch.x) == path(one.status[1:] == Status.DIVERGED, edges(one.lr), edges(one.weight_decay[1:]))[0]


def test_hover_says_both_weight_decays_spread_and_seeds() -> None:
    runs = synthetic.runs()
    lost = (runs["optimizer"] == "adamw") & (runs["lr"] == synthetic.LR[3]) & (runs["seed"] == 1)
    runs.loc[lost, "status"], runs.loc[lost, "test_error"] = "diverged", 90.0
    drawing = basins(one_map(runs))
    heatmap = next(t for t in drawing.figure.data if isinstance(t, go.Heatmap))
    cell = runs[(runs["optimizer"] == "adamw") & (runs["lr"] == synthetic.LR[3]) & (runs["weight_decay"] == 1e-3)][
        "test_error"
    ]
    # Row 5 of the positive weight decays is 1e-3, which AdamW is given as 1.
    said = heatmap.customdata[5][3]
    assert list(said[:4]) == ["adamw", number(synthetic.LR[3]), "0.001", "1"]
    assert said[4] == f"test error {cell.mean():.2f} ± {cell.std():.2f} %"
    assert said[5] == "3 seeds, 1 diverged"
    assert len(named(drawing, "partly diverged")) == 2


def test_failed_and_missing_cells_stay_blank() -> None:
    runs = synthetic.runs(seeds=1)
    gone = (runs["optimizer"] == "adamw") & (runs["weight_decay"] == 1e-5)
    runs = synthetic.failed(runs, gone & (runs["lr"] < 1e-3))[~(gone & (runs["lr"] > 0.1)).to_numpy()]
    drawing = basins(one_map(runs))
    heatmap = next(t for t in drawing.figure.data if isinstance(t, go.Heatmap))
    blank = np.isnan(np.asarray(heatmap.z)[0])
    np.testing.assert_array_equal(blank, [lr < 1e-3 or lr > 0.1 for lr in synthetic.LR])
    assert heatmap.hoverongaps is False
    assert len(named(drawing, "failed")[0].x) == sum(lr < 1e-3 for lr in synthetic.LR)
    assert "1 seed;" in drawing.caption
    assert heatmap.customdata[3][3][4].count("±") == 0


def test_narrow_and_wide_pages_have_the_same_axes_and_no_overlap() -> None:
    drawing = basins(landscapes(synthetic.runs()))
    for layout in (drawing.figure.layout, drawing.narrow):
        boxes = []
        for trace in drawing.figure.data:
            x, y = (layout[f"{r[0]}axis{r[1:]}"].domain for r in (trace.xaxis, trace.yaxis))
            boxes.append((*x, *y))
        for a in set(boxes):
            for b in set(boxes) - {a}:
                assert a[1] <= b[0] or b[1] <= a[0] or a[3] <= b[2] or b[3] <= a[2], (a, b)
    assert drawing.narrow.height > drawing.figure.layout.height


@pytest.mark.parametrize("runs", [
    synthetic.runs(lr=(1e-3,), weight_decay=(1e-3,), seeds=1),
    synthetic.runs(lr=(1e-3,), weight_decay=(0.0,), seeds=1),
    synthetic.runs(diverges=-1.0, seeds=2),
    synthetic.failed(synthetic.runs(seeds=1), np.ones(432, dtype=bool)),
    synthetic.runs({f"optimizer-{i}": synthetic.Basin(x=-3 + i / 5) for i in range(9)}, seeds=1),
])  # fmt: skip
def test_figures_stand_at_the_edge_of_what_there_is(runs: pd.DataFrame) -> None:
    maps = landscapes(runs)
    for drawing in (basins(maps), slices(maps)):
        assert drawing.caption
        assert drawing.figure.layout.height > 0


def test_slices_are_rows_and_columns_of_the_runs_with_seed_ranges() -> None:
    runs = synthetic.runs()
    maps = one_map(runs)
    one, drawing = maps["adamw"], slices(maps)
    best = best_cell(one)
    assert best is not None
    own = runs[runs["optimizer"] == "adamw"]
    by_decay = own[own["lr"] == one.lr[best.column]].groupby("weight_decay")["test_error"]
    lines = [t for t in drawing.figure.data if t.hovertemplate]
    x, y = (np.asarray(v, dtype=float) for v in (lines[0].x, lines[0].y))
    assert np.isnan(x[1])
    assert x[0] < synthetic.WEIGHT_DECAY[1]
    np.testing.assert_allclose(y[[0, *range(2, 13)]], by_decay.mean())
    np.testing.assert_allclose(x[2:], synthetic.WEIGHT_DECAY[1:])
    band = next(t for t in drawing.figure.data if t.fill == "toself" and t.xaxis == lines[0].xaxis)
    upper = np.asarray(band.y)[:11]
    np.testing.assert_allclose(upper, by_decay.max()[1:])
    by_lr = own[own["weight_decay"] == one.weight_decay[best.row]].groupby("lr")["test_error"]
    np.testing.assert_allclose(lines[1].y, by_lr.mean())
    assert "least to the greatest seed" in drawing.caption


def test_curves_are_means_over_the_chosen_runs() -> None:
    runs = label(synthetic.runs())
    curves = synthetic.curves(runs)
    here = (runs["lr"] == synthetic.LR[4]) & (runs["weight_decay"] == 1e-3)
    ids = runs[here & (runs["label"] == "adams")]["run_id"]
    chosen = {"adams": ids.tolist(), "adam": []}
    own = curves[curves["run_id"].isin(ids)].groupby("epoch")
    drawn = [t for t in learning_curves(curves, chosen).figure.data if t.hovertemplate]
    np.testing.assert_allclose(drawn[0].y, own["test_error"].mean())
    np.testing.assert_allclose(drawn[1].y, own["train_loss"].mean())
    np.testing.assert_array_equal(drawn[0].x, np.arange(1, 21))
    norms = [t for t in gradient_norms(curves, chosen).figure.data if t.hovertemplate]
    np.testing.assert_allclose(norms[0].y, own["grad_norm"].mean())
    np.testing.assert_allclose(norms[1].y, own["effective_decay"].mean())
    assert "3 seeds" in gradient_norms(curves, chosen).caption


def test_sampled_cells_are_points_over_a_surface_that_says_so() -> None:
    cells = samples(synthetic.sampled(25))
    drawing = sampled_basins(cells)
    points = [t for t in drawing.figure.data if isinstance(t, go.Scatter) and t.name != "diverged"]
    shown = sum(len(t.x) for t in drawing.figure.data if isinstance(t, go.Scatter))
    assert shown == len(cells) == 75
    assert all(t.hovertemplate for t in points)
    assert len(named(drawing, "interpolated", go.Heatmap)) == 3
    assert "interpolated" in drawing.caption
    assert all("25 cells, interpolated" in a.text for a in drawing.figure.layout.annotations)
    few = sampled_basins(cells.groupby("label", observed=True).head(2))
    assert named(few, "interpolated", go.Heatmap) == []


def test_text_from_outside_is_shown_as_it_is() -> None:
    name = "<a href='javascript:alert(1)'>x</a> %{x} & co"
    runs = synthetic.runs({"adams": synthetic.Basin()}, seeds=1).assign(optimizer=name)
    maps = landscapes(runs)
    for drawing in (basins(maps), slices(maps), sampled_basins(samples(runs))):
        text = json.dumps(json.loads(drawing.figure.to_json()))
        assert "<a" not in text
        assert "%{x}" not in text
    assert plain("a<b&%{c}") == "a&lt;b&amp;%&#123;c}"
