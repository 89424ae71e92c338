"""No key is shown: keys in every form to every command and page, looked for in all that these say and write."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import subprocess
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyarrow import fs

from analysis import write_report
from analysis.service.app import make
from analysis.service.pages.registry import PAGES
from robustness import Place, Store, load
from robustness.cli import main
from robustness.provenance import collect
from robustness.results import StorageError
from robustness.results.files import remote
from tests.support import synthetic_store
from tests.support.service_pages import HOME, paths, told

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = "ZqKey"
"""Every piece of every key here has it: raw, URL-encoded, or cut in two."""
HOST = "bucket/results"

READ = {
    "user": "s3://ZqKeyId:ZqKeySecret@bucket/results?region=eu",
    "encoded": "s3://ZqKeyId:ZqKeySe%2FZqKeyCr%40ZqKeyEt%2BZqKeyX@bucket/results",
    "raw colon": "s3://ZqKeyId:ZqKeySe:ZqKeyCr@bucket/results",
    "user alone": "s3://ZqKeyToken@bucket/results",
    **{
        name: f"s3://bucket/results?region=eu&{name}=ZqKeySecret%2FZqKeyMore"
        for name in ("client_secret", "sas", "sas_token", "access_key", "secret_key", "session_token", "account_key")
    },
    **{
        name: f"gs://bucket/results?{name}=ZqKeySecret/ZqKeyMore"
        for name in ("sig", "token", "password", "X-Amz-Signature", "SharedAccessSignature", "made-up", "n%61me")
    },
    "raw ampersand": "s3://bucket/results?secret_key=ZqKeySe&ZqKeyCr=ZqKeyEt&region=eu",
    "endpoint": "s3://bucket/results?endpoint_override=http://ZqKeyId:ZqKeySecret@host:9",
    "endpoint, encoded": "s3://bucket/results?endpoint_override=http%3A%2F%2FZqKeyId%3AZqKeySecret%40host",
    "endpoint with a query": "s3://bucket/results?endpoint_override=http://host/?sig=ZqKeySecret",
    "account": "abfs://ZqKeyAccount:ZqKeySecret@bucket/results?enable_tls=true",
}
"""What a filesystem may take; in these tests each takes them all."""
REFUSED = {
    "raw slash and at": "s3://ZqKeyId:ZqKeyNoSe/ZqKeyCr@ZqKeyEt@bucket/results",
    "raw question mark": "s3://ZqKeyId:ZqKeyNoSe?ZqKeyCr@bucket/results",
    "raw option": "s3://ZqKeyId:ZqKeyNoSe?x=ZqKeyCr@bucket/results",
    "raw hash": "s3://ZqKeyId:ZqKeyNoSe#ZqKeyCr@bucket/results",
    "raw blank and quote": "s3://ZqKeyId:ZqKeyNoSe ZqKeyCr'ZqKeyEt@bucket/results",
    "no bucket": "s3://ZqKeyId:ZqKeyNoSecret",
    "unknown option": "s3://ZqKeyId:ZqKeyNoSecret@bucket/results?nosuch=ZqKeyMore",
    "of the web": "https://account.example/results?sv=1&sig=ZqKeyNoSecret",
    "one slash": "s3:/ZqKeyId:ZqKeyNoSecret@bucket/results",
    "a file's": "file://ZqKeyId:ZqKeyNoSecret@host/results",
}
"""What pyarrow, or we, refuse: the words that do so repeat what they refuse."""
FILE = """\
name: demo
workload: digits
optimizers: [adam, adamw]
space: {lr: [0.001, 0.01, 0.1], weight_decay: [0, 0.001, 0.01]}
seeds: 2
"""
LOOKING = (
    ["list"], ["plan", "demo.yaml"], ["run", "demo.yaml", "--no-published"], ["report", "demo"], ["claims", "demo"],
    ["figures", "demo", "--figure", "cells"], ["compare", "demo", "demo"], ["compact", "demo"], ["pull", "demo"],
    ["publish", "demo", "--partial"], ["report", "absent"], ["plan", "absent"],
)  # fmt: skip
"""Each is given --results."""


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("stored") / "results"
    synthetic_store.store(root / "demo", synthetic_store.of_study(FILE), FILE)
    return root


@pytest.fixture
def here(stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a study file; a URI of `READ` leads to a copy of what is stored."""
    (tmp_path / "demo.yaml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RAY_API_SERVER_ADDRESS", raising=False)
    shutil.copytree(stored, tmp_path / "far")
    real = remote.open_filesystem

    def opened(root: Place) -> tuple[fs.FileSystem, str]:
        uri = root.with_keys
        if "ZqKeyNo" in uri:
            return real(root)
        return fs.LocalFileSystem(), str(tmp_path / "far") + uri.partition("?")[0].partition(HOST)[2]

    monkeypatch.setattr(remote, "open_filesystem", opened)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what a command prints; it may fail, and may end as the command line's parser ends it."""
    with contextlib.suppress(SystemExit):
        main(list(arguments))
    done = capsys.readouterr()
    return done.out + done.err


def in_files(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if MARK in path.name or (path.is_file() and holds(path))]


def holds(path: Path) -> bool:
    return MARK.encode() in path.read_bytes()


def shown_by_the_service(uri: str) -> Iterator[str]:
    app = make(uri)
    client = app.server.test_client()
    for rule in [route.rule for page in PAGES for route in page.routes if route.method == "GET"]:
        for path in paths(rule, "demo"):
            with client.get(path, base_url=HOME) as answer:
                yield answer.get_data().decode(errors="replace") + str(answer.headers)
    for path in [path for page in PAGES for path in paths(page.path, "demo")]:
        yield from (answer.get_data(as_text=True) for answer in told(app, path, "?study=demo"))


@pytest.mark.parametrize("uri", REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_not_repeated(uri: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in LOOKING:
        words = said(capsys, *command, "--results", uri)
        assert MARK not in words, command
    for arguments in (["report", uri], ["run", uri], ["validate", uri], ["list", uri], ["lits", uri], ["claims", uri],
                      ["pull", "demo", "--to", uri, "--results", "far"], ["publish", "demo", "--to", uri],
                      ["submit", "demo.yaml", "--results", uri], ["submit", "demo.yaml", "--env", f"PLACE={uri}"],
                      ["jobs", "--address", uri], ["logs", "x", "--address", uri], ["list", f"--result={uri}"],
                      ["report", "demo", "--token-file", uri], ["serve", "--port", uri]):  # fmt: skip
        words = said(capsys, *arguments)
        assert words, arguments
        assert MARK not in words, arguments
    assert in_files(here) == []


@pytest.mark.parametrize("uri", REFUSED.values(), ids=REFUSED)
def test_no_traceback_repeats_it(uri: str, here: Path) -> None:
    with pytest.raises(StorageError) as caught:
        Store(uri).runs()
    assert MARK not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("uri", READ.values(), ids=READ)
def test_a_place_prints_without_it(uri: str, here: Path) -> None:
    store = load("demo", uri).store
    place = store.root
    for words in (str(place), repr(place), f"{place}", f"{place:>90}", f"{store}", str(place.parent), str([place])):
        assert MARK not in words
    assert "bucket" in str(place)
    assert place.with_keys == Place(uri).child("demo").with_keys
    record = collect(
        ["robustness", "run", "--results", uri, f"--results={uri}", "--env", "AWS_SECRET_ACCESS_KEY=ZqKey"]
    )
    assert MARK not in str(record) + str(collect(f"robustness run --results {uri}"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["encoded", "client_secret"])
def test_no_command_and_no_file_has_it(name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    uri = READ[name]
    for command in LOOKING:
        words = said(capsys, *command, "--results", uri)
        assert words, command
        assert MARK not in words, command
    assert MARK not in said(capsys, "pull", "demo", "--results", "far", "--to", uri)
    assert MARK not in said(capsys, "submit", "demo.yaml", "--results", uri)
    write_report(f"{uri.partition('?')[0]}/demo" + "".join(uri.partition("?")[1:]), "api.html")
    assert {"demo-report.html", "api.html", "compare.html"} <= {path.name for path in here.iterdir()}
    assert in_files(here) == []


@pytest.mark.parametrize("name", ["user", "client_secret"])
def test_no_page_and_no_log_has_it(name: str, here: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        shown = list(shown_by_the_service(READ[name]))
    assert any("read_parquet" in each and "***" in each for each in shown)
    assert [each for each in shown if MARK in each] == []
    assert MARK not in caplog.text


@pytest.mark.parametrize("name", ["raw slash and at", "unknown option"])
def test_no_page_has_it_where_nothing_can_be_read(name: str, here: Path, caplog: pytest.LogCaptureFixture) -> None:
    shown = "\n".join(shown_by_the_service(REFUSED[name]))
    assert "***" in shown
    assert MARK not in shown + caplog.text


def test_no_refusal_of_a_study_file_has_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for line in (f"results: {READ['user']}", f"seeds: '{READ['sas']}'", f"optimizers: ['{READ['user']}']"):
        (here / "wrong.yaml").write_text(
            f"{FILE}{line}\n".replace("seeds: 2\n" if line.startswith("seeds") else "?", "")
        )
        words = said(capsys, "validate", "wrong.yaml")
        assert "wrong.yaml:" in words
        assert MARK not in words


def test_a_service_that_submits_is_given_none(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = said(capsys, "serve", "--allow-submit", "--results", READ["user"])
    assert "the URI holds a key, which whoever may see the cluster's jobs would read" in words
    assert MARK not in words


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are looked at in /proc")
def test_the_list_of_processes_does_not_have_it() -> None:
    command = [
        sys.executable,
        "-m",
        "robustness.cli",
        "serve",
        "--port",
        "0",
        "--results",
        "mock://ZqKeyId:ZqKeySe@b/results",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            arguments = Path(f"/proc/{process.pid}/cmdline").read_text()
        finally:
            process.terminate()
    assert line.startswith("studies in mock://***@b/results: http://127.0.0.1:")
    assert "serve" in arguments
    assert "mock://***@b/results" in arguments
    assert MARK not in arguments


def test_it_is_moved_to_where_only_its_user_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    from robustness import own_arguments

    begun: list[Any] = []
    monkeypatch.setattr("os.execve", lambda *given: begun.append(given))
    given = ["list", "--results", READ["user"]]
    monkeypatch.setattr(sys, "argv", ["robustness", *given])
    assert own_arguments.own_arguments() == given
    assert not begun, "these are the arguments of somebody else's program"
    monkeypatch.setattr(sys, "orig_argv", ["python", "-P", "robustness", *given])
    own_arguments.own_arguments()
    ((_, command, environment),) = begun
    assert command == ["python", "-P", "robustness", "list", "--results", "s3://***@bucket/results?region=eu"]
    monkeypatch.setenv(own_arguments.VARIABLE, environment[own_arguments.VARIABLE])
    monkeypatch.setattr(sys, "argv", ["robustness", *command[3:]])
    assert own_arguments.own_arguments() == given
    assert own_arguments.VARIABLE not in os.environ
    assert len(begun) == 1
