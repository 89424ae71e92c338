"""The paper's figures: each is drawn from a study that has what it needs, or says what is missing."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
import pytest

from analysis.contents.gather import gather
from analysis.figures import FIGURES, Drawing, NotDrawn
from robustness.results import Store
from tests.support import synthetic, synthetic_store
from tests.support.paper_figures import contents, lines, titles

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

EVERY = {
    **synthetic.DEMO,
    "sgd": synthetic.Basin(2.8, -1.5, -3.3, convention="l2"),
    "sgd-eq1": synthetic.Basin(3.1, -1.7, -3.6),
}


def restarting(curves: pd.DataFrame) -> pd.DataFrame:
    return curves.assign(lr=1e-3 * (1 + np.cos(np.pi * ((curves["epoch"] - 1) % 7) / 7)))


@pytest.fixture(name="whole", scope="module")
def make_whole() -> Any:
    """Return a study with every optimizer, column and schedule that a figure may need."""
    runs = synthetic.runs(EVERY)
    runs["hessian_top"] = np.where(runs["status"] == "completed", 40 + 1e4 * runs["weight_decay"], np.nan)
    found = contents(runs)
    found.curves = restarting(found.curves)
    return found


def drawn(number: str, study: Any) -> Drawing:
    found = FIGURES[number].draw(study)
    assert isinstance(found, Drawing), found
    return found


def claims_of(number: str) -> tuple[str, ...]:
    found = FIGURES[number].on_paper
    assert found is not None
    return found.claims


@pytest.mark.slow
@pytest.mark.parametrize("number", list(FIGURES))
def test_every_figure_is_drawn_where_the_data_allow_it(number: str, whole: Any) -> None:
    drawing = drawn(number, whole)
    assert "digits" in drawing.caption
    assert "3 seeds" in drawing.caption
    for layout in (drawing.figure.layout, drawing.narrow):
        json.loads(go.Figure(drawing.figure.data, layout).to_json())
    assert claims_of(number)


def test_the_registry_is_the_papers_list() -> None:
    assert list(FIGURES) == [str(number) for number in range(1, 21)]
    assert claims_of("11") == ("deeper-basin", "wider-basin")
    assert claims_of("4") == ("swd-shrinks-gradient-norm", "swd-lowers-training-loss")
    assert all(figure.heading for figure in FIGURES.values())


def test_learning_curves_are_of_the_chosen_cell_and_keep_the_optimizers_colors(whole: Any) -> None:
    drawing = drawn("1", whole)
    assert list(lines(drawing)) == ["sgd", "sgd-eq1"]
    cell, one = whole.chosen["sgd"], whole.maps["sgd"]
    runs = whole.runs
    here = (runs["lr"] == one.lr[cell.column]) & (runs["weight_decay"] == one.weight_decay[cell.row])
    ids = runs.loc[here & (runs["label"] == "sgd"), "run_id"]
    mean = whole.curves[whole.curves["run_id"].isin(ids)].groupby("epoch")["test_error"].mean()
    np.testing.assert_allclose(lines(drawing)["sgd"][0].y, mean)
    every = lines(drawn("14", whole))
    assert list(every) == list(whole.runs["label"].cat.categories)
    assert every["sgd"][0].line.color == lines(drawing)["sgd"][0].line.color


def test_the_workload_is_named_on_the_picture(whole: Any) -> None:
    for number in ("13", "17", "18"):
        assert all("digits" in text for text in titles(drawn(number, whole)))
    assert "ImageNet" in drawn("18", whole).caption
    assert "ImageNet" not in "".join(titles(drawn("18", whole)))


def test_figure_4_has_the_scheduler_the_gradient_norm_and_the_loss(whole: Any) -> None:
    own = lines(drawn("4", whole))
    assert set(own) == {"adams", "adamw"}
    norm, of_one = (whole.curves.groupby("epoch")[name].mean() for name in ("grad_norm_sq", "root_mean_v"))
    np.testing.assert_allclose(own["adams"][0].y, 1 / of_one)
    np.testing.assert_allclose(own["adams"][1].y, norm)


def test_effective_decay_is_of_adams_alone_and_sharpness_of_the_runs_table(whole: Any) -> None:
    assert all(text.startswith("<b>adams at learning rate") for text in titles(drawn("5", whole)))
    one = whole.maps["adams"]
    lr = one.lr[whole.chosen["adams"].column]
    runs = whole.runs[(whole.runs["label"] == "adams") & (whole.runs["lr"] == lr)]
    expected = runs[runs["weight_decay"] > 0].groupby("weight_decay")["hessian_top"].mean().dropna()
    values = np.asarray(lines(drawn("7", whole))["adams"][0].y)
    np.testing.assert_allclose(values[2:], expected)


REASONS = [
    ("1", {"runs": lambda r: r[r["optimizer"] != "sgd-eq1"]}, "needs runs of sgd-eq1, and"),
    ("1", {"runs": lambda r: r[~r["optimizer"].str.startswith("sgd")]}, "sgd and sgd-eq1"),
    ("2", {"runs": lambda r: r[r["optimizer"] == "adams"]}, "adamw or adam or sgd"),
    ("3", {"runs": lambda r: r[r["weight_decay"] > 0]}, "weight decay 0"),
    ("4", {"curves": lambda c: c.iloc[:0]}, "no curves are stored"),
    ("4", {"curves": lambda c: c[["run_id", "epoch", "lr", "test_error"]]}, "do not hold root_mean_v"),
    ("5", {"curves": lambda c: c.iloc[:0]}, "several weight decays"),
    ("5", {"curves": lambda c: c.assign(effective_decay=np.nan)}, "do not hold effective_decay"),
    ("6", {}, "column hessian_top"),
    ("7", {"runs": lambda r: r.assign(hessian_top=np.nan)}, "column hessian_top"),
    ("10", {"runs": lambda r: r[r["weight_decay"] == 1e-3]}, "several weight decays"),
    ("12", {}, "warm restarts"),
    ("13", {"runs": lambda r: r[r["optimizer"] != "adam"]}, "needs runs of adam,"),
    ("15", {"curves": lambda c: c.assign(train_loss=np.nan, test_error=np.nan)}, "do not hold train_loss"),
    ("9", {"runs": lambda r: r.assign(status="diverged")}, "has trained"),
    ("11", {"runs": lambda r: r.iloc[:0]}, "no run is stored"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "change", "words"), REASONS)
def test_a_figure_that_cannot_be_drawn_says_what_is_missing(number: str, change: dict[str, Any], words: str) -> None:
    runs = synthetic.runs(EVERY, seeds=1)
    study = contents(change.get("runs", lambda table: table)(runs))
    study.curves = change.get("curves", lambda table: table)(study.curves)
    reason = FIGURES[number].draw(study)
    assert isinstance(reason, NotDrawn)
    assert words in reason.reason


def test_a_warmup_is_no_restart(whole: Any) -> None:
    curves = whole.curves
    warm: Any = SimpleNamespace(**{**vars(whole), "curves": curves.assign(lr=np.minimum(curves["epoch"], 5) / 5)})
    assert isinstance(FIGURES["12"].draw(warm), NotDrawn)
    assert isinstance(FIGURES["12"].draw(whole), Drawing)


@pytest.mark.slow
@pytest.mark.parametrize("runs", [
    synthetic.runs(lr=(1e-3,), weight_decay=(1e-3,), seeds=1),
    synthetic.runs(diverges=-1.0, seeds=2),
    synthetic.failed(synthetic.runs(seeds=1), np.ones(432, dtype=bool)),
    synthetic.runs(seeds=2).iloc[::7],
    synthetic.runs(seeds=1, validation=False).iloc[:0],
])  # fmt: skip
def test_partial_studies_give_a_drawing_or_a_reason(runs: pd.DataFrame) -> None:
    study = contents(runs)
    for curves in (study.curves, study.curves.iloc[:0]):
        study.curves = curves
        for figure in FIGURES.values():
            assert figure.draw(study)


@pytest.mark.slow
def test_contents_of_a_store_are_enough(tmp_path: Path) -> None:
    root = synthetic_store.store(tmp_path / "demo", synthetic_store.of_study())
    study = gather(Store(root))
    for number in ("4", "9", "10", "11", "15"):
        assert "after the paper, here on digits" in drawn(number, study).caption
    assert "sgd-eq1" in str(FIGURES["1"].draw(study))


def test_without_a_chosen_cell_the_best_runs_are_drawn(whole: Any) -> None:
    ids = whole.runs[(whole.runs["label"] == "adams") & (whole.runs["lr"] == synthetic.LR[3])]
    best = {"adams": ids.loc[ids["weight_decay"] == 1e-3, "run_id"].tolist(), "adamw": ids["run_id"].tolist()[:0]}
    study = SimpleNamespace(**{**vars(whole), "chosen": {}, "best": best, "maps": {}})
    own = lines(drawn("9", study))
    mean = whole.curves[whole.curves["run_id"].isin(best["adams"])].groupby("epoch")["test_error"].mean()
    assert list(own) == ["adams"]
    np.testing.assert_allclose(own["adams"][0].y, mean)
