"""A stack on a worker, and a searcher whose workers die: nothing is lost, and every failure has its reason."""

from __future__ import annotations

import pickle
import socket
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from ray.tune.search import Searcher

from robustness import Store, Study
from robustness.plugins import Package
from robustness.results import StorageError
from robustness.results.tables.schema import PROVENANCE_COLUMNS
from robustness.search.make import make_source
from robustness.search.source import RunOutcome
from robustness.sweep.capacity import Room
from robustness.sweep.progress import Progress
from robustness.sweep.searcher import StackSearcher
from robustness.sweep.trial import REPORT, RUNS
from robustness.training import train_stack
from robustness.worker.attempts import lost_row
from robustness.worker.report import Report, decode
from robustness.worker.work import work

if TYPE_CHECKING:
    from robustness.study import Run
    from robustness.training.history import History

BOOM = 1e-2
ROOM = Room({"cpu": 1.0}, now=1, most=1)


@pytest.fixture
def study() -> Study:
    return Study(
        name="t",
        workload={"name": "digits", "epochs": 2, "train_size": 640},
        optimizers=["adams", "adam"],
        space={"lr": [1e-3, BOOM], "weight_decay": [0, 1e-3]},
        seeds=1,
        resources={"stack_size": 4},
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "t")


@pytest.fixture
def fragile(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Training that raises in any stack with a certain run, as an out-of-memory error would; count the attempts."""
    from robustness import training

    attempts: list[int] = []
    train = training.train

    def explode(runs: list[Run], device: str, keeper: Any = None) -> list[History]:
        attempts.append(len(runs))
        if any(run.lr == BOOM and run.weight_decay for run in runs):
            raise MemoryError("no room")
        return train(runs, device=device, keeper=keeper)

    monkeypatch.setattr(training, "train", explode)
    return attempts


def test_a_stack_is_stored_with_its_curves(study: Study, store: Store) -> None:
    report = work(study.grid(), store, sweep_id="s", device="cpu", sampler="grid", retries=0)
    assert [outcome.status for outcome in report.outcomes] == ["completed"] * 8
    runs = store.runs()
    assert set(runs["run_id"]) == {run.run_id for run in study.grid()}
    assert set(runs["stack_size"]) == {8}
    assert len(store.curves()) == 16
    errors = dict(zip(runs["run_id"], runs["test_error"], strict=True))
    assert all(errors[outcome.run_id] == outcome.test_error for outcome in report.outcomes)


def test_one_bad_run_costs_only_itself(study: Study, store: Store, fragile: list[int]) -> None:
    report = work(study.grid(), store, sweep_id="s", device="cpu", sampler="grid", retries=2)
    statuses = {outcome.run_id: outcome.status for outcome in report.outcomes}
    bad = [run for run in study.grid() if run.lr == BOOM and run.weight_decay]
    assert len(bad) == 2
    assert {run_id for run_id, status in statuses.items() if status == "failed"} == {run.run_id for run in bad}
    assert fragile.count(1) >= 6, "each bad run is tried three times by itself"
    runs = store.runs().set_index("run_id")
    for run in bad:
        assert runs.loc[run.run_id, "status"] == "failed"
        assert "MemoryError: no room" in runs["reason"][run.run_id]
    assert store.done() == {run.run_id for run in study.grid()} - {run.run_id for run in bad}


def test_a_failed_run_that_later_succeeds_leaves_no_trace(
    study: Study, store: Store, fragile: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    work(study.grid(), store, sweep_id="s", device="cpu", sampler="grid", retries=0)
    missing = make_source(study, store.runs()).next()
    assert len(missing) == 2
    monkeypatch.undo()
    work(missing, store, sweep_id="s", device="cpu", sampler="grid", retries=0)
    assert store.done() == {run.run_id for run in study.grid()}
    assert len(store.runs()) == 8


def test_a_worker_of_an_earlier_sweep_stores_nothing(study: Study, store: Store) -> None:
    store.claim("earlier")
    assert store.claimed_by("earlier")
    store.claim("later")
    report = work(study.grid()[:2], store, sweep_id="earlier", device="cpu", sampler="grid", retries=0)
    assert report.error is not None
    assert "another sweep" in report.error
    assert report.outcomes == ()
    assert store.done() == set()
    assert work(study.grid()[:2], store, sweep_id="later", device="cpu", sampler="grid", retries=0).error is None
    assert len(store.done()) == 2


def test_a_claim_that_is_gone_or_unreadable_stops_nobody(store: Store) -> None:
    assert store.claimed_by("any")
    Path(store.root).mkdir(parents=True)
    for text in ("", "{", "[]", "null"):
        (Path(store.root) / "sweep.json").write_text(text)
        assert store.claimed_by("any")


def test_what_somebody_else_stored_meanwhile_is_not_stored_twice(study: Study, store: Store) -> None:
    grid = study.grid()
    work(grid[:3], store, sweep_id="s", device="cpu", sampler="grid", retries=0)
    late = train_stack(grid[3:5])
    row = lost_row(grid[3], "", "grid")
    store.write("by-somebody-else", late.rows({name: row[name] for name in PROVENANCE_COLUMNS}), late.curves())
    report = work(grid[2:6], store, sweep_id="s", device="cpu", sampler="grid", retries=0)
    assert len(report.outcomes) == 4, "the driver hears of all"
    frame = pd.read_parquet(Path(store.root) / "runs")
    assert sorted(frame["run_id"]) == sorted(run.run_id for run in grid[:6]), "each once, as pandas alone reads it"
    curves = pd.read_parquet(Path(store.root) / "curves")
    assert not curves.duplicated(["run_id", "epoch"]).any()


def test_a_report_travels_as_text() -> None:
    report = Report(
        (RunOutcome("a", "completed", 1.5, 2.5), RunOutcome("b", "failed", None, None)), 3.0, "disk full", True
    )
    assert Report.from_json(report.to_json()) == report


class TestSearcher:
    @pytest.fixture
    def searcher(self, study: Study, store: Store) -> StackSearcher:
        source = make_source(study, store.runs())
        progress = Progress(study, total=source.total, done=source.done, quiet=True)
        return StackSearcher(study=study, source=source, store=store, progress=progress, room=lambda: ROOM)

    def runs(self, study: Study, suggestion: dict[str, Any]) -> list[Run]:
        return decode(study, suggestion[RUNS])

    def result(self, study: Study, store: Store, suggestion: dict[str, Any]) -> dict[str, str]:
        report = work(self.runs(study, suggestion), store, sweep_id="s", device="cpu", sampler="grid", retries=0)
        return {REPORT: report.to_json()}

    def test_it_hands_out_every_run_once_and_ends(self, study: Study, store: Store, searcher: StackSearcher) -> None:
        seen = []
        for trial in map(str, range(100)):
            suggestion = searcher.suggest(trial)
            if suggestion == Searcher.FINISHED:
                break
            seen += self.runs(study, suggestion)
            searcher.on_trial_complete(trial, self.result(study, store, suggestion))
        assert suggestion == Searcher.FINISHED
        assert sorted(run.run_id for run in seen) == sorted(run.run_id for run in study.grid())

    def test_it_waits_while_enough_is_out(self, searcher: StackSearcher) -> None:
        out = [searcher.suggest(str(i)) for i in range(3)]
        assert isinstance(out[0], dict)
        assert isinstance(out[1], dict)
        assert out[2] is None

    def test_a_single_run_whose_worker_dies_each_time_fails(
        self, study: Study, store: Store, searcher: StackSearcher
    ) -> None:
        trial = 0
        while searcher.suggest(str(trial)) != Searcher.FINISHED:
            searcher.on_trial_complete(str(trial), None, error=True)
            trial += 1
        runs = store.runs()
        assert list(runs["status"]) == ["failed"] * 8
        assert all("worker process died" in reason for reason in runs["reason"])

    def test_a_error_ends_the_sweep(self, searcher: StackSearcher) -> None:
        searcher.suggest("1")
        searcher.on_trial_complete("1", {REPORT: Report(error="no room on /results").to_json()})
        assert searcher.error == "no room on /results"
        assert searcher.suggest("2") == Searcher.FINISHED

    def test_stop_hands_out_nothing_more(self, searcher: StackSearcher) -> None:
        assert isinstance(searcher.suggest("1"), dict)
        searcher.stop()
        assert searcher.suggest("2") == Searcher.FINISHED

    def test_tune_can_pickle_it(self, searcher: StackSearcher) -> None:
        assert isinstance(pickle.loads(pickle.dumps(searcher)), StackSearcher)


def test_a_full_disk_is_part_of_the_report(study: Study, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        raise StorageError("cannot write: no space left")

    monkeypatch.setattr(Store, "write", refuse)
    report = work(study.grid()[:2], store, sweep_id="s", device="cpu", sampler="grid", retries=2)
    assert report.error == "cannot write: no space left"
    assert report.outcomes == ()


def test_what_would_fail_every_stack_ends_the_sweep(
    study: Study, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ray import tune

    from robustness.sweep import ray_session
    from robustness.sweep.trial import trial
    from robustness.worker.own_modules import pack

    reports: list[Report] = []
    monkeypatch.setattr(tune, "report", lambda metrics: reports.append(Report.from_json(metrics[REPORT])))
    monkeypatch.setattr(ray_session, "flag", lambda _: False)
    trial({RUNS: "never read"}, pack(study), store, "sweep")
    assert reports[0].error is not None
    assert f"does not see the results folder {store.root}: it must be one that all nodes share" in reports[0].error
    store.write_study(study.text)
    trial({RUNS: "not what encode wrote"}, pack(study), store, "sweep")
    assert reports[1].error is not None
    assert reports[1].error.startswith("a worker cannot work: JSONDecodeError")
    monkeypatch.setattr(ray_session, "flag", lambda _: True)
    trial({RUNS: "never read"}, pack(study), store, "sweep")
    assert reports[2] == Report(skipped=True)


def test_a_node_without_a_plug_in_ends_the_sweep_in_one_sentence(
    study: Study, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray
    from ray import tune

    from robustness.sweep import ray_session
    from robustness.sweep.trial import trial
    from robustness.worker.own_modules import pack

    reports: list[Report] = []
    monkeypatch.setattr(tune, "report", lambda metrics: reports.append(Report.from_json(metrics[REPORT])))
    monkeypatch.setattr(ray, "get_gpu_ids", list)
    monkeypatch.setattr(ray_session, "flag", lambda _: False)
    store.write_study(study.text)
    lacking = replace(pack(study), packages=(Package("nowhere_to_be_had", "nowhere", "1.2"),))
    trial({RUNS: "never read"}, lacking, store, "sweep")
    missing = f"nowhere_to_be_had, a plug-in, is not installed on {socket.gethostname()}: install nowhere 1.2 there"
    assert [report.error for report in reports] == [missing]
