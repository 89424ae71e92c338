"""A trial on a worker: what would fail every stack alike ends the sweep, with the reason."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import ray
from ray import tune

from robustness import Store
from robustness.plugins import Package
from robustness.sweep import ray_session
from robustness.sweep.trial import REPORT, RUNS, trial
from robustness.worker.own_modules import pack
from robustness.worker.report import Report
from tests.support.studies import make

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_what_would_fail_every_stack_ends_the_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, store = make(), Store(tmp_path / "x")
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
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, store = make(), Store(tmp_path / "x")
    reports: list[Report] = []
    monkeypatch.setattr(tune, "report", lambda metrics: reports.append(Report.from_json(metrics[REPORT])))
    monkeypatch.setattr(ray, "get_gpu_ids", list)
    monkeypatch.setattr(ray_session, "flag", lambda _: False)
    store.write_study(study.text)
    lacking = replace(pack(study), packages=(Package("nowhere_to_be_had", "nowhere", "1.2"),))
    trial({RUNS: "never read"}, lacking, store, "sweep")
    missing = f"nowhere_to_be_had, a plug-in, is not installed on {socket.gethostname()}: install nowhere 1.2 there"
    assert [report.error for report in reports] == [missing]
