"""Figures of losses, of the Hessian and of the effective learning rate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.figures import gradient_norms
from analysis.figures.base.theme import Drawing
from analysis.figures.lines.learning_curves import PERPLEXITY
from analysis.figures.lines.spectrum import eigenvalues, spectrum
from analysis.figures.paper.figures import FIGURES
from tests.support import synthetic
from tests.support.paper_figures import contents, lines, titles

BASINS = {name: synthetic.DEMO[name] for name in ("adam", "adamw", "adams")}


def of_cell(table: pd.DataFrame, values: Any) -> pd.DataFrame:
    """Return the runs with lists of eigenvalues: `values` of a run's seed."""
    return table.assign(
        hessian_eigenvalues=pd.Series([np.array(values(seed)) for seed in table["seed"]], table.index, dtype=object)
    )


def test_perplexity_is_e_to_the_loss_of_each_run() -> None:
    table = pd.DataFrame({"test_loss": [0.0, np.log(120.0), np.nan, 5000.0]})
    found = PERPLEXITY.of(table)
    np.testing.assert_allclose(found[:2], [1.0, 120.0])
    assert np.isnan(found[2])
    assert np.isfinite(found[3])


def test_figure_13_draws_perplexities() -> None:
    study = contents(synthetic.runs(BASINS))
    drawing = FIGURES["13"].draw(study)
    assert isinstance(drawing, Drawing)
    assert "perplexity" in titles(drawing)[0]
    rows = study.curves[study.curves["run_id"].isin(chosen(study, "adam"))]
    expected = np.exp(rows["test_loss"]).groupby(rows["epoch"]).mean()
    np.testing.assert_allclose(lines(drawing)["adam"][0].y, expected)


def chosen(study: Any, name: str) -> list[str]:
    cell, one = study.chosen[name], study.maps[name]
    at = (study.runs["lr"] == one.lr[cell.column]) & (study.runs["weight_decay"] == one.weight_decay[cell.row])
    return list(study.runs.loc[at & (study.runs["label"] == name), "run_id"])


def test_a_hessian_that_was_not_asked_for_says_how_to_ask() -> None:
    study = contents(synthetic.runs(BASINS).assign(hessian_top=np.nan))
    for number in ("6", "7"):
        assert "`workload: {hessian: {top: 1}}`" in str(FIGURES[number].draw(study))


def test_figure_7_is_the_spectrum_where_there_is_one() -> None:
    table = of_cell(synthetic.runs(BASINS), lambda seed: [9.0 + seed, 4.0, 1.0 - seed / 10])
    study = contents(table.assign(hessian_top=9.0))
    drawing = FIGURES["7"].draw(study)
    assert isinstance(drawing, Drawing)
    found = lines(drawing)
    assert set(found) == {"adamw", "adams"}
    assert found["adams"][0].x.tolist() == [1, 2, 3]
    np.testing.assert_allclose(found["adams"][0].y, [10.0, 4.0, 0.9])
    single = contents(of_cell(synthetic.runs(BASINS), lambda _seed: [9.0]).assign(hessian_top=9.0))
    cut = FIGURES["7"].draw(single)
    assert isinstance(cut, Drawing)
    assert "against weight decay" in titles(cut)[0]


def test_eigenvalues_of_unequal_length_and_none_are_padded() -> None:
    runs = pd.DataFrame({"run_id": ["a", "b", "c", "d"], "hessian_eigenvalues": [[3.0, 1.0], None, [2.0], np.nan]})
    np.testing.assert_array_equal(eigenvalues(runs, ["a", "b", "c", "d"]), [[3.0, 1.0], [2.0, np.nan]])
    assert eigenvalues(runs, ["b"]).shape == (0, 0)
    assert eigenvalues(runs[["run_id"]], ["a"]).size == 0
    drawing = spectrum(runs, {"x": ["a", "c"], "y": []})
    np.testing.assert_allclose(lines(drawing)["x"][0].y, [2.5, 1.0])


@pytest.mark.parametrize("recorded", [True, False])
def test_the_effective_learning_rate_is_drawn_where_it_is_recorded(recorded: bool) -> None:
    study = contents(synthetic.runs(BASINS))
    curves = study.curves.assign(effective_lr=study.curves["lr"] / study.curves["weight_norm"] ** 2)
    ids = {name: chosen(study, name) for name in BASINS}
    drawing = gradient_norms(curves if recorded else study.curves, ids)
    found = lines(drawing)["adams"]
    assert len(found) == 2 + recorded
    assert ("Effective learning rate" in drawing.caption) == recorded
    if recorded:
        rows = curves[curves["run_id"].isin(ids["adams"])]
        np.testing.assert_allclose(found[2].y, rows.groupby("epoch")["effective_lr"].mean())
