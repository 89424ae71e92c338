"""The best error: what a cell chosen by other data comes to, the same wherever it is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from analysis.contents.by_workload import by_workload
from analysis.contents.gather import lightly
from analysis.service.studies.progress import line_of
from robustness import Study
from robustness.results.best import best_errors, nothing_learnt
from robustness.study.resolution import resolve
from robustness.sweep.progress import Progress
from tests.support import synthetic, synthetic_store

if TYPE_CHECKING:
    from collections.abc import Callable

NAN = float("nan")


def table(*rows: tuple[str, float, float, int, str, float, float]) -> pd.DataFrame:
    columns = ["label", "lr", "weight_decay", "seed", "status", "test_error", "validation_error"]
    return pd.DataFrame(list(rows), columns=columns).assign(baseline=NAN)


def test_validation_chooses_and_the_mean_over_the_seeds_scores() -> None:
    rows = table(
        ("a", 0.1, 0.0, 0, "completed", 7.0, 5.0),
        ("a", 0.1, 0.0, 1, "completed", 9.0, 5.0),
        ("a", 0.2, 0.0, 0, "completed", 1.0, 6.0),
        ("a", 0.2, 0.0, 1, "completed", 2.0, 6.0),
    )
    assert best_errors(rows) == {"a": 8.0}, "and not the 1.00 % of the luckiest run"


def test_without_validation_half_of_the_seeds_choose_and_the_others_score() -> None:
    rows = table(
        *(("a", 0.1, 0.0, seed, "completed", error, NAN) for seed, error in enumerate((3.0, 3.0, 8.0, 9.0))),
        *(("a", 0.2, 0.0, seed, "completed", error, NAN) for seed, error in enumerate((4.0, 4.0, 1.0, 1.0))),
    )
    assert best_errors(rows) == {"a": 8.5}
    assert best_errors(rows[rows["seed"] == 0]) == {"a": 3.0}, "a single seed does both"


def test_a_diverged_run_counts_as_chance_whatever_its_columns_hold() -> None:
    rows = table(
        ("a", 0.1, 0.0, 0, "completed", 7.0, 5.0),
        ("a", 0.1, 0.0, 1, "diverged", NAN, NAN),
        ("a", 0.2, 0.0, 0, "completed", 30.0, 31.0),
        ("a", 0.2, 0.0, 1, "completed", 31.0, 30.0),
        ("a", 0.3, 0.0, 1, "failed", NAN, NAN),
    )
    assert best_errors(rows.assign(baseline=90.0)) == {"a": 30.5}


def test_what_learnt_nothing_has_no_best() -> None:
    rows = table(
        ("a", 0.1, 0.0, 0, "diverged", NAN, NAN),
        ("a", 0.2, 0.0, 0, "completed", 50.0, 50.0),
        ("a", 0.3, 0.0, 0, "completed", 60.0, 40.0),
    ).assign(baseline=50.0)
    assert best_errors(rows) == {"a": None}
    assert nothing_learnt(rows)
    assert not nothing_learnt(rows.assign(test_error=[NAN, 49.0, 60.0]))
    assert not nothing_learnt(rows[:0]), "of nothing, nothing is said"


def test_optimizers_on_one_grid_are_compared_where_all_of_them_have_been() -> None:
    rows = table(
        ("a", 0.1, 0.0, 0, "completed", 7.0, 7.0),
        ("a", 0.2, 0.0, 0, "completed", 3.0, 3.0),
        ("b", 0.1, 0.0, 0, "completed", 5.0, 5.0),
    )
    assert best_errors(rows, one_grid=True) == {"a": 7.0, "b": 5.0}
    assert best_errors(rows, one_grid=False) == best_errors(rows) == {"a": 3.0, "b": 5.0}


SMALL = synthetic_store.STUDY


@pytest.mark.parametrize(
    "some",
    [lambda runs: runs, lambda runs: runs.iloc[::7], lambda runs: runs.assign(validation_error=np.nan)],
    ids=["whole", "partial", "without validation"],
)
def test_the_progress_line_the_list_and_the_report_say_the_same(some: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    study = Study.parse(SMALL)
    runs = some(synthetic_store.of_study(SMALL))
    parts = by_workload(runs, resolve(study))
    (contents,) = lightly("demo", SMALL, None, parts, runs)
    report = {label: f"{mark.error:.4f}" for label, mark in contents.marks.items()}
    assert len(report) == 3
    listed = line_of("demo", parts).best[study.workload.title]
    assert {label: f"{error:.4f}" for label, error in listed.items()} == report
    with Progress(study, total=len(runs), done=len(runs), stored=runs, quiet=True) as progress:
        said = progress.line().status
    words = ", ".join(f"{label} {contents.marks[label].error:.2f} %" for label in report)
    assert said.endswith(f"best {words}")
    assert study.workload.chance_error == synthetic.CHANCE
