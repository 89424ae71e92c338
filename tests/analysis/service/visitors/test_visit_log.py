"""Who did what is set down, a line each, and no secret with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from analysis.service.app import make
from analysis.service.visitors.door import Door
from analysis.service.visitors.visit_log import VisitLog
from analysis.service.visitors.visitor import Visitor, note
from analysis.service.web.guard import Guard
from tests.support import synthetic_store

if TYPE_CHECKING:
    from pathlib import Path

HOME = "http://localhost:8050"
TOKEN = "a-token-of-anne-alone"
ANNE = Visitor(name="anne", role="submit", token=TOKEN)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("results")
    synthetic_store.store(root / "demo", synthetic_store.of_study().iloc[:90])
    return str(root)


def asked(results: str, file: Path, kind: str) -> list[str]:
    log = VisitLog(kind, file, [TOKEN])
    app = make(results, Guard("0.0.0.0", Door([ANNE])), log=log)
    client = app.server.test_client()
    for path in (
        "/", f"/?token={TOKEN}", "/study/demo/maps?metric=test_error", f"/nothing/{TOKEN}?X-TOKEN=secret-thing",
        "/no\nsuch%0Apage?a=%0D%0Aforged", "/study/demo/maps?sig=VERYSECRET&secret=hush",
    ):  # fmt: skip
        client.get(path, base_url=HOME)
    log.close()
    return file.read_text("utf-8").splitlines()


def test_a_request_is_a_line_of_json(results: str, tmp_path: Path) -> None:
    lines = asked(results, tmp_path / "log", "json")
    said = [json.loads(line) for line in lines]
    assert [(each["who"], each["role"], each["status"]) for each in said] == [
        ("-", None, 401), ("anne", "submit", 303), ("anne", "submit", 200), ("anne", "submit", 404),
        ("anne", "submit", 404), ("anne", "submit", 200),
    ]  # fmt: skip
    first = said[2]
    assert first["event"] == "request"
    assert first["method"] == "GET"
    assert first["path"] == "/study/demo/maps?metric=test_error"
    assert first["address"] == "127.0.0.1"
    assert first["bytes"] > 1000
    assert first["ms"] >= 0
    assert first["time"].endswith("Z")


@pytest.mark.parametrize("kind", ["text", "json"])
def test_no_secret_stands_in_it_and_no_path_breaks_a_line(results: str, tmp_path: Path, kind: str) -> None:
    lines = asked(results, tmp_path / "log", kind)
    assert len(lines) == 6
    for secret in (TOKEN, "secret-thing", "VERYSECRET", "hush"):
        assert not [line for line in lines if secret in line], secret
    assert all(line.isprintable() and line.isascii() for line in lines)


def test_it_is_read_by_its_owner_alone_and_begun_anew_where_it_was_moved(results: str, tmp_path: Path) -> None:
    file = tmp_path / "log"
    log = VisitLog("text", file)
    environ: dict[str, Any] = {"REMOTE_ADDR": "10.0.0.1"}
    note(environ, ANNE)
    log.submitted(environ, "digits", "job-1", new=True)
    assert file.stat().st_mode & 0o777 == 0o600
    file.rename(tmp_path / "log.1")
    log.stopped(environ, "digits", "job-1")
    log.close()
    assert "anne submit 10.0.0.1 submitted study digits: job job-1" in (tmp_path / "log.1").read_text("utf-8")
    assert "anne submit 10.0.0.1 stopped study digits: job job-1" in file.read_text("utf-8")


def test_without_a_kind_only_what_is_started_and_stopped_is_written(
    results: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log = VisitLog()
    client = make(results, log=log).server.test_client()
    assert client.get("/", base_url=HOME).status_code == 200
    log.submitted({"REMOTE_ADDR": "10.0.0.1"}, "digits", "job-1", new=False)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "submitted study digits: job job-1, which was running already" in said
