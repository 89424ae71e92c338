"""What few data cannot tell is said in words: seeds that change nothing give no interval and decide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analysis.contents.gather import gather, gather_all
from analysis.conventions import ALIKE
from analysis.landscapes.by_seed import replicates
from analysis.report.notes import notes
from robustness.results import Store
from tests.support import synthetic, synthetic_store

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd


def of_one_seed(runs: pd.DataFrame, *, optimizers: list[str]) -> pd.DataFrame:
    """Return the runs, those of some optimizers with the outcome of their first seed, but for rounding."""
    outcome = runs.loc[:, "train_loss":"root_mean_v"].columns
    numbers = outcome[runs[outcome].dtypes == np.float64]
    firsts = runs.groupby("cell_id")[[*numbers, "status", "reason"]].transform("first")
    meant = runs["optimizer"].isin(optimizers)
    rounding = 1 + 1e-7 * runs.loc[meant, ["seed"]].to_numpy()
    changed = runs.copy()
    changed.loc[meant, ["status", "reason"]] = firsts.loc[meant, ["status", "reason"]]
    changed.loc[meant, numbers] = firsts.loc[meant, numbers] * rounding
    changed.loc[meant, "test_error"] = firsts.loc[meant, "test_error"]
    return changed


def test_seeds_that_change_nothing_are_one_observation(tmp_path: Path) -> None:
    runs = of_one_seed(synthetic_store.of_study(), optimizers=["adam", "adamw", "adams"])
    contents = gather(Store(synthetic_store.store(tmp_path / "demo", runs)))
    judged = [verdict for verdict in contents.verdicts if verdict.comparisons]
    assert len(judged) > 4
    assert {verdict.outcome for verdict in judged} == {"undecided"}
    assert all(ALIKE in verdict.why for verdict in judged)
    for verdict in judged:
        for one in verdict.comparisons:
            assert (one.seeds, one.without, one.known) == (1, ALIKE, False)
    assert any("The seeds do not change the outcome of adam, adamw and adams" in note for note in notes(contents))


def test_one_optimizer_whose_seeds_change_nothing_takes_the_interval_from_its_comparisons_alone(tmp_path: Path) -> None:
    runs = of_one_seed(synthetic_store.of_study(), optimizers=["adam"])
    contents = gather(Store(synthetic_store.store(tmp_path / "demo", runs)))
    known = {
        frozenset((one.of, one.against)): one.known
        for verdict in contents.verdicts
        if verdict.claim in {"deeper-basin", "wider-basin"}
        for one in verdict.comparisons
    }
    assert known == {frozenset(("adams", "adam")): False, frozenset(("adams", "adamw")): True}


def test_runs_that_differ_in_one_cell_are_not_alike() -> None:
    runs = of_one_seed(synthetic_store.of_study(), optimizers=["adam"])
    assert {name: one.alike for name, one in replicates(runs, ["test_error"]).items()} == {
        "adam": True, "adamw": False, "adams": False
    }  # fmt: skip
    place = runs.index[(runs["optimizer"] == "adam") & (runs["seed"] == 2) & (runs["status"] == "completed")][5]
    runs.loc[place, "test_loss"] *= 1.001
    assert not replicates(runs, ["test_error"])["adam"].alike


def test_a_hole_decides_no_claim_about_the_map_and_says_so(tmp_path: Path) -> None:
    runs = synthetic_store.of_study(noise=0.02)
    whole = gather(Store(synthetic_store.store(tmp_path / "whole", runs)))
    decided = {each.claim for each in whole.verdicts if each.outcome in {"reproduced", "contradicted"}}
    assert "deeper-basin" in decided
    adams = runs[(runs["optimizer"] == "adams") & (runs["weight_decay"] > 0)]
    lr, decay = sorted(adams["lr"].unique())[5], sorted(adams["weight_decay"].unique())[4]
    hole = (runs["optimizer"] == "adams") & (runs["lr"] == lr) & (runs["weight_decay"] == decay)
    assert hole.sum() == 3
    contents = gather(Store(synthetic_store.store(tmp_path / "hole", runs[~hole])))
    verdict = next(each for each in contents.verdicts if each.claim == "deeper-basin")
    assert verdict.outcome == "undecided"
    assert "but no result is stored of 1 cell of adams" in verdict.why


def test_an_edge_that_is_not_reached_yet_is_no_hole(tmp_path: Path) -> None:
    runs = synthetic_store.of_study(noise=0.02)
    there = runs[runs["lr"] < runs["lr"].max()]
    contents = gather(Store(synthetic_store.store(tmp_path / "under-way", there)))
    assert not any("no result is stored of" in verdict.why for verdict in contents.verdicts)


def test_without_validation_half_of_the_seeds_choose_a_sampled_cell_and_the_others_score_it(tmp_path: Path) -> None:
    runs = synthetic.sampled(12, seeds=4).assign(validation_error=np.nan)
    (contents,) = gather_all(Store(synthetic_store.store(tmp_path / "sampled", runs, text=None)))
    for one in contents.summaries:
        own = runs[(runs["optimizer"] == one.label) & (runs["status"] == "completed")]
        chooses, scores = (own[own["seed"].isin(seeds)] for seeds in ([0, 1], [2, 3]))
        means = chooses.groupby(["lr", "weight_decay"], as_index=False)["test_error"].mean()
        place = means[["lr", "weight_decay"]].iloc[int(means["test_error"].to_numpy().argmin())]
        inside = (scores[["lr", "weight_decay"]] == place).all(axis=1)
        expected = float(scores.loc[inside, "test_error"].mean())
        assert one.depth == pytest.approx(expected)
        assert one.least is not None
        assert one.depth >= one.least.mean - 0.5
