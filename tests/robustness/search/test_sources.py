"""Where runs come from: a grid, and Optuna searches that go on from what is stored."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from typing import TYPE_CHECKING

import optuna
import pytest

from robustness.search.make import make_source
from robustness.search.sampled import SampledSource
from robustness.search.source import RunOutcome
from robustness.study import Run, Study
from robustness.worker.report import outcome as worker_outcome
from tests.support.bowl import SAMPLERS, drive, empty, error_of, outcome, row, sampled, stored

if TYPE_CHECKING:
    from pathlib import Path


def test_a_grid_hands_out_what_is_missing(tmp_path: Path) -> None:
    study = Study(
        name="g",
        workload={"name": "digits"},
        optimizers=["adams"],
        space={"lr": [1e-3, 1e-2], "weight_decay": [0, 1e-3]},
        seeds=2,
    )
    grid = study.grid()
    have = [row(grid[0]), row(grid[1], "diverged"), row(grid[2], "failed")]
    source = make_source(study, stored(tmp_path, have))
    assert (source.total, source.done) == (8, 2)
    assert [run.run_id for run in source.next()] == [run.run_id for run in grid[2:]]
    assert source.next() == []


@pytest.mark.slow
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_search_asks_for_exactly_the_cells(tmp_path: Path, sampler: str) -> None:
    source = make_source(sampled(sampler), empty(tmp_path))
    assert (source.total, source.done) == (80, 0)
    runs = drive(source)
    assert len({run.run_id for run in runs}) == len(runs) == 80
    cells = Counter((run.optimizer.name, run.cell_id) for run in runs)
    assert Counter(name for name, _ in cells) == {"adams": 20, "adam": 20}
    assert set(cells.values()) == {2}
    for run in runs:
        assert 1e-4 <= run.lr <= 1
        assert run.weight_decay == 0 or 1e-5 <= run.weight_decay <= 0.1


@pytest.mark.slow
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_an_interrupted_search_goes_on_to_exactly_the_cells(tmp_path: Path, sampler: str) -> None:
    study = sampled(sampler)
    first = make_source(study, empty(tmp_path))
    begun = first.next()
    finished = begun[:23]  # some cells lack a seed
    source = make_source(study, stored(tmp_path, [row(run, sampler=sampler) for run in finished]))
    assert source.done == 23
    rest = drive(source)
    everything = finished + rest
    assert source.total == len(everything) == len({run.run_id for run in everything}) == 80
    cells = Counter((run.optimizer.name, run.cell_id) for run in everything)
    assert Counter(name for name, _ in cells) == {"adams": 20, "adam": 20}
    assert set(cells.values()) == {2}


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["qmc", "random"])
def test_interrupted_or_not_the_fixed_sequences_name_the_same_cells(tmp_path: Path, sampler: str) -> None:
    study = sampled(sampler)
    whole = {run.run_id for run in drive(make_source(study, empty(tmp_path)))}
    begun = make_source(study, empty(tmp_path)).next()
    rest = drive(make_source(study, stored(tmp_path, [row(run, sampler=sampler) for run in begun])))
    assert {run.run_id for run in begun + rest} == whole


@pytest.mark.parametrize("sampler", ["qmc", "random"])
def test_the_fixed_sequences_give_every_optimizer_the_same_cells(tmp_path: Path, sampler: str) -> None:
    runs = drive(make_source(sampled(sampler), empty(tmp_path)))
    places = {name: {(r.lr, r.weight_decay) for r in runs if r.optimizer.name == name} for name in ("adams", "adam")}
    assert places["adams"] == places["adam"]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_diverged_and_failed_cells_do_not_upset_a_search(tmp_path: Path, sampler: str) -> None:
    def answer(run: Run) -> RunOutcome:
        if run.lr > 0.1:
            return outcome(run, "diverged", 90.0)
        if run.weight_decay > 1e-2:
            return outcome(run, "failed")
        return outcome(run, error=math.nan) if run.weight_decay == 0 else outcome(run)

    runs = drive(make_source(sampled(sampler), empty(tmp_path)), answer)
    assert len({run.run_id for run in runs}) == 80


def test_nan_and_failures_never_reach_optuna_as_values(tmp_path: Path) -> None:
    source = make_source(sampled(cells=16, seeds=1), empty(tmp_path))
    drive(source, lambda run: outcome(run, "failed") if run.lr > 1e-2 else outcome(run, "diverged", 90.0))
    assert isinstance(source, SampledSource)
    for search in source.searches:
        trials = search.optuna_study.get_trials(deepcopy=False)
        assert {t.state for t in trials} <= {optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.FAIL}
        assert {t.value for t in trials if t.state == optuna.trial.TrialState.COMPLETE} <= {90.0}


@pytest.mark.parametrize(("baseline", "worth"), [(90.0, 46.0), (None, 2.0)])
def test_a_stored_run_that_diverged_counts_with_its_baseline(
    tmp_path: Path, baseline: float | None, worth: float
) -> None:
    study = sampled(cells=1, seeds=2)
    nothing = {"validation_error": None, "test_error": None, "baseline": baseline}
    runs = [study.run(study.optimizers[0], 1e-2, 1e-3, seed) for seed in study.seeds]
    rows = [row(runs[0], error=2.0), row(runs[1], "diverged") | nothing]
    source = make_source(study, stored(tmp_path, rows))
    assert isinstance(source, SampledSource)
    (trial,) = source.searches[0].optuna_study.get_trials()
    assert trial.value == worth
    assert source.done == 2


def test_a_driver_learns_the_baseline_of_what_diverged() -> None:
    lost = {"run_id": "a", "status": "diverged", "validation_error": None, "test_error": None, "baseline": 90.0}
    assert worker_outcome(lost) == RunOutcome("a", "diverged", None, 90.0)
    slow = lost | {"status": "completed", "validation_error": 91.0, "test_error": 92.0}
    assert worker_outcome(slow) == RunOutcome("a", "completed", 91.0, 92.0)


def test_optuna_learns_the_mean_validation_error_over_the_seeds(tmp_path: Path) -> None:
    source = make_source(sampled(cells=1, seeds=3), empty(tmp_path))
    runs = source.next()
    for run, error in zip(runs[:3], [1.0, 2.0, 6.0], strict=True):
        source.tell([RunOutcome(run.run_id, "completed", error, 50.0)])
    assert isinstance(source, SampledSource)
    (trial,) = source.searches[0].optuna_study.get_trials()
    assert trial.value == 3.0


def test_tpe_finds_the_bottom_of_the_bowl(tmp_path: Path) -> None:
    medians = {}
    for sampler in ("tpe", "random"):
        runs = drive(make_source(sampled(sampler, cells=60, seeds=1), empty(tmp_path)))
        medians[sampler] = statistics.median(error_of(run) for run in runs[len(runs) // 2 :])
    assert medians["tpe"] < 0.6 * medians["random"]


def test_cells_of_another_sampler_are_known_but_do_not_count(tmp_path: Path) -> None:
    study = sampled("tpe", cells=5)
    others = [study.run(study.optimizers[0], lr, 1e-3, seed) for lr in (1e-3, 1e-2) for seed in (0, 1)]
    source = make_source(study, stored(tmp_path, [row(run, sampler="grid") for run in others]))
    assert (source.total, source.done) == (20, 0)
    assert isinstance(source, SampledSource)
    known = source.searches[0].optuna_study.get_trials()
    assert sorted(trial.value for trial in known if trial.value is not None) == pytest.approx(
        sorted({error_of(run) for run in others})
    )
    assert len(drive(source)) == 20


def test_another_seed_completes_the_stored_cells(tmp_path: Path) -> None:
    before = drive(make_source(sampled(cells=4, seeds=2), empty(tmp_path)))
    source = make_source(sampled(cells=4, seeds=3), stored(tmp_path, [row(run) for run in before]))
    assert (source.total, source.done) == (24, 16)
    added = drive(source)
    assert {run.seed for run in added} == {2}
    assert {run.cell_id for run in added} == {run.cell_id for run in before}


def test_failed_runs_are_tried_again(tmp_path: Path) -> None:
    before = drive(make_source(sampled(cells=2, seeds=2), empty(tmp_path)))
    rows = [row(before[0], "failed"), *(row(run) for run in before[1:])]
    source = make_source(sampled(cells=2, seeds=2), stored(tmp_path, rows))
    assert [run.run_id for run in drive(source)] == [before[0].run_id]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_search_over_lists_names_every_cell_once(tmp_path: Path, sampler: str) -> None:
    study = sampled(sampler, cells=12, seeds=1, lr=[1e-3, 1e-2, 0.1], decay=[0, 1e-4, 1e-3, 1e-2])
    runs = drive(make_source(study, empty(tmp_path)))
    assert len({(run.optimizer.name, run.lr, run.weight_decay) for run in runs}) == len(runs) == 24


def test_sixteen_cells_an_optimizer_are_out_at_most(tmp_path: Path) -> None:
    source = make_source(sampled(cells=40, seeds=1), empty(tmp_path))
    first = source.next()
    assert (len(first), len(source.next())) == (2 * 16, 0)
    source.tell([outcome(run) for run in first[:7]])
    assert source.next() == [], "the next ones come eight at a time"
    source.tell([outcome(run) for run in first[7:8]])
    assert len(source.next()) == 8


def test_how_many_cells_are_out_is_the_studys_to_say(tmp_path: Path) -> None:
    study = sampled(cells=40, seeds=1)
    search = study.search.model_copy(update={"ahead": 3})
    source = make_source(study.model_copy(update={"search": search}), empty(tmp_path))
    first = source.next()
    assert len(first) == 2 * 3
    assert source.next() == []


def test_a_sampler_that_learns_nothing_asks_for_all_at_once(tmp_path: Path) -> None:
    source = make_source(sampled(sampler="random", cells=40, seeds=1), empty(tmp_path))
    assert (len(source.next()), len(source.next())) == (2 * 40, 0)
