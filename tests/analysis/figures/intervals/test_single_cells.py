"""Studies in which each optimizer has a single cell: its test errors, and the paper's beside them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
from scipy import stats

from analysis.contents.gather import Contents, gather, gather_all
from analysis.figures import files, registry
from analysis.figures.base.figure import NotDrawn
from analysis.figures.intervals.single_cells import single_cells
from analysis.landscapes.labels import label
from analysis.report import best_epoch_table, report, side_by_side
from analysis.report.compared_page import drawings
from analysis.report.paper_errors import ERRORS, OPTIMIZERS, paper_error
from robustness.results import Store
from tests.support import synthetic, synthetic_grid
from tests.support.synthetic_grid import ONE_CELL

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

ALONE = re.sub(r"workload:\n.*\n.*\n", "workload: digits\n", ONE_CELL)


def runs() -> pd.DataFrame:
    """Return runs whose best epoch is better than the last one."""
    table = synthetic_grid.of_grid(ALONE)
    return table.assign(best_test_error=table["test_error"] - 0.1 * (1 + table["seed"]))


@pytest.fixture(name="alone")
def gather_alone(tmp_path: Path) -> Contents:
    return gather(Store(synthetic_grid.store(tmp_path / "cells", ALONE, runs())))


def points(drawing: Any) -> dict[str, Any]:
    return {trace.name: trace for trace in drawing.figure.data}


# The figure


def test_dots_are_means_with_students_intervals() -> None:
    table = label(runs())
    drawn = points(single_cells(table))
    assert list(drawn) == ["last epoch", "best epoch"]
    for name, column in (("last epoch", "test_error"), ("best epoch", "best_test_error")):
        groups = [rows[column].to_numpy(float) for _, rows in table.groupby("label", observed=True)]
        ends = [stats.t.interval(0.95, len(g) - 1, g.mean(), stats.sem(g)) for g in groups]
        np.testing.assert_allclose(drawn[name].x, [g.mean() for g in groups])
        limits = single_cells(table).figure.layout.xaxis.range
        low = drawn[name].x - drawn[name].error_x.arrayminus
        high = drawn[name].x + drawn[name].error_x.array
        np.testing.assert_allclose(low, np.clip([a for a, _ in ends], *limits))
        np.testing.assert_allclose(high, np.clip([b for _, b in ends], *limits))
        assert f"{ends[0][0]:.2f} to {ends[0][1]:.2f}" in drawn[name].text[0]


def test_each_optimizer_is_a_row_with_its_cell_in_words() -> None:
    drawing = single_cells(label(runs()))
    texts = [note.text for note in drawing.figure.layout.annotations]
    assert any("<b>adamw</b><br>lr 0.001, λ 5e-4 (given 0.5)" in text for text in texts)
    assert not drawing.figure.layout.shapes
    rows = [np.round(trace.y) for trace in drawing.figure.data]
    assert [row.tolist() for row in rows] == [[0.0, -1.0, -2.0]] * 2
    assert "over 3 seeds" in drawing.caption


def test_one_seed_and_failed_runs_have_no_interval() -> None:
    table = runs()
    table = label(table[(table["seed"] == 0)])
    table.loc[table["label"] == "adamw", "status"] = "failed"
    table.loc[table["label"] == "adamw", ["test_error", "best_test_error"]] = np.nan
    drawing = single_cells(table)
    trace = points(drawing)["last epoch"]
    assert len(trace.x) == 2
    assert np.isnan(np.asarray(trace.error_x.array, dtype=float)).all()
    assert "One seed: there is no interval." in drawing.caption


# The tables


def test_scores_are_means_over_seeds(alone: Contents) -> None:
    table = runs()
    for one in best_epoch_table.scores(alone):
        rows = table[table["optimizer"] == one.label.lower()]
        assert one.best == pytest.approx((rows["best_test_error"].mean(), rows["best_test_error"].std()))
        assert one.last == pytest.approx((rows["test_error"].mean(), rows["test_error"].std()))
        assert (one.paper, one.place) == (None, "")


def test_the_papers_values_are_those_of_its_table() -> None:
    options = json.dumps({"model": {"name": "resnet18", "width": 1.0}})
    assert paper_error("cifar10", options, "adams", 5e-4) == (4.91, 0.04)
    assert paper_error("cifar10", options, "radam", 5e-4) == (6.01, 0.10)
    assert paper_error("cifar10", options, "sgd", 1e-4) is None
    assert paper_error("cifar10", options, "sgd-eq1", 5e-4) is None
    assert paper_error("cifar10", options.replace("1.0", "0.5"), "sgd", 5e-4) is None
    assert paper_error("digits", '{"width": 32}', "sgd", 5e-4) is None
    wide = json.dumps({"model": {"name": "resnet34", "width": 1.0}})
    assert paper_error("cifar100", wide, "adams", 5e-4) is None
    assert paper_error("cifar100", wide, "adamw", 5e-4) == (22.99, 0.40)
    assert all(len(row.split()) == len(OPTIMIZERS) for row in ERRORS.values())


def test_the_papers_values_stand_beside_ones_own(alone: Contents) -> None:
    options = json.dumps({"model": {"name": "vgg16", "width": 1.0}})
    same = alone.runs.assign(workload="cifar10", workload_options=options)
    page = best_epoch_table.single_cells_table(replaced(alone, same))
    assert "The paper, %" in page
    assert "6.42 ± 0.02" in page
    both = [replaced(alone, same), alone]
    assert "<small>paper 6.09 ± 0.11</small>" in best_epoch_table.across(both)
    assert "Table 1 of Xie et al." in best_epoch_table.caption(both)
    assert "The paper" not in best_epoch_table.single_cells_table(alone)
    assert "Table 1" not in best_epoch_table.caption([alone])


def replaced(contents: Contents, table: pd.DataFrame) -> Contents:
    from dataclasses import replace

    return replace(contents, runs=table)


# The report


def test_a_report_shows_errors_in_place_of_maps(alone: Contents, tmp_path: Path) -> None:
    page = report.write_report(tmp_path / "cells").read_text(encoding="utf-8")
    assert re.findall(r'class="figure" id="(\w+)"', page) == ["claims", "cells", "curves", "gradients", "scatter"]
    assert alone.axes == ()
    best = min(one.last[0] for one in best_epoch_table.scores(alone) if one.last)
    assert f"{best:.2f} %" in (answer := re.findall(r'<p class="answer">(.*?)</p>', page)[0])
    assert answer.startswith("On digits, 3 seeds. Test error after the last epoch: adams ")
    assert "times as wide" not in page
    assert "decades²" not in page.split('<section class="made">')[0]


@pytest.mark.slow
def test_workloads_stand_in_one_table_with_the_least_error_in_bold(tmp_path: Path) -> None:
    root = synthetic_grid.store(tmp_path / "cells", ONE_CELL)
    page = report.write_report(root).read_text(encoding="utf-8")
    top = page.split("<article")[0]
    found = gather_all(Store(root))
    for contents in found:
        least = min(contents.runs.groupby("label", observed=True)["best_test_error"].mean())
        assert f"<strong>{least:.2f} ± " in top
    assert top.count("<strong>") == 1 + len(found)
    assert "of 2 workloads: <strong>" in top
    assert "performance" not in page.split('id="payload"')[1][:200_000]


def test_the_least_error_is_bold_where_the_first_optimizer_has_none(alone: Contents) -> None:
    first, *others = alone.runs["label"].cat.categories
    errors = alone.runs["best_test_error"].mask(alone.runs["label"] == first)
    table = best_epoch_table.across([replaced(alone, alone.runs.assign(best_test_error=errors))])
    rows = alone.runs[alone.runs["label"].isin(others)]
    least = rows.groupby("label", observed=True)["best_test_error"].mean().min()
    assert re.findall(r"<strong>(\S+) ± ", table) == [f"{least:.2f}"]
    assert "<td>–</td>" in table


def test_pictures_say_that_there_is_no_map(alone: Contents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = registry.drawings(alone, registry.known())
    said = NotDrawn("each optimizer has a single cell, which is no map")
    assert {drawn[name] for name in ("11", "basins", "difference", "profiles", "tuning", "slices")} == {said}
    assert not isinstance(drawn["cells"], NotDrawn)
    monkeypatch.setattr(files, "export", lambda _drawing, path: path)
    assert files.write_overview(tmp_path / "cells", tmp_path / "a.svg") == [tmp_path / "a.svg"]


def test_compared_studies_without_maps_have_depths_alone(alone: Contents, tmp_path: Path) -> None:
    (one,) = side_by_side.read([tmp_path / "cells"])
    assert [row.label for row in one.rows] == list(alone.maps)
    assert all(np.isfinite(row.depth) for row in one.rows)
    unknown = [[row.share, row.share_of_all, row.sensitivity, row.edge] for row in one.rows]
    assert np.isnan(unknown).all()
    assert "study-1" not in drawings([one], 1.0)


@pytest.mark.slow
def test_a_map_is_none_of_this(tmp_path: Path) -> None:
    found = gather(Store(synthetic_grid.store(tmp_path / "map", synthetic_grid.SEVERAL.replace("  - digits\n", "", 1))))
    assert found.no_map is None
    left_out = registry.drawings(found, ["cells"])["cells"]
    assert isinstance(left_out, NotDrawn)
    assert left_out.reason == "it is for optimizers that have a single cell each"
    assert len(synthetic.DEMO) == len(found.maps)


def test_a_tie_has_no_leader(monkeypatch: pytest.MonkeyPatch) -> None:
    def score(label: str, mean: float) -> best_epoch_table.Scores:
        return best_epoch_table.Scores(label=label, best=(mean, 0.1), last=(mean, 0.1), paper=None, place="")

    found = {"one": [score("A", 5.0), score("B", 6.0)], "two": [score("A", 90.0), score("B", 90.0)], "three": []}
    monkeypatch.setattr(best_epoch_table, "scores", found.get)
    one, two, three = (cast("Contents", name) for name in found)
    assert "<strong>A</strong> on 1, a tie on 1." in best_epoch_table.leaders([one, two, three])
    assert "of 1 workloads: a tie on 1." in best_epoch_table.leaders([two])
    assert best_epoch_table.leaders([three]) == "No run of this study is stored yet."
