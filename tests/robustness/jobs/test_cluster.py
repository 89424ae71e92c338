"""Studies as jobs of a real Ray head with token authentication: submitted, attached to, followed, stopped, resumed.

One job waits at a gate with its first seed stored and two stacks in training, until it is stopped at the end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from robustness import Study
from robustness.cli import main
from robustness.jobs import Cluster
from robustness.results.tables.schema import IDENTITY_COLUMNS, OUTCOME_COLUMNS
from robustness.sweep.in_process import run_here
from tests.support import jobs_studies
from tests.support.jobs_head import TOKEN, Head, Proxy, head
from tests.support.jobs_studies import OF_A_SEED, RUNS, WAIT_S, Following
from tests.support.private import private
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.sweep, pytest.mark.slow]

COLUMNS = [*IDENTITY_COLUMNS, *OUTCOME_COLUMNS]


def table(results: Path, name: str) -> pd.DataFrame:
    """Return the outcomes as pandas reads them, without any help of ours."""
    frame = pd.read_parquet(results / name / "runs")[COLUMNS]
    return frame.sort_values("run_id").reset_index(drop=True)


@pytest.fixture(scope="module")
def ray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    with head(results=str(tmp_path_factory.mktemp("clusters-own"))) as running:
        yield running


@pytest.fixture
def here(ray: Head, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Make this process a machine that has the cluster's token, and no other."""
    for name in [name for name in os.environ if name.startswith(("RAY_", "ROBUSTNESS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", ray.address)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    sys.modules.pop("gated", None)


@pytest.fixture
def command(ray: Head) -> Iterator[Callable[..., Following]]:
    """Start commands, and end what a test leaves."""
    with contextlib.ExitStack() as stack:

        def begin(*arguments: str) -> Following:
            return stack.enter_context(contextlib.closing(Following(*arguments, address=ray.address)))

        yield begin


@dataclass
class Waiting:
    """A job at the gate.

    Attributes:
        study: its file.
        results: where its results go.
        gate: the file that keeps it waiting.
        proxy: the connection of the second one who follows.
        followers: two who submitted it in the same moment.
    """

    study: Path
    results: Path
    gate: Path
    proxy: Proxy
    followers: tuple[Following, Following]

    @property
    def id(self) -> str:
        """The job's id."""
        words = self.followers[0].text.split()
        return next(word.rstrip(";") for word in words if word.startswith("gated-"))


@pytest.fixture(scope="module")
def waiting(ray: Head, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Waiting]:
    study = jobs_studies.write(tmp_path_factory.mktemp("study"))
    results, gate = tmp_path_factory.mktemp("results"), tmp_path_factory.mktemp("gate") / "closed"
    gate.touch()
    command = ("submit", str(study), "--results", str(results), "--env", f"GATE={gate}", "--follow")
    with contextlib.closing(Proxy(ray.address)) as proxy:
        followers = Following(*command, address=ray.address), Following(*command, address=proxy.address)
        try:
            for each in followers:
                each.until(f"gated: {OF_A_SEED} of {RUNS} runs")
            yield Waiting(study, results, gate, proxy, followers)
        finally:
            for each in followers:
                each.close()


def test_two_who_submit_at_once_get_one_job(waiting: Waiting, here: None) -> None:
    texts = [each.text for each in waiting.followers]
    assert sorted("submitted as" in text for text in texts) == [False, True]
    assert sum("already; nothing new was submitted" in text for text in texts) == 1
    assert all(waiting.id in text for text in texts)
    assert all(str(waiting.results) in text for text in texts if "submitted as" in text)
    assert len(Cluster(os.environ["RAY_API_SERVER_ADDRESS"]).jobs()) == 1


def test_submitting_again_attaches(waiting: Waiting, here: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["submit", str(waiting.study), "--results", f"{waiting.results}/"]) == 0
    out = capsys.readouterr().out
    assert f"{waiting.id} is running already" in out
    assert f"robustness stop {waiting.id} --address {os.environ['RAY_API_SERVER_ADDRESS']}" in out


def test_another_version_of_a_running_study_is_refused(
    waiting: Waiting, here: None, capsys: pytest.CaptureFixture[str]
) -> None:
    other = waiting.study.with_name("other.yaml")
    other.write_text(waiting.study.read_text().replace("seeds: 3", "seeds: 2"))
    assert main(["submit", str(other), "--results", str(waiting.results)]) == 1
    assert f"{waiting.id} is running another version of gated" in capsys.readouterr().err


def test_jobs_and_logs_know_it(waiting: Waiting, here: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs"]) == 0
    header, line = capsys.readouterr().out.splitlines()
    assert header.split() == ["ID", "STUDY", "STATUS", "STARTED", "TOOK", "LAST"]
    assert line.split()[:3] == [waiting.id, "gated", "running"]
    assert f"{OF_A_SEED} of {RUNS} runs · " in line
    for name in (waiting.id, "gated", "gat"):
        assert main(["logs", name]) == 0
        assert f"gated: {OF_A_SEED} of {RUNS} runs" in capsys.readouterr().out
    assert main(["logs", "digits"]) == 1
    assert f"knows no job 'digits'; it knows {waiting.id}" in capsys.readouterr().err


def test_who_has_no_token_or_another_is_told_so(
    ray: Head, here: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "another")
    assert main(["jobs"]) == 1
    assert (
        "wants its token, and the one in the environment variable RAY_AUTH_TOKEN is another" in capsys.readouterr().err
    )
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    assert main(["jobs"]) == 1
    error = capsys.readouterr().err
    assert f"{ray.address} wants its token, and this machine has none" in error
    assert "~/.ray/auth_token" in error
    file = tmp_path / ".ray" / "auth_token"
    file.parent.mkdir()
    private(file, f"{TOKEN}\n")
    assert main(["jobs"]) == 0, "the token's usual place"
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(file.rename(tmp_path / "elsewhere")))
    assert main(["jobs"]) == 0


def test_a_cut_connection_is_made_again_and_no_line_comes_twice(waiting: Waiting) -> None:
    _, follower = waiting.followers
    waiting.proxy.cut()
    follower.until("trying again")
    waiting.proxy.restore()
    connections = waiting.proxy.connections
    follower.until("connected again")
    wait_for(lambda: waiting.proxy.connections >= connections + 2, WAIT_S)  # the status, and the log from its start
    assert follower.process.poll() is None


def test_ctrl_c_only_looks_away(ray: Head, waiting: Waiting, here: None, command: Callable[..., Following]) -> None:
    follower = command("logs", waiting.id, "--follow")
    follower.until(f"{OF_A_SEED} of {RUNS} runs")
    os.killpg(follower.process.pid, signal.SIGINT)
    assert follower.end() == 130
    assert f"{waiting.id} goes on without being watched" in follower.text
    assert f"robustness logs {waiting.id} --follow --address {ray.address}" in follower.text
    assert "Traceback" not in follower.text
    assert Cluster(ray.address).job(waiting.id).status == "RUNNING"


def test_a_stopped_job_stores_what_is_running_and_the_next_goes_on(
    waiting: Waiting,
    here: None,
    command: Callable[..., Following],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stopping = command("stop", "gated")
    stopping.until(f"stopping: up to {OF_A_SEED} runs are being finished and stored")
    waiting.gate.unlink()
    assert stopping.end() == 0, stopping.text
    assert f"{waiting.id} was stopped after" in stopping.text
    assert [each.end() for each in waiting.followers] == [130, 130], "whoever follows sees that it was stopped"
    assert [each.text.count("joining Ray") for each in waiting.followers] == [1, 1], "also over a cut connection"
    assert len(table(waiting.results, "gated")) == 2 * OF_A_SEED, "what was running was stored, and no more begun"

    again = command("stop", waiting.id)
    assert again.end() == 0
    assert "has ended already (stopped): nothing to stop" in again.text

    options = ("--results", str(waiting.results), "--env", f"GATE={waiting.gate}", "--follow")
    next_one, next_id = command("submit", str(waiting.study), *options), f"{waiting.id.removesuffix('-1')}-2"
    assert next_one.end() == 0, next_one.text
    assert f"submitted as {next_id}" in next_one.text
    assert f"{RUNS - 2 * OF_A_SEED} runs trained, 0 failed" in next_one.text
    assert f"{next_id} is done" in next_one.text

    monkeypatch.setenv("GATE", str(waiting.gate))
    run_here(Study.load(waiting.study), tmp_path, quiet=True)
    pd.testing.assert_frame_equal(table(waiting.results, "gated"), table(tmp_path, "gated"))


def test_a_job_with_failing_runs_fails_and_says_which(
    ray: Head, here: None, command: Callable[..., Following], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = jobs_studies.write(tmp_path).with_name("faulty.yaml")
    following = command("submit", str(study), "--env", f"GATE={tmp_path / 'open'}", "--follow")
    assert following.end() == 1, following.text
    assert "results go to the cluster's own $ROBUSTNESS_RESULTS" in following.text
    assert "this seed has no data" in following.text
    job = Cluster(ray.address).jobs()[0]
    assert (job.study, job.status) == ("faulty", "FAILED")
    assert f"{job.id} failed after" in following.text
    assert main(["jobs"]) == 0
    assert "4 of 4 runs · 0 running · 0 diverged · 2 failed" in capsys.readouterr().out
    assert main(["logs", job.id, "--follow"]) == 1
