"""What is meant to harm: requests, study files and folders made to break the service."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from analysis.service.app import make
from analysis.service.studies import studies as stored
from analysis.service.studies.limits import read_stored
from analysis.service.studies.studies import Studies
from analysis.service.visitors.door import Door
from analysis.service.visitors.visitor import only
from analysis.service.web import responses
from analysis.service.web.guard import COOKIE, Guard
from robustness import Store
from robustness.results.files.errors import Unreachable
from robustness.study import Study, StudyError
from robustness.study.file import MOST
from tests.support import synthetic_store
from tests.support.service_pages import HOME, called, shown
from tests.support.service_process import served

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

TOKEN = "a-token-of-some-length"
STUDY = synthetic_store.STUDY
MANY = "".join(f"{{name: adam, label: l{n}, eps: 1.0e-{n}}}, " for n in range(10, 248))
LARGE = "space: {lr: {low: 1.0e-4, high: 0.1, points: 700}, weight_decay: {low: 1.0e-5, high: 0.1, points: 700}}\n"


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return synthetic_store.of_study().iloc[:40]


@pytest.fixture
def results(tmp_path: Path, runs: pd.DataFrame) -> Path:
    for name in ("demo", "other"):
        synthetic_store.store(tmp_path / name, runs, STUDY.replace("demo", name), parts=1)
    return tmp_path


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"])
def test_no_method_goes_past_the_token(results: Path, method: str) -> None:
    client = make(str(results), Guard("0.0.0.0", Door(only(TOKEN)))).server.test_client()
    for path in (
        "/",
        "/study/demo/data/runs.csv",
        "/_dash-update-component",
        "/_dash-layout",
        "/assets/service.js",
        "/x",
    ):
        answer = client.open(path, method=method, base_url=HOME, headers={"Cookie": f'{COOKIE}="; {COOKIE}=\xff'})
        assert answer.status_code == 401, path
        assert "Allow" not in answer.headers


@pytest.mark.parametrize("content", [b"{", b"[]", b"null", b"{}", b'{"output": "x.y"}', b"[" * 50_000, b'{"output": 5}',
                                     b'{"output": "page.children", "inputs": "x"}'])  # fmt: skip
def test_a_call_that_no_page_makes_is_refused_without_a_word_of_the_program(
    results: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    app = make(str(results))
    app.server.testing = False
    client = app.server.test_client()
    answer = client.post("/_dash-update-component", data=content, content_type="application/json", base_url=HOME)
    assert (answer.status_code, answer.data) == (400, b"no page asks this\n")
    assert caplog.text == ""
    assert client.get("/study/demo/maps", base_url=HOME).status_code == 200


@pytest.mark.parametrize(
    "more",
    [{"outputs": None}, {"outputs": {"id": "page"}}, {"inputs": []}, {"inputs": [5]}, {"state": {}}, {"state": [[]]},
     {"inputs": [{"id": "route", "property": "data", "value": ["x"]}]}, {"changedPropIds": [{}]},
     {"changedPropIds": 5}, {"output": "..route.data...asked.data.."}, {"output": ".."}, {"output": ["page.children"]},
     {"inputs": [{"id": {"x": 1}, "property": "data"}]}, {"inputs": [{"id": "route", "property": "children"}]}],
)  # fmt: skip
def test_a_call_of_a_callback_with_what_it_does_not_take_is_refused(
    results: Path, caplog: pytest.LogCaptureFixture, more: dict[str, Any]
) -> None:
    app = make(str(results))
    app.server.testing = False
    client = app.server.test_client()
    given = ("page.children", {"route.data": "/"}, {"url.pathname": "/", "url.search": ""})
    assert called(client, *given).status_code == 200
    assert called(client, *given, **more).status_code == 400
    assert caplog.text == ""


def test_a_study_that_cannot_be_read_leaves_the_others_in_the_list(results: Path, runs: pd.DataFrame) -> None:
    client = make(str(results)).server.test_client()
    part = next((results / "other" / "runs").iterdir())
    newer = pq.read_table(part).replace_schema_metadata({"robustness_schema_version": "99"})
    pq.write_table(newer, part.with_name("newer.parquet"))
    (results / "folder" / "study.yaml").mkdir(parents=True)
    (results / "loop").symlink_to("loop")
    page = shown(client, "/")
    assert f'"{len(runs)} of 1' in page
    assert "by a newer version" in page
    assert page.count("cannot be read") >= 6  # the problem and the state, of three
    assert client.get("/study/other/maps", base_url=HOME).status_code == 503
    assert client.get("/study/folder/maps", base_url=HOME).status_code == 503
    assert client.get("/study/demo/maps", base_url=HOME).status_code == 200


def test_a_server_that_is_away_is_no_matter_of_one_study(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    studies = Studies(str(results))

    def away(_self: object) -> None:
        raise Unreachable("the server is away")

    monkeypatch.setattr(Store, "exists", away)
    for ask in (studies.names, studies.lines):
        with pytest.raises(Unreachable):
            ask()


def test_a_folder_that_is_removed_replaced_and_put_back_is_seen_as_it_is(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "CHECK_S", 0.0)
    monkeypatch.setattr(stored, "REST", 0.0)
    client = make(str(results)).server.test_client()
    ask = lambda: client.get("/study/demo/maps", base_url=HOME).status_code  # noqa: E731
    assert ask() == 200
    kept = shutil.move(results / "demo", results / ".away")
    assert ask() == 404
    (results / "demo").write_text("a file")
    assert ask() == 503
    assert '"/study/demo"' not in shown(client, "/")
    (results / "demo").unlink()
    (results / "demo").symlink_to("/proc")
    assert ask() == 503, "a link that leads out of the results is not followed"
    (results / "demo").unlink()
    shutil.move(kept, results / "demo")
    assert ask() == 200


def test_a_long_list_neither_pushes_out_what_is_looked_at_nor_reads_all_of_it_again(
    results: Path, runs: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "KEPT", 1)
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    studies = Studies(str(results))
    demo = studies.snapshot("demo")
    first = {line.name: line for line in studies.lines()}
    assert first["other"].done == len(runs)
    now[0] += stored.LINE_S / 2
    assert {line.name: line for line in studies.lines()}["other"] is first["other"]
    assert studies.snapshot("demo") is demo
    now[0] += stored.LINE_S
    assert {line.name: line for line in studies.lines()}["other"] is not first["other"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (STUDY + "".join(f"key{n}: 1\n" for n in range(5000)), "more problems"),
        (STUDY + "\t\n" * 20_000, "more problems"),
        (STUDY.replace("[adam, ", "[" + "adamx, " * 9000), "more problems"),
        (STUDY[: STUDY.index("space:")] + LARGE, "4 410 000 runs"),
        (STUDY + "x: " + "[" * 5000, "nested too deeply"),
        (STUDY.replace("[adam,", f"[{MANY}"), "240 optimizers"),
        (STUDY + "#" * MOST, "too large: 100 kB, at most 100 kB"),
    ],
)  # fmt: skip
def test_a_stored_study_file_that_asks_too_much_is_not_followed(results: Path, text: str, words: str) -> None:
    study, problem = read_stored(text, None, "demo")
    assert study is None
    assert problem is not None
    assert words in problem.replace("\N{NO-BREAK SPACE}", " ")
    assert len(problem) < 2000
    (results / "demo" / "study.yaml").write_text(text)
    client = make(str(results)).server.test_client()
    assert client.get("/study/demo/maps", base_url=HOME).json["data"]
    assert words in shown(client, "/").replace("\\u00a0", " ")


def test_a_stored_study_file_is_read_once_however_often_its_runs_are() -> None:
    assert read_stored(STUDY, None, "demo")[0] is read_stored(STUDY, None, "demo")[0] is not None


@pytest.mark.slow
def test_the_largest_study_file_full_of_errors_has_so_many_messages_that_it_is_answered_soon() -> None:
    with pytest.raises(StudyError) as caught:
        Study.parse(STUDY + "".join(f"key{n}: 1\n" for n in range(8000)), "demo.yaml")
    assert len(caught.value.problems) == 200


def test_many_small_answers_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "MOST_BYTES", 10_000)
    kept = responses.KeptAnswers()
    for n in range(1000):
        kept.put(str(n), b"x")
        kept.put(str(n), b"xy")
    assert 0 < len(kept) < 10_000 / responses.KEEPING
    sizes = [len(each) + responses.KEEPING for n in range(1000) if (each := kept.get(str(n))) is not None]
    assert (len(sizes), sum(sizes)) == (len(kept), kept.size)


@pytest.mark.parametrize(
    "query",
    ["&".join(f"a{n}=1" for n in range(10_000)), "metric=" + "a" * 100_000, "%ff%00=%ed%a0%80&&=",
     "seeds=²&delta=nan&cell=adam~1e999~-1&workload=../x"],
)  # fmt: skip
def test_a_query_that_nobody_writes_shows_the_defaults(results: Path, query: str) -> None:
    client = make(str(results)).server.test_client()
    plain = client.get("/study/demo/maps", base_url=HOME).json
    assert client.get(f"/study/demo/maps?{query}", base_url=HOME).json == plain


def raw(port: int, content: bytes) -> socket.socket:
    """Send bytes on a connection of their own, which stays open."""
    sent = socket.create_connection(("127.0.0.1", port), timeout=30)
    sent.sendall(content)
    return sent


def asked(port: int, head: str) -> bytes:
    """Return the whole answer to a request that ends its connection."""
    with raw(port, f"{head}\r\nConnection: close\r\n\r\n".encode()) as sent, sent.makefile("rb") as answer:
        return answer.read()


@pytest.mark.slow
def test_the_process_answers_others_beside_whoever_sends_or_reads_slowly_and_ends_at_once(results: Path) -> None:
    with served(results) as (process, _, port):
        slow = [raw(port, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ") for _ in range(150)]
        slow += [raw(port, b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n{") for _ in range(20)]
        script = b"GET /plotly.js HTTP/1.1\r\nHost: localhost\r\n\r\n"  # megabytes each, none of which is fetched
        slow += [raw(port, script * 8) for _ in range(10)]
        for _ in range(3):
            assert asked(port, "GET /study/demo/maps HTTP/1.1\r\nHost: localhost").startswith(b"HTTP/1.1 200")
        for head in (
            "GET http://localhost/study/demo/maps HTTP/1.1\r\nHost: evil.example",
            "GET /study/demo/maps HTTP/1.1\r\nHost: localhost\r\nHost: evil.example",
            "GET /study/demo/maps HTTP/1.0",
            "GET /plots.js HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: localhost\r\nForwarded: host=localhost",
        ):
            assert asked(port, head).split(b" ", 2)[1] == b"403", head
        large = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000"
        assert b" 413 " in asked(port, large).splitlines()[0]
        killer = threading.Timer(30, process.kill)
        killer.start()
        process.terminate()
        process.wait()
        killer.cancel()
        assert process.returncode != -9, "it did not end by itself"
        for each in slow:
            each.close()


@pytest.mark.slow
def test_a_key_in_the_uri_of_the_results_is_not_printed() -> None:
    with served("s3://key:secret@bucket/results?endpoint_override=http://127.0.0.1:9") as (_, said, _port):
        assert "s3://***@bucket/results" in said
        assert "secret" not in said
