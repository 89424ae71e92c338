"""What few data cannot tell is said in words: seeds that change nothing give no interval and decide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.contents.gather import gather
from analysis.conventions import ALIKE
from analysis.landscapes.by_seed import replicates
from analysis.report.notes import notes
from robustness.results import Store
from tests.support import synthetic_store

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
