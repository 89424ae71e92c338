"""What the service knows of a cluster's jobs: of a server that answers, one that is away, and one that hangs."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from analysis.service.cluster import ray_jobs
from analysis.service.cluster.ray_jobs import RayJobs, state_words
from analysis.service.cluster.submitting import Submitting
from analysis.service.studies.studies import Studies
from robustness.jobs.job import CLUSTERS_OWN, Job
from tests.support.service_pages import content
from tests.support.service_submit import STUDY, client_of
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WAIT_S = 30.0


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


def job(**changes: Any) -> Job:
    known = Job("tiny-0123abcd-1", "tiny", "v", "/r", "RUNNING", "", time.time() - 720.5, None, None)
    return Job(**known.__dict__ | changes)


def test_a_cluster_that_is_away_is_said_to_be(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(results))  # without whatever token lies in this machine's
    with closing(socket.socket()) as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        jobs = RayJobs(address)
        submitting = Submitting(Studies(str(results)), jobs, address, str(results))
        client = client_of(submitting)
        wait_for(lambda: content(client.get("/submit/jobs"))["state"] == "unknown", WAIT_S)
        assert f"no Ray cluster answers at {address}" in content(client.get("/submit/jobs"))["problem"]
        assert jobs.jobs == ()
        assert jobs.of("tiny", str(results)) is None
        answer = client.post("/submit/start", json={"text": STUDY})
        submitting.checker.close()
    assert answer.status_code == 409
    assert "no Ray cluster answers" in content(answer)["problem"]


def test_a_cluster_that_hangs_keeps_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with closing(socket.socket()) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        jobs = RayJobs(f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert jobs.state == "asking"
        monkeypatch.setattr(ray_jobs, "SILENT_S", -1.0)  # it is over, without waiting for it
        assert jobs.state == "unknown"
        assert jobs.problem is not None
        assert "no answer" in jobs.problem
        with pytest.raises(Exception, match="no answer from the Ray cluster"):
            jobs.call(lambda cluster: cluster.jobs(), 0.05)


class Canned:
    """A cluster with fixed jobs; it fails while `away`."""

    def __init__(self, *jobs: Job) -> None:
        self.found, self.away, self.asked = list(jobs), threading.Event(), 0

    def jobs(self) -> list[Job]:
        self.asked += 1
        if self.away.is_set():
            raise OSError("gone\naway")
        return self.found

    def log(self, job_id: str) -> str:
        return f"{'x' * 30_000}\nthe last line of {job_id}"


@pytest.fixture
def canned(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Canned, RayJobs]]:
    def make(*found: Job) -> tuple[Canned, RayJobs]:
        cluster = Canned(*found)
        monkeypatch.setattr(ray_jobs, "connected", lambda _: cluster)
        jobs = RayJobs("http://c:8265")
        wait_for(lambda: jobs.state == "known", WAIT_S)
        return cluster, jobs

    return make


def test_the_newest_job_of_a_study_and_place_is_found(canned: Callable[..., tuple[Canned, RayJobs]]) -> None:
    first, second = job(results="/r/", id="tiny-0123abcd-2"), job()
    elsewhere, own = job(results="/other", id="tiny-1"), job(study="own", results=CLUSTERS_OWN, id="own-1")
    _, jobs = canned(elsewhere, first, second, own)
    assert jobs.of("tiny", "/r") is first
    assert jobs.of("own", "/r/") is own
    assert jobs.of("none", "/r") is None
    assert jobs.tail("tiny-1") == f"{'x' * 30_000}\nthe last line of tiny-1"[-ray_jobs.TAIL :]
    assert jobs.tail("none") is None


def test_it_is_asked_now_and_then_and_keeps_its_last_error(
    canned: Callable[..., tuple[Canned, RayJobs]], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster, jobs = canned(job())
    for _ in range(20):
        assert jobs.jobs
    assert cluster.asked == 1
    monkeypatch.setattr(ray_jobs, "EVERY_S", 0.0)
    cluster.away.set()
    wait_for(lambda: jobs.state == "unknown", WAIT_S)
    assert jobs.problem == "gone away"
    assert jobs.jobs == ()
    cluster.away.clear()
    wait_for(lambda: jobs.state == "known", WAIT_S)
    assert jobs.jobs


def test_jobs_are_listed_with_their_last_words(canned: Callable[..., tuple[Canned, RayJobs]], results: Path) -> None:
    evil = job(study="<b>", id="<b>-1", results=str(results), status="FAILED", ended_s=time.time())
    _, jobs = canned(job(), evil)
    submitting = Submitting(Studies(str(results)), jobs, "http://c:8265", str(results))
    rows = content(client_of(submitting).get("/submit/jobs"))["jobs"]
    assert [(row["id"], row["state"], row["ended"], row["here"]) for row in rows] == [
        ("tiny-0123abcd-1", "running, 12 min", False, False),
        ("<b>-1", "failed, after 12 min", True, True),
    ]
    assert rows[0]["words"] == "the last line of tiny-0123abcd-1"


def test_a_job_in_words() -> None:
    assert state_words(job()) == "Ray job tiny-0123abcd-1: running, 12 min"
    assert state_words(job(status="PENDING")) == "Ray job tiny-0123abcd-1: waiting to start, 12 min"
    assert state_words(job(status="SUCCEEDED", ended_s=time.time())) == "Ray job tiny-0123abcd-1: done, after 12 min"
