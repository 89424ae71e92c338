"""The depth of the loss: chosen by validation, scored by test, diverged runs at the loss of chance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import stats

from analysis.landscapes.labels import label
from analysis.measures.chance_loss import chance_loss
from analysis.measures.contrasts import Contrasts
from robustness.study import paper_claims
from tests.support import synthetic
from tests.support.landscapes import judged

if TYPE_CHECKING:
    import pandas as pd

LR, DECAY = (1e-3, 1e-2, 1e-1), (1e-4, 1e-3)
NAMES = ("adam", "adamw")


def runs(seeds: int = 3, **options: Any) -> pd.DataFrame:
    """Return runs whose losses rank the cells otherwise than their errors do."""
    basins = {name: synthetic.DEMO[name] for name in NAMES}
    table = synthetic.runs(basins, lr=LR, weight_decay=DECAY, seeds=seeds, diverges=1e9, **options)
    random = np.random.default_rng(5)
    for column in ("test_loss", "validation_loss"):
        table[column] = 5.0 - 0.02 * table["test_error"] + 0.01 * random.standard_normal(len(table))
    return label(table)


def scores(table: pd.DataFrame, name: str) -> pd.Series:
    """Return a seed's test loss in the cell of least mean validation loss."""
    rows = table[table["label"] == name]
    cells = rows.groupby(["lr", "weight_decay"])["validation_loss"].mean()
    lr, decay = np.asarray(cells.idxmin())
    chosen: pd.DataFrame = rows[(rows["lr"] == lr) & (rows["weight_decay"] == decay)]
    return chosen.set_index("seed")["test_loss"].sort_index()


@pytest.mark.parametrize(("error", "classes"), [(90.0, 10), (99.99, 10_000), (0.0, 1)])
def test_the_loss_of_chance_follows_from_its_error(error: float, classes: int) -> None:
    assert chance_loss(error) == pytest.approx(math.log(classes))


def test_an_error_of_all_has_no_finite_loss() -> None:
    assert chance_loss(100.0) == math.inf


def test_it_is_the_paired_difference_in_the_cells_of_least_validation_loss() -> None:
    table = runs()
    contrasts = Contrasts.of_runs(table, chance=90.0)
    one, other = (scores(table, name) for name in NAMES)
    assert contrasts.value("loss_depth", "adam") == pytest.approx(one.mean())
    found = contrasts.compare("loss_depth", "adam", "adamw", level=0.9)
    expected = stats.ttest_rel(one, other).confidence_interval(0.9)
    assert (found.value, found.other) == pytest.approx((one.mean(), other.mean()))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.scale == "difference"
    assert contrasts.chosen["adam"] != contrasts.losses.chosen["adam"]


def test_half_of_the_seeds_choose_where_there_is_no_validation() -> None:
    table = runs(seeds=6, validation=False).assign(validation_loss=np.nan)
    contrasts = Contrasts.of_runs(table, chance=90.0)
    found = contrasts.compare("loss_depth", "adam", "adamw")
    rows = table[table["label"] == "adam"]
    first = rows[rows["seed"] < 3].groupby(["lr", "weight_decay"])["test_loss"].mean()
    lr, decay = np.asarray(first.idxmin())
    last = rows[(rows["seed"] >= 3) & (rows["lr"] == lr) & (rows["weight_decay"] == decay)]
    assert found.seeds == 3
    assert found.value == pytest.approx(last["test_loss"].mean())
    assert contrasts.compare("depth", "adam", "adamw").seeds == 3


def test_a_diverged_run_makes_no_validation_split_of_none() -> None:
    table = runs(seeds=6).assign(validation_loss=np.nan, validation_error=np.nan)
    lost = table.index[(table["label"] == "adam") & (table["seed"] == 5)]
    table.loc[lost, "status"], table.loc[lost, "test_error"] = "diverged", 90.0
    table.loc[lost, "test_loss"] = np.nan
    contrasts = Contrasts.of_runs(table, chance=90.0)
    choice = contrasts.losses.choices["adam"]
    assert choice is not None
    assert choice.by == "half"
    assert choice.scores[5] == pytest.approx(math.log(10))


def test_a_diverged_run_counts_with_the_loss_of_chance() -> None:
    table = runs()
    best = scores(table, "adam")
    rows = table[table["label"] == "adam"]
    cell = rows.loc[rows["test_loss"].isin(best)]
    lost = cell.index[cell["seed"] == 1]
    losses = ["test_loss", "validation_loss", "train_loss"]
    for column in losses:
        table.loc[lost, column] = np.nan
    table.loc[lost, "status"] = "diverged"
    table.loc[lost, ["test_error", "validation_error"]] = np.nan
    table["baseline"] = 75.0
    every = table[table["label"] == "adam"].fillna({name: math.log(4) for name in losses})
    expected = scores(every, "adam")
    contrasts = Contrasts.of_runs(table)
    assert contrasts.value("loss_depth", "adam") == pytest.approx(expected.mean())
    assert math.log(4) in contrasts.losses.replicates["adam"].values["test_loss"]


def test_without_losses_it_is_unknown() -> None:
    table = runs().assign(test_loss=np.nan, validation_loss=np.nan)
    found = Contrasts.of_runs(table, chance=90.0).compare("loss_depth", "adam", "adamw")
    assert np.isnan([found.value, found.estimate, found.low]).all()


def test_the_edge_is_that_of_the_cell_that_the_loss_chose() -> None:
    table = runs()
    contrasts = Contrasts.of_runs(table, chance=90.0)
    found = contrasts.compare("loss_depth", "adam", "adamw")
    worse = found.of if found.value > found.other else found.against
    cell = contrasts.losses.chosen[worse]
    assert cell is not None
    side = "low lr" if cell.column == 0 else "high lr"
    assert cell.column in {0, 2}
    assert side in (contrasts.clipped(found) or "")


def test_the_language_claim_is_about_losses_in_nats() -> None:
    table = runs().assign(workload="treebank")
    table["validation_loss"] = table["test_loss"] = 4.0 + table["optimizer"].map({"adam": 0.0, "adamw": 0.5})
    table.loc[table["lr"] != 1e-2, ["validation_loss", "test_loss"]] += 1.0
    asked = paper_claims()["l2-wins-on-language"]
    contrasts = Contrasts.of_runs(table, weight_decay=DECAY, chance=99.99)
    found = judged(contrasts, asked, table, workload="treebank")
    assert found.comparisons[0].estimate == pytest.approx(-0.5)
    assert "difference −0.5 nats" in found.why
