"""A study from the browser's requests to a real Ray head: checked, started, followed, stopped, its runs stored."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from analysis.service.cluster.ray_jobs import RayJobs
from analysis.service.cluster.submitting import Submitting
from analysis.service.studies.studies import Studies
from tests.support.jobs_head import TOKEN, head
from tests.support.service_pages import content
from tests.support.service_submit import client_of
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask.testing import FlaskClient

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
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    for name in [name for name in os.environ if name.startswith(("RAY_", "ROBUSTNESS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    results = str(tmp_path / "results")
    with head() as ray:
        submitting = Submitting(Studies(results), RayJobs(ray.address), ray.address, results)
        yield client_of(submitting)
        submitting.checker.close()


def row_where(client: FlaskClient, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Wait for the newest job to be as asked; return it."""

    def rows() -> list[dict[str, Any]]:
        jobs: list[dict[str, Any]] = content(client.get("/submit/jobs"))["jobs"]
        return jobs if jobs and holds(jobs[0]) else []

    return wait_for(rows, WAIT_S, why=lambda: content(client.get("/submit/jobs")), pause=0.2)[0]


def test_a_study_goes_from_the_browser_to_the_cluster_and_back(client: FlaskClient, tmp_path: Path) -> None:
    asked = {"text": STUDY, "file": "mine.yaml"}
    assert content(client.post("/submit/check", json=asked))["left"] == RUNS

    begun = client.post("/submit/start", json=asked)
    assert begun.status_code == 200, begun.json
    job = content(begun)["job"]
    assert begun.json == {"job": job, "study": "browsed", "new": True}
    assert client.post("/submit/start", json=asked).json == {"job": job, "study": "browsed", "new": False}
    other = client.post("/submit/start", json=asked | {"text": STUDY.replace("seeds: 3", "seeds: 2")})
    assert (other.status_code, "another version of browsed" in content(other)["problem"]) == (409, True)

    row = row_where(client, lambda row: f" of {RUNS} runs" in row["words"] and row["words"][:2] != "0 ")
    assert (row["id"], row["study"], row["here"], row["ended"]) == (job, "browsed", True, False)
    assert row["state"].startswith("running, ")
    assert f"of {RUNS} runs" in client.get(f"/submit/log/{job}").text

    assert client.post("/submit/stop/none-1", json={}).status_code == 409
    assert client.post(f"/submit/stop/{job}", json={}).status_code == 200
    row = row_where(client, lambda row: row["ended"])
    assert row["state"].startswith("stopped, after ")
    assert "has ended already" in content(client.post(f"/submit/stop/{job}", json={}))["problem"]
    stored = pd.read_parquet(tmp_path / "results" / "browsed" / "runs")
    assert 0 < len(stored) < RUNS
    assert content(client.post("/submit/check", json=asked))["stored"] == stored["run_id"].nunique()
