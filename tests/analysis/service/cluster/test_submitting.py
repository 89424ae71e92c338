"""A study from the browser's requests to a real Ray head: checked, started, followed, stopped, its runs stored."""

from __future__ import annotations

import os
import time

import pandas as pd
import pytest

from analysis.service.cluster.ray_jobs import RayJobs
from analysis.service.cluster.submitting import Submitting
from analysis.service.studies.studies import Studies
from tests.support.jobs_head import TOKEN, head
from tests.support.service_submit import client_of

pytestmark = [pytest.mark.sweep, pytest.mark.slow]

STUDY = """\
name: browsed
workload: {name: digits, epochs: 5}
optimizers: [adamw, adam]
space: {lr: {low: 1e-4, high: 1, points: 60}, weight_decay: {low: 1e-5, high: 1, points: 60}}
seeds: 3
resources: {stack_size: 10}
"""
RUNS = 21_600
WAIT_S = 240


@pytest.fixture
def client(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith(("RAY_", "ROBUSTNESS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    results = str(tmp_path / "results")
    with head() as ray:
        submitting = Submitting(Studies(results), RayJobs(ray.address), ray.address, results)
        yield client_of(submitting)
        submitting.checker.close()


def row_where(client, holds):
    """Wait for the newest job to be as asked; return it."""
    end = time.monotonic() + WAIT_S
    while True:
        jobs = client.get("/submit/jobs").json["jobs"]
        if jobs and holds(jobs[0]):
            return jobs[0]
        assert time.monotonic() < end, jobs
        time.sleep(0.2)


def test_a_study_goes_from_the_browser_to_the_cluster_and_back(client, tmp_path):
    asked = {"text": STUDY, "file": "mine.yaml"}
    assert client.post("/submit/check", json=asked).json["left"] == RUNS

    begun = client.post("/submit/start", json=asked)
    assert begun.status_code == 200, begun.json
    job = begun.json["job"]
    assert begun.json == {"job": job, "study": "browsed", "new": True}
    assert client.post("/submit/start", json=asked).json == {"job": job, "study": "browsed", "new": False}
    other = client.post("/submit/start", json=asked | {"text": STUDY.replace("seeds: 3", "seeds: 2")})
    assert (other.status_code, "another version of browsed" in other.json["problem"]) == (409, True)

    row = row_where(client, lambda row: f" of {RUNS} runs" in row["words"] and row["words"][:2] != "0 ")
    assert (row["id"], row["study"], row["here"], row["ended"]) == (job, "browsed", True, False)
    assert row["state"].startswith("running, ")
    assert f"of {RUNS} runs" in client.get(f"/submit/log/{job}").text

    assert client.post("/submit/stop/none-1", json={}).status_code == 409
    assert client.post(f"/submit/stop/{job}", json={}).status_code == 200
    row = row_where(client, lambda row: row["ended"])
    assert row["state"].startswith("stopped, after ")
    assert "has ended already" in client.post(f"/submit/stop/{job}", json={}).json["problem"]
    stored = pd.read_parquet(tmp_path / "results" / "browsed" / "runs")
    assert 0 < len(stored) < RUNS
    assert client.post("/submit/check", json=asked).json["stored"] == stored["run_id"].nunique()
