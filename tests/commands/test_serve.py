"""`robustness serve`, and what its pages say of a study's progress."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from analysis.contents.by_workload import by_workload
from analysis.service.server import ServiceError, serve
from analysis.service.studies.progress import StudyLine, Training, line_of
from analysis.service.web import progress_words
from robustness.cli import main
from robustness.jobs import Job
from robustness.results.checkpoints import Checkpoint
from robustness.study import Study
from robustness.study.resolution import resolve
from tests.support import synthetic_store
from tests.support.private import private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPACE = "\N{NO-BREAK SPACE}"
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
TOKEN = "a-token-of-some-length"


def line(
    done: int,
    asked: int | None,
    *,
    failed: int = 0,
    last: datetime | None = NOW,
    pace: float | None = None,
    gap_s: float | None = None,
) -> StudyLine:
    return StudyLine(
        name="t",
        workloads=("digits",),
        optimizers=("adams",),
        done=done,
        asked=asked,
        failed=failed,
        last=last,
        pace=pace,
        gap_s=gap_s,
        best={"digits": {"adams": 1.234}},
    )


def job(status: str) -> Job:
    return Job("t-1a-1", "t", "v", "r", status, "", NOW.timestamp(), None if status == "RUNNING" else 1.0, None)


def test_the_state_is_what_the_last_write_says() -> None:
    later = NOW + timedelta(seconds=30)
    assert progress_words.state(line(5, 5), now=later) == "complete"
    assert progress_words.state(line(4, 5), now=later) == "running"
    assert progress_words.state(line(4, None), now=later) == "running"
    assert progress_words.state(line(4, 5), now=NOW + timedelta(hours=3)) == "interrupted"
    held = [Checkpoint("a", ("1", "2", "3"), 3, 4, NOW), Checkpoint("b", ("4",), 1, 2, NOW - timedelta(minutes=5))]
    long = replace(line(4, 5), training=Training.of(held))
    assert progress_words.state(long, now=NOW + timedelta(minutes=20)) == "running, 4 runs 69 % through 20 min ago"
    assert progress_words.state(long, now=NOW + timedelta(hours=3)) == "interrupted, 4 runs 69 % through 3 h ago"
    assert progress_words.state(replace(line(5, 5), training=Training.of(held))) == "complete"
    assert Training.of([]) is None
    assert (
        progress_words.state(line(4, 5, gap_s=3600.0 * 2), now=NOW + timedelta(hours=3)) == "running"
    )  # its runs are long
    assert progress_words.state(line(0, 5, last=None)) == "no run yet"
    assert progress_words.state(line(400, 1000, pace=2.0), now=later) == "running, about 5 min left"
    assert progress_words.runs(line(4, 5, failed=1)) == "4 of 5, 1 failed"
    assert progress_words.runs(line(4000, None)) == f"4{SPACE}000"
    assert progress_words.best(line(4, 5)) == [f"adams 1.23{SPACE}%"]


def test_ray_knows_better_than_the_last_write_whether_a_sweep_runs() -> None:
    late = NOW + timedelta(hours=3)
    assert progress_words.state(line(4, 5), job("RUNNING"), late).startswith("running · Ray job t-1a-1: running")
    assert progress_words.state(line(0, 5, last=None), job("PENDING"), late).startswith("running · Ray job")
    assert progress_words.state(line(4, 5), job("FAILED"), late).startswith("interrupted · Ray job t-1a-1: failed")


def test_the_pace_is_that_of_the_last_runs() -> None:
    study = Study.parse(synthetic_store.STUDY)
    runs = synthetic_store.of_study().iloc[:100]
    before = [*(4000 - 20 * n for n in range(5)), *(90 - 20 * n for n in range(5))]
    moments = pd.to_datetime(NOW) - pd.to_timedelta([seconds for seconds in before for _ in range(10)], "s")
    found = line_of("demo", by_workload(runs.assign(finished_at=moments), resolve(study)))
    assert found.done == 100
    assert found.last == NOW - timedelta(seconds=10)
    # Ten runs every 20 s; those of an hour before do not count, and the first ten were trained before they came.
    assert found.pace == pytest.approx(40 / 80)
    assert found.gap_s == 20
    assert found.left_s() == pytest.approx((1296 - 100) / 0.5)
    assert found.optimizers == ("adam", "adamw", "adams")


def test_how_long_ago_is_said_in_a_unit_that_suits_it() -> None:
    seconds = {-5: "0 s ago", 5: "5 s ago", 600: "10 min ago", 7200: "2 h ago", 864000: "10 days ago"}
    assert {each: progress_words.ago(NOW - timedelta(seconds=each), NOW) for each in seconds} == seconds


def test_failed_runs_and_the_best_of_several_workloads_are_told_apart() -> None:
    several = replace(line(1, 2), workloads=("a", "b"), optimizers=(), best={"a": {"adams": 1.0}, "b": {}})
    assert progress_words.best(several) == [f"a: adams 1.00{SPACE}%"]


@pytest.mark.parametrize("bad", ["short", "two words of it", "ä" * 20])
def test_a_token_that_is_none_is_a_clear_error(
    bad: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROBUSTNESS_TOKEN", bad)
    assert main(["serve", "--results", str(tmp_path)]) == 2
    assert "$ROBUSTNESS_TOKEN: a token is one word of at least 16 ASCII characters" in capsys.readouterr().err
    file = tmp_path / "token"
    private(file, bad)
    assert main(["serve", "--results", str(tmp_path), "--token-file", str(file)]) == 2
    words = "line 1: a line is NAME ROLE TOKEN" if " " in bad else "a token is one word"
    assert words in (said := capsys.readouterr().err)
    assert f"--token-file {file}" in said
    assert main(["serve", "--results", str(tmp_path), "--token-file", str(tmp_path / "absent")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_token_file_that_others_can_read_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = private(tmp_path / "token", "a-token-long-enough")
    file.chmod(0o640)
    assert main(["serve", "--results", str(tmp_path), "--token-file", str(file)]) == 2
    error = " ".join(capsys.readouterr().err.split())
    assert f"error: --token-file: {file} can be read or written by others (mode 0640)" in error
    assert f"`chmod 600 {file}`" in error


@pytest.mark.parametrize(("options", "words"), [({}, "give a token"), ({"allow_submit": True}, "needs a token")])
def test_nobody_listens_beyond_loopback_or_submits_without_a_token(
    options: dict[str, Any], words: str, tmp_path: Path
) -> None:
    host = "127.0.0.1" if options else "0.0.0.0"
    with pytest.raises(ServiceError, match=words):
        serve(str(tmp_path), host, 0, print, **options)


def test_an_address_that_is_not_this_machines_is_a_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--results", str(tmp_path), "--host", "192.0.2.7"]) == 1
    assert "192.0.2.7" in capsys.readouterr().err
    assert main(["serve", "--results", str(tmp_path), "--host", "no-such-host.invalid"]) == 1
    assert "this machine has no such address" in capsys.readouterr().err


def test_a_port_that_is_taken_is_a_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["serve", "--results", str(tmp_path), "--port", str(port)]) == 1
        assert f"port {port} of 127.0.0.1 cannot be used" in capsys.readouterr().err
        with pytest.raises(ServiceError, match="give another --port"):
            serve(str(tmp_path), "127.0.0.1", port, print)


@pytest.mark.parametrize("port", ["-1", "65536", "x"])
def test_a_port_is_a_number_of_16_bits(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", f"--port={port}"])
    assert "must be 0 to 65535" in capsys.readouterr().err


@contextmanager
def served(results: Path, *options: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Start the command and give its first lines and its process."""
    command = [sys.executable, "-m", "robustness.cli", "serve", "--results", str(results), "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | environment) as service:
        try:
            yield service
        finally:
            service.terminate()


def printed(service: subprocess.Popen[str]) -> str:
    """Return the next line that the command prints."""
    assert service.stdout is not None
    return service.stdout.readline()


def status(url: str, headers: dict[str, str] | None = None, data: bytes | None = None) -> int:
    """Return the status of an answer; redirects are not followed."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    opener = urllib.request.build_opener(Stay)
    try:
        with opener.open(urllib.request.Request(url, data, headers or {}), timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.slow
def test_beyond_loopback_a_token_is_made_and_printed_once(tmp_path: Path) -> None:
    with served(tmp_path, "--host", "0.0.0.0") as service:
        first = printed(service)
        address, _, token = first.rpartition(" ")[2].strip().partition("/?token=")
        assert len(token) >= 32
        port = address.rpartition(":")[2]
        assert "not printed again" in printed(service)
        home = f"http://127.0.0.1:{port}"
        assert status(f"{home}/") == 401
        assert status(f"{home}/?token={token}x") == 401
        assert status(f"{home}/?token={token}") == 303
        assert status(f"{home}/", {"Host": f"evil.example:{port}"}) == 403
        # A large body is turned away before it is read, so that whoever sends it may not hear the answer.
        with suppress(urllib.error.URLError, ConnectionError):
            assert status(f"{home}/submit/check", {"Content-Type": "application/json"}, b"x" * 2_000_000) in {401, 413}
        assert status(f"{home}/") == 401


@pytest.mark.slow
def test_a_token_that_is_given_is_not_printed(tmp_path: Path) -> None:
    file = tmp_path / "token"
    private(file, f"{TOKEN}\n")
    with served(tmp_path / "results", "--token-file", str(file)) as service:
        said = printed(service) + printed(service)
        assert TOKEN not in said
        address = said.split("\n")[0].rpartition(" ")[2]
        assert status(f"{address}/") == 401
        assert status(f"{address}/?token={TOKEN}") == 303
