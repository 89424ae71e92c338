"""Studies as jobs: what is packed and asked for, which job is meant, and what is said when it goes wrong."""

from __future__ import annotations

import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from robustness import Place, Study
from robustness.jobs import Job, JobsError, choose, pack, versions
from robustness.jobs.job_text import duration, ending, jobs_table, last_words
from robustness.jobs.package import Package
from robustness.jobs.submit import Order, start
from tests.support import jobs_studies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget the folders and modules of studies."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    sys.modules.pop("gated", None)


LINE = "digits: 12 of 40 runs · 6 running · 1 diverged · 0 failed · best adams 3.50 %"


def job(**changes: object) -> Job:
    plain = Job("digits-0123abcd-1", "digits", "v1", "s3://b/r", "RUNNING", "", 1000.0, 1065.0, None)
    return replace(plain, **changes)  # type: ignore[arg-type]


def order(**changes: object) -> Order:
    plain = Order("digits", Package("digits.yaml", b"", "v1"), Place("s3://b/r"), [], {})
    if isinstance(place := changes.get("results"), str):
        changes["results"] = Place(place)
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_a_package_is_whole_whatever_git_ignores(tmp_path: Path) -> None:
    first = jobs_studies.write(tmp_path)
    package = pack(Study.load(first))
    names = zipfile.ZipFile(BytesIO(package.archive)).namelist()
    nameless = pack(Study.load(first.with_name("faulty.yaml")))
    assert sorted(names) == ["gated.py", "gated.yaml"]
    assert nameless.file == "faulty.yaml", "a study without a name has that of its file"
    assert nameless.version != package.version


def test_the_version_is_of_the_study_and_of_its_modules(tmp_path: Path) -> None:
    def version(module: str, text: str = jobs_studies.STUDY) -> str:
        study = jobs_studies.write(tmp_path)
        study.write_text(text)
        study.with_name("gated.py").write_text(module)
        sys.modules.pop("gated", None)
        return pack(Study.load(study)).version

    same, again = version(jobs_studies.GATED), version(jobs_studies.GATED)
    assert same == again
    assert version(jobs_studies.GATED + "# other\n") != same
    assert version(jobs_studies.GATED, jobs_studies.STUDY + "# other\n") != same


def test_an_id_names_the_study_and_the_place_of_its_results() -> None:
    key = order().key
    assert key.startswith("digits-")
    assert order(results="s3://b/r/").key == key
    assert len({key, order(results="s3://b/other").key, order(results=None).key, order(study="x").key}) == 4


def test_no_key_is_where_all_can_see_it() -> None:
    for place in ("s3://me:secret@b/r", "s3://b/r?secret_key=secret"):
        with pytest.raises(JobsError, match="a role of the machines") as refused:
            order(results=place)
        assert "secret@" not in str(refused.value)
    for name, value in (("AWS_SECRET_ACCESS_KEY", "x"), ("PLACE", "s3://me:secret@b/r")):
        with pytest.raises(JobsError, match=f"{name} holds a key"):
            order(env={name: value})
    plain = order(options=["--data-dir", "/my data"], env={"GATE": "/x"})
    assert plain.entrypoint.endswith("run digits.yaml --address auto --no-report --data-dir '/my data'")
    assert plain.environment["ROBUSTNESS_RESULTS"] == "s3://b/r"
    assert plain.environment["RAY_JOB_STOP_WAIT_TIME_S"] == "3600"


@pytest.mark.parametrize(("results", "code"), [("", 2), ("/somewhere", 0)])
def test_a_cluster_that_does_not_say_where_results_go_is_told_so(tmp_path: Path, results: str, code: int) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 0\n")
    python.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"} | ({"ROBUSTNESS_RESULTS": results} if results else {})
    done = subprocess.run(
        ["/bin/sh", "-c", order(results=None).entrypoint], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert ("give a --results URI" in done.stderr) == (code == 2)


class Jobs:
    """A cluster whose jobs are a list, and on which another person submits in the same moment."""

    address = "http://c:8265"

    def __init__(self, jobs: Sequence[Job], *, quicker: Job | None = None) -> None:
        self._jobs, self._quicker = list(jobs), quicker

    def jobs(self) -> list[Job]:
        return list(self._jobs)

    def job(self, job_id: str) -> Job:
        return next(each for each in self._jobs if each.id == job_id)

    def submit(self, job_id: str, entrypoint: str, *, package: Path, env: object, metadata: object) -> bool:
        assert package.is_file()
        new = self._quicker or job(id=job_id, status="PENDING")
        self._quicker = None
        taken = job_id in {each.id for each in self._jobs}
        self._jobs.insert(0, new)
        return not taken and new.id == job_id and new.status == "PENDING"


def test_one_job_at_a_time_of_a_study_and_a_place() -> None:
    key = order().key
    ended, running = job(id=f"{key}-9", status="FAILED"), job(id=f"{key}-10", status="PENDING")
    assert start(Jobs([]), order())[0].id == f"{key}-1"  # type: ignore[arg-type]
    assert start(Jobs([ended]), order())[0].id == f"{key}-10"  # type: ignore[arg-type]
    assert start(Jobs([running, ended]), order()) == (running, False)  # type: ignore[arg-type]
    elsewhere = job(id="digits-ffffffff-3")
    assert start(Jobs([elsewhere]), order())[0].id == f"{key}-1"  # type: ignore[arg-type]


def test_whoever_is_second_by_a_moment_attaches() -> None:
    theirs = job(id=f"{order().key}-1", status="RUNNING")
    assert start(Jobs([], quicker=theirs), order()) == (theirs, False)  # type: ignore[arg-type]
    another = replace(theirs, version="v2")
    with pytest.raises(JobsError, match=rf"{another.id} is running another version of digits.*robustness stop"):
        start(Jobs([], quicker=another), order())  # type: ignore[arg-type]


def test_a_job_goes_by_its_id_its_study_or_how_its_id_begins() -> None:
    jobs = [job(id="digits-bb-2"), job(id="digits-aa-1"), job(id="digits-large-cc-1", study="digits-large")]
    assert choose(jobs, "digits-aa-1", "a").id == "digits-aa-1"
    assert choose(jobs, "digits", "a").id == "digits-bb-2", "the newest"
    assert choose(jobs, "digits-a", "a").id == "digits-aa-1"
    with pytest.raises(JobsError, match="'dig' may be any of digits-bb-2, digits-aa-1"):
        choose(jobs, "dig", "a")
    with pytest.raises(JobsError, match="knows no job 'x'; it knows digits-bb-2"):
        choose(jobs, "x", "a")
    with pytest.raises(JobsError, match="knows no job 'x'; it has none"):
        choose([], "x", "a")


def test_how_a_job_ended_is_said_with_its_reason() -> None:
    assert ending(job(status="SUCCEEDED"), "") == "digits-0123abcd-1 is done, after 1 min; results in s3://b/r"
    assert "submitting the study again goes on" in ending(job(status="STOPPED"), "")
    failed = job(status="FAILED", exit_code=1)
    assert "the reason stands above" in ending(failed, "")
    assert "not installed on the cluster" in ending(failed, "python: No module named robustness\n")
    assert "no `python` on the PATH" in ending(failed, "sh: 1: exec: python: not found")
    assert "killed (signal 9)" in ending(replace(failed, exit_code=-9), LINE)
    assert ending(job(status="FAILED", message="runtime_env setup\nfailed"), "").endswith(": runtime_env setup failed")
    assert [duration(s) for s in (4.4, 60, 3599, 5000)] == ["4 s", "1 min", "59 min", "1 h 23 min"]


def test_the_last_words_are_of_progress_where_there_is_some() -> None:
    assert last_words(job(), f"first\n{LINE}\n28 runs trained\n\n") == LINE.removeprefix("digits: ")
    assert last_words(job(), "a\nb\n") == "b"
    assert last_words(job(message="Job has not started yet."), "") == "Job has not started yet."


def test_a_job_of_another_version_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "installed", lambda: "0.2.0")
    assert versions.difference() is None, "submitted by nobody"
    monkeypatch.setenv("ROBUSTNESS_SUBMITTED_WITH", "0.2.0")
    assert versions.difference() is None
    monkeypatch.setenv("ROBUSTNESS_SUBMITTED_WITH", "0.1.0")
    assert versions.difference() == (
        "warning: submitted with robustness 0.1.0, and the cluster has 0.2.0, which is what runs"
    )


def test_a_moment_is_in_utc_wherever_one_looks_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    try:
        lines = jobs_table([job(started_s=1_700_000_000.0)], {}).splitlines()
    finally:
        monkeypatch.undo()
        time.tzset()
    assert "  2023-11-14 22:13 UTC  " in lines[1]
