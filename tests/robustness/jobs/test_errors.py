"""What a cluster cannot be asked, and addresses where there is none: each a clear line and no traceback."""

from __future__ import annotations

import os
import socket
import sys
import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from robustness.cli import main
from robustness.jobs import Cluster, JobsError, client, token
from robustness.jobs.errors import AnswerError, explained
from tests.support.jobs_head import free_ports
from tests.support.private import private
from tests.support.studies import FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Make this a machine that knows no cluster."""
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE", "RAY_API_SERVER_ADDRESS", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("ROBUSTNESS_RESULTS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "path", list(sys.path))


def test_a_token_is_looked_for_where_ray_does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert token.headers() == ({}, "this machine has none")
    usual = tmp_path / ".ray" / "auth_token"
    usual.parent.mkdir()
    private(usual, "usual\n")
    assert token.headers()[0] == {"Authorization": "Bearer usual"}
    private(tmp_path / "named", "named")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "named"))
    assert token.headers()[0] == {"Authorization": "Bearer named"}
    monkeypatch.setenv("RAY_AUTH_TOKEN", "set")
    assert token.headers() == (
        {"Authorization": "Bearer set"},
        "the one in the environment variable RAY_AUTH_TOKEN is another",
    )
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    assert token.headers()[0] == {}


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_token_that_others_can_read_is_refused_by_name(
    mode: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    usual = tmp_path / ".ray" / "auth_token"
    usual.parent.mkdir()
    private(usual, "secret").chmod(mode)
    what_to_do = rf"{usual} can be read or written by others \(mode {mode:04o}\).*`chmod 600 {usual}`"
    with pytest.raises(JobsError, match=what_to_do):
        token.headers()
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(usual))
    with pytest.raises(JobsError, match=f"RAY_AUTH_TOKEN_PATH: {what_to_do}"):
        token.headers()
    usual.chmod(0o600)
    assert token.headers()[0] == {"Authorization": "Bearer secret"}


def test_a_token_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "absent"))
    with pytest.raises(JobsError, match=r"RAY_AUTH_TOKEN_PATH: cannot read .*absent: No such file"):
        token.headers()
    monkeypatch.setenv("RAY_AUTH_TOKEN", "two words")
    with pytest.raises(JobsError, match="must be one word"):
        token.headers()


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "x.yaml"
    path.write_text(FILE)
    return path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--results", "results"], "results is another folder on each node: give a URI"),
        (["--data-dir", "data"], "data is another folder on each node: give an absolute path"),
        (["--env", "2X=1"], "'2X' is no name of an environment variable"),
        (["--env", "NOT_SET_HERE"], "NOT_SET_HERE is not set here: set it, or give NOT_SET_HERE=VALUE"),
        (["--env", "AWS_SECRET_ACCESS_KEY=x"], "AWS_SECRET_ACCESS_KEY holds a key, which whoever may see"),
        (["--env", "ROBUSTNESS_RESULTS=/x"], "say with --results where results go"),
    ],
)
def test_what_a_cluster_could_not_use_is_refused(
    study: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["submit", str(study), *arguments])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_a_bad_study_is_refused_before_anything_is_sent(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study.write_text(FILE.replace("digits", "digit"))
    assert main(["submit", str(study), "--address", "http://127.0.0.1:9"]) == 2
    assert f"{study}:2: workload.name: unknown workload 'digit'" in capsys.readouterr().err


@contextmanager
def server(status: int, body: str, seen: list[dict[str, str]] | None = None) -> Iterator[str]:
    """Answer each request alike; yield the address. `seen` is given the environment at each request."""
    noted: list[dict[str, str]] = [] if seen is None else seen

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            noted.append(dict(os.environ))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}"
        finally:
            running.shutdown()
            thread.join(10)


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (404, "no such page", "answers, but not as a Ray dashboard with a job server does"),
        (200, "<html>", "answers, but not as a Ray dashboard with a job server does"),
        (200, "{}", "answers, but not as a Ray dashboard with a job server does"),
        (200, '{"ray_version": "1.8"}', "Ray version 1.8 is running on the cluster"),
        (502, "", "failed: HTTP status 502"),
        (401, "", "wants its token, and this machine has none: put the cluster's token into"),
    ],
)
def test_an_address_of_something_else_is_a_clear_error(
    status: int, body: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with server(status, body) as address:
        assert main(["jobs", "--address", address]) == 1
    error = capsys.readouterr().err
    assert address in error
    assert message in error
    assert len(error.splitlines()) == 1


def test_the_environment_stays_as_it_is_while_a_cluster_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", "http://127.0.0.1:1")  # Ray would take it in place of what it is given
    before, seen = dict(os.environ), list[dict[str, str]]()
    with server(200, '{"ray_version": "2.52.0"}', seen) as address:
        Cluster(address)
    assert seen
    assert all(each == before for each in seen), "a thread beside this one may be asking another cluster"


def test_answers_without_what_a_job_server_sends_are_told_from_our_own_errors() -> None:
    with server(200, '{"ray_version": "2.52.0"}') as address:
        cluster = Cluster(address)
        for ask in (cluster.jobs, lambda: cluster.job("x"), lambda: cluster.log("x")):
            with pytest.raises(JobsError, match="answers, but not as a Ray dashboard with a job server does"):
                ask()


@pytest.mark.parametrize("error", [KeyError("status"), TypeError("no such argument"), ValueError("a bad path")])
def test_an_error_of_ours_is_not_put_down_to_the_cluster(error: Exception) -> None:
    with pytest.raises(type(error)), explained("http://127.0.0.1:8265", "this machine has none"):
        raise error
    with pytest.raises(JobsError, match="answers, but not"), explained("http://127.0.0.1:8265", "none"):
        raise AnswerError("no JSON")


@pytest.mark.parametrize("address", ["ray://127.0.0.1:10001", "auto", "http://", "http://a b:1", "http://[::1"])
def test_an_address_of_another_kind_is_a_clear_error(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stop", "x", "--address", address]) == 1
    assert f"error: {address}: give the address of the cluster's dashboard" in capsys.readouterr().err


def test_an_address_where_nothing_listens_is_a_clear_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (port,) = free_ports(1)
    monkeypatch.setenv("RAY_ADDRESS", "http://127.0.0.1:1")  # Ray would take it in place of what it is given
    assert main(["logs", "x", "--address", f"127.0.0.1:{port}"]) == 1
    expected = f"error: no Ray cluster answers at http://127.0.0.1:{port}: Connection refused\n"
    assert capsys.readouterr().err == expected


def test_a_server_that_never_answers_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(client, "TIMEOUT_S", (5.0, 0.2))
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert main(["jobs", "--address", address]) == 1
    assert capsys.readouterr().err == f"error: no Ray cluster answers at {address}: no answer in time\n"
