"""A trial on a worker: what would fail every stack alike ends the sweep, with the reason."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import ray
from ray import tune

from robustness import Store
from robustness.plugins import Package
from robustness.sweep import ray_session
from robustness.sweep.trial import REPORT, RUNS, trial
from robustness.worker.parcel import Parcel, pack
from robustness.worker.report import Report, encode
from tests.support.own_modules import FILE, MINE, folder, read
from tests.support.studies import make

if TYPE_CHECKING:
    from pathlib import Path

    from robustness import Study

__all__ = ["folder"]

READS = """
from pathlib import Path

class Reads(Points):
    def data(self, seed):
        with Path(__file__).with_name("tried").open("a") as file:
            file.write("x")
        Path(__file__).with_name("table.csv").read_text()
        return super().data(seed)
"""


def packed(study: Study) -> Parcel:
    return pack(study, alone=False, say=print)


def test_what_would_fail_every_stack_ends_the_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, store = make(), Store(tmp_path / "x")
    reports: list[Report] = []
    monkeypatch.setattr(tune, "report", lambda metrics: reports.append(Report.from_json(metrics[REPORT])))
    monkeypatch.setattr(ray_session, "flag", lambda _: False)
    trial({RUNS: "never read"}, packed(study), store, "sweep")
    assert reports[0].error is not None
    assert f"does not see the results folder {store.root}: it must be one that all nodes share" in reports[0].error
    store.write_study(study.text)
    trial({RUNS: "not what encode wrote"}, packed(study), store, "sweep")
    assert reports[1].error is not None
    assert reports[1].error.startswith("a worker cannot work: JSONDecodeError")
    monkeypatch.setattr(ray_session, "flag", lambda _: True)
    trial({RUNS: "never read"}, packed(study), store, "sweep")
    assert reports[2] == Report(skipped=True)


def test_a_node_without_a_plug_in_ends_the_sweep_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, store = make(), Store(tmp_path / "x")
    reports: list[Report] = []
    monkeypatch.setattr(tune, "report", lambda metrics: reports.append(Report.from_json(metrics[REPORT])))
    monkeypatch.setattr(ray, "get_gpu_ids", list)
    monkeypatch.setattr(ray_session, "flag", lambda _: False)
    store.write_study(study.text)
    lacking = replace(packed(study), packages=(Package("nowhere_to_be_had", "nowhere", "1.2"),))
    trial({RUNS: "never read"}, lacking, store, "sweep")
    missing = f"nowhere_to_be_had, a plug-in, is not installed on {socket.gethostname()}: install nowhere 1.2 there"
    assert [report.error for report in reports] == [missing]


@pytest.mark.slow
def test_a_file_that_a_worker_lacks_fails_its_runs_once_or_elsewhere_ends_the_sweep(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "mine.py").write_text(MINE + READS)
    study = read(folder, FILE.replace("mine:Points", "mine:Reads"))
    store, reports = Store(folder / "x"), list[Report]()
    monkeypatch.setattr(tune, "report", lambda metrics: reports.append(Report.from_json(metrics[REPORT])))
    monkeypatch.setattr(ray, "get_gpu_ids", list)
    monkeypatch.setattr(ray_session, "flag", lambda _: False)
    store.write_study(study.text)
    store.claim("sweep")
    config = {RUNS: encode(study, [run for run in study.grid() if run.seed == 0])}
    trial(config, replace(packed(study), host="another"), store, "sweep")
    assert reports[0].outcomes == ()
    assert f"{socket.gethostname()} has no file that the study's own code reads" in str(reports[0].error)
    assert "table.csv" in str(reports[0].error)
    assert (folder / "tried").read_text() == "x", "nothing is tried again"
    trial(config, packed(study), store, "sweep")
    assert reports[1].error is None
    assert [outcome.status for outcome in reports[1].outcomes] == ["failed", "failed"]
    assert (folder / "tried").read_text() == "xx"
    (folder / "table.csv").write_text("1")
    trial(config, packed(study), store, "sweep")
    assert [outcome.status for outcome in reports[2].outcomes] == ["completed", "completed"]
