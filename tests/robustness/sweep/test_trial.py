"""A trial on a worker: what would fail every stack alike ends the sweep, with the reason."""

from __future__ import annotations

from ray import tune

from robustness import Store
from robustness.sweep import ray_session
from robustness.sweep.trial import REPORT, RUNS, trial
from robustness.worker.own_modules import pack
from robustness.worker.report import Report
from tests.support.studies import make


def test_what_would_fail_every_stack_ends_the_sweep(tmp_path, monkeypatch):
    study, store = make(), Store(tmp_path / "x")
    reports = []
    monkeypatch.setattr(tune, "report", lambda metrics: reports.append(Report.from_json(metrics[REPORT])))
    monkeypatch.setattr(ray_session, "flag", lambda _: False)
    trial({RUNS: "never read"}, pack(study), store, "sweep")
    assert f"does not see the results folder {store.root}: it must be one that all nodes share" in reports[0].error
    store.write_study(study.text)
    trial({RUNS: "not what encode wrote"}, pack(study), store, "sweep")
    assert reports[1].error is not None
    assert reports[1].error.startswith("a worker cannot work: JSONDecodeError")
    monkeypatch.setattr(ray_session, "flag", lambda _: True)
    trial({RUNS: "never read"}, pack(study), store, "sweep")
    assert reports[2] == Report(skipped=True)
