"""A stack on a worker: nothing is lost, and every failure has its reason."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from robustness import Store, Study
from robustness.results import StorageError
from robustness.results.tables.schema import PROVENANCE_COLUMNS
from robustness.search.make import make_source
from robustness.search.source import RunOutcome
from robustness.training import train_stack
from robustness.worker.attempts import lost_row
from robustness.worker.report import Report
from robustness.worker.work import work

if TYPE_CHECKING:
    from robustness.study import Run
    from robustness.training.history import History

BOOM = 1e-2


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

    attempts = []
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


@pytest.mark.slow
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
        assert "MemoryError: no room" in str(runs.loc[run.run_id, "reason"])
    assert store.done() == {run.run_id for run in study.grid()} - {run.run_id for run in bad}


@pytest.mark.slow
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
    store.write("by-somebody-else", late.rows({name: row.get(name) for name in PROVENANCE_COLUMNS}), late.curves())
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


def test_a_full_disk_is_part_of_the_report(study: Study, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        raise StorageError("cannot write: no space left")

    monkeypatch.setattr(Store, "write", refuse)
    report = work(study.grid()[:2], store, sweep_id="s", device="cpu", sampler="grid", retries=2)
    assert report.error == "cannot write: no space left"
    assert report.outcomes == ()
