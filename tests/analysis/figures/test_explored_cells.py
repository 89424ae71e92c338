"""Points, differences, cuts and curves as a reader asks for them; what cannot be shown; labels with markup."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analysis.figures.base.figure import NotDrawn
from analysis.figures.base.metrics import METRICS, Look
from analysis.figures.base.theme import Drawing
from analysis.figures.explored import cuts, difference, maps
from analysis.figures.lines.cell_curves import cell_curves
from analysis.figures.registry import figures
from tests.support import synthetic_grid, synthetic_store
from tests.support.explored_cases import (  # noqa: F401
    DECAY,
    GRAD,
    LR,
    STUDY,
    cells,
    direct,
    drawn,
    made,
    make_contents,
    make_searched,
)

if TYPE_CHECKING:
    from pathlib import Path

    from analysis.contents.gather import Contents


NASTY = "<b>x</b> %{x} & co"


def test_interpolated_is_said_and_rings_the_same_cell(contents: Contents) -> None:
    found = drawn(maps(contents, Look(metric=GRAD, interpolated=True)))
    assert all("interpolated" in note.text for note in found.figure.layout.annotations)
    assert "not measured" in found.caption
    points = [t for t in cells(found, "scatter") if t.meta["label"] == "adams"]
    mean = direct(contents, "adams", "grad_norm")
    for trace in points:
        for place, texts in zip(trace.meta["cells"], trace.customdata, strict=True):
            value = mean[tuple(place)]
            assert texts[4].startswith("gradient norm unknown" if np.isnan(value) else f"gradient norm {value:.3g}")
    assert sorted(map(tuple, (c for t in points for c in t.meta["cells"]))) == sorted(mean.index)
    rings = {(t.x[0], t.y[0]) for t in found.figure.data if t.name == "best" and t.xaxis == points[0].xaxis}
    mark, one = contents.marks["adams"].cell, contents.maps["adams"]
    assert rings == {(one.lr[mark.column], one.weight_decay[mark.row])}


def test_cells_of_a_search_are_points(searched: Contents) -> None:
    found = drawn(maps(searched, Look(metric=GRAD, native=True)))
    assert "gradient norm" in found.figure.layout.annotations[0].text
    adamw = [t for t in cells(found, "scatter") if t.meta["label"] == "adamw"]
    for trace in adamw:
        np.testing.assert_allclose(trace.y, np.array(trace.meta["cells"])[:, 1] * 1000)
    assert "crowd" in found.caption
    assert isinstance(cuts(searched, Look()), NotDrawn)
    assert isinstance(difference(searched, "adams", "adamw", Look()), NotDrawn)


def test_differences(contents: Contents) -> None:
    found = drawn(difference(contents, "adams", "adamw", Look(metric=METRICS["validation_error"])))
    a, b = (
        contents.runs[(contents.runs["label"] == n) & (contents.runs["status"] != "failed")]
        .set_index(["lr", "weight_decay", "seed"])[["validation_error", "baseline"]]
        .bfill(axis=1)["validation_error"]
        for n in ("adams", "adamw")
    )
    mean = (a - b).groupby(["lr", "weight_decay"]).mean()
    for trace in cells(found):
        assert (trace.meta["label"], trace.meta["against"]) == ("adams", "adamw")
        for i, decay in enumerate(trace.meta["weight_decay"]):
            for j, lr in enumerate(trace.meta["lr"]):
                if np.isfinite(mean[lr, decay]):
                    assert trace.customdata[i][j][4] == f"{mean[lr, decay]:+.2f}"
    assert "validation error" in found.caption
    assert "validation error" in found.figure.layout.annotations[0].text
    assert difference(contents, "adams", "adamw", Look(metric=GRAD)) == NotDrawn(
        "differences are shown of errors only, not of the gradient norm"
    )


def test_cuts_go_through_the_cell(contents: Contents) -> None:
    lr, decay = contents.maps["adams"].lr[4], contents.maps["adams"].weight_decay[6]
    found = drawn(cuts(contents, Look(metric=GRAD), ("adams", lr, decay)))
    mean = direct(contents, "adams", "grad_norm")
    lines = [t for t in found.figure.data if t.name == "adams" and t.hovertemplate]
    for trace, axis in zip(lines, ("weight_decay", "lr"), strict=True):
        other, at = ("lr", lr) if axis == "weight_decay" else ("weight_decay", decay)
        expected = mean.xs(at, level=other).dropna()
        y = np.asarray(trace.y, dtype=float)
        np.testing.assert_allclose(y[np.isfinite(y)], expected)
    assert "chosen learning rate" in found.figure.layout.annotations[0].text
    assert "nearest" not in found.caption
    near = drawn(cuts(contents, Look(metric=GRAD), ("adams", lr * 1.05, decay * 0.95)))
    assert near.figure.to_json() == found.figure.to_json()
    assert "its nearest one is cut" in near.caption


def test_a_map_without_a_decay_of_zero_has_no_cut_there(tmp_path: Path) -> None:
    own = "{name: adamw, space: {weight_decay: {low: 1.0e-5, high: 0.1, points: 5}}}"
    text = STUDY.replace("[adam, adamw, adams]", f"[{own}, adams]")
    one = made(tmp_path / "demo", text, synthetic_grid.of_grid(text))
    found = drawn(cuts(one, Look(), ("adams", one.maps["adams"].lr[3], 0.0)))
    assert {t.name for t in found.figure.data} == {"adams"}


def test_curves_of_every_seed_of_a_cell(contents: Contents) -> None:
    runs = contents.runs[contents.runs["run_id"].isin(contents.best["adams"])]
    curves = contents.curves.copy()
    curves["effective_decay"] = np.nan
    found = drawn(cell_curves(curves, runs))
    titles = [note.text for note in found.figure.layout.annotations]
    assert [title.partition("<br>")[0] for title in titles] == ["<b>Loss</b>", "<b>Error</b>", "<b>Gradient norm</b>"]
    lines = [t for t in found.figure.data if t.hovertemplate and t.yaxis == "y3" and t.line.dash == "dash"]
    assert [t.name for t in lines] == ["seed 0", "seed 1", "seed 2"]
    assert len({t.line.color for t in lines}) == 3
    for trace, run in zip(lines, runs.sort_values("seed")["run_id"], strict=True):
        expected = curves[curves["run_id"] == run].sort_values("epoch")
        np.testing.assert_allclose(trace.y, expected["test_error"])
        np.testing.assert_allclose(trace.x, expected["epoch"])
    assert sum(bool(t.showlegend) for t in found.figure.data) == 3
    assert "dashed: test" in found.caption
    two = runs.assign(status=["completed", "diverged", "failed"], seed=[4, 5, 5])
    lost = drawn(cell_curves(curves[curves["run_id"] != two["run_id"].iloc[2]], two))
    assert {t.name for t in lost.figure.data} == {"seed 4", "seed 5, diverged"}
    assert "1 run without a curve" in lost.caption


def test_what_cannot_be_shown_is_a_sentence(contents: Contents, tmp_path: Path) -> None:
    none = made(tmp_path / "demo", STUDY, synthetic_store.of_study(STUDY).iloc[:0])
    runs = contents.runs
    sentences = [
        maps(contents, Look(metric=METRICS["hessian_top"])),
        maps(contents, Look(seed=99)),
        maps(none, Look()),
        maps(none, Look(metric=GRAD, interpolated=True)),
        cuts(none, Look()),
        cuts(contents, Look(), ("sgd", 1e-3, 1e-3)),
        cuts(contents, Look(), ("adams", -1.0, 1e-3)),
        cuts(contents, Look(), ("adams", float("nan"), 1e-3)),
        cuts(contents, Look(), ("adams", 1e-3, float("inf"))),
        difference(contents, "adams", "sgd", Look()),
        difference(contents, "adams", "adams", Look()),
        difference(none, "adams", "adamw", Look()),
        cell_curves(contents.curves, runs.iloc[:0]),
        cell_curves(contents.curves.iloc[:0], runs.head(1)),
    ]
    assert all(isinstance(one, NotDrawn) and one.reason for one in sentences)
    assert "hessian" not in str(sentences[1]).lower()
    assert "there are 0, 1, 2" in str(sentences[1])


def test_cells_that_are_no_map_are_shown_as_the_report_does(tmp_path: Path) -> None:
    line = STUDY.replace(DECAY, "[1.0e-3]")
    single = line.replace(LR, "[1.0e-3]")
    one = made(tmp_path / "line", line.replace("demo", "line"), synthetic_grid.of_grid(line))
    found = drawn(maps(one, Look(metric=GRAD)))
    assert "gradient norm" in found.figure.layout.annotations[0].text
    assert drawn(maps(one, Look())).figure.to_json() == drawn(figures()["slices"].draw(one)).figure.to_json()
    few = made(tmp_path / "few", single.replace("demo", "few"), synthetic_grid.of_grid(single))
    assert drawn(maps(few, Look())).figure.to_json() == drawn(figures()["cells"].draw(few)).figure.to_json()
    assert isinstance(difference(one, "adams", "adamw", Look()), NotDrawn)


def test_an_optimizer_without_a_run_yet_has_an_empty_map(tmp_path: Path) -> None:
    runs = synthetic_store.of_study(STUDY)
    one = made(tmp_path / "demo", STUDY, runs[runs["optimizer"] == "adams"])
    for look in (Look(), Look(metric=GRAD), Look(seed=1), Look(native=True), Look(spread=True)):
        found = drawn(maps(one, look))
        empty = [t for t in cells(found) if t.meta["label"] == "adamw"]
        assert empty
        assert all(np.isnan(np.asarray(t.z, dtype=float)).all() for t in empty)
    assert "common scale" in drawn(maps(one, Look(native=True))).caption
    assert isinstance(drawn(maps(one, Look(interpolated=True))), Drawing)
    assert isinstance(cuts(one, Look(), ("adams", 1e-3, 1e-3)), Drawing)
    assert isinstance(difference(one, "adams", "adamw", Look()), NotDrawn)


@pytest.mark.slow
def test_labels_are_text(tmp_path: Path) -> None:
    text = STUDY.replace("adams]", f"{{name: adams, label: {json.dumps(NASTY)}}}]")
    runs = synthetic_store.of_study(STUDY)
    one = made(tmp_path / "demo", text, runs)
    where = (NASTY, float(one.maps[NASTY].lr[3]), float(one.maps[NASTY].weight_decay[3]))
    chosen = one.runs[one.runs["run_id"].isin(one.best[NASTY])]
    looks = [Look(), Look(metric=GRAD), Look(interpolated=True), Look(seed=0, native=True), Look(spread=True)]
    found = [*(maps(one, look) for look in looks), *(cuts(one, look, where) for look in looks)]
    found += [difference(one, NASTY, "adamw", Look()), cell_curves(one.curves, chosen)]
    for drawing in map(drawn, found):
        plain = json.loads(drawing.figure.to_json())
        labels = [trace.pop("meta", {}).get("label") for trace in plain["data"]]
        assert NASTY in labels or not any(labels)
        shown = json.dumps(plain)
        assert "<b>x" not in shown
        assert "%{x}" not in shown
