"""The page Submit without a browser: studies that somebody typed, and who may start one."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from analysis.service.base.address import View
from analysis.service.cluster.checker import Checker, CheckerError
from analysis.service.cluster.ray_jobs import RayJobs
from analysis.service.cluster.submitting import Submitting
from analysis.service.pages import submit
from analysis.service.studies.studies import Studies
from robustness.study.file import MOST
from tests.support import synthetic_store
from tests.support.noted import noted
from tests.support.service_pages import content
from tests.support.service_submit import STUDY, WRONG, client_of, sources_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient

HUGE = """\
name: huge
workload: digits
optimizers: [adamw]
space: {lr: {low: 1e-4, high: 1, points: 1000}, weight_decay: {low: 1e-4, high: 1, points: 1000}}
seeds: 1000
"""
PAIRS = pairwise("abcdefghijklmnopqr")
BOMB = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in PAIRS)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("results")
    runs = synthetic_store.of_study()
    synthetic_store.store(root / "demo", runs.iloc[:500])
    return root


@pytest.fixture(scope="module")
def submitting(results: Path) -> Iterator[Submitting]:
    made = Submitting(Studies(str(results)), RayJobs(None), None, str(results))
    yield made
    made.checker.close()


@pytest.fixture(scope="module")
def client(submitting: Submitting) -> FlaskClient:
    return client_of(submitting)


def check(client: FlaskClient, text: str, **more: Any) -> Any:
    answer = client.post("/submit/check", json={"text": text} | more)
    assert answer.status_code == 200
    return answer.json


def test_a_right_study_has_a_name_and_a_plan(client: FlaskClient) -> None:
    found = check(client, STUDY)
    assert found["problems"] == []
    assert (found["name"], found["runs"], found["stored"], found["left"]) == ("tiny", 8, 0, 8)
    assert found["plan"][0] == "tiny: 8 runs, 0 stored, 8 to train"


def test_a_study_without_a_name_is_called_after_its_file_which_is_no_path(client: FlaskClient) -> None:
    nameless = STUDY.replace("name: tiny\n", "")
    assert check(client, nameless, file="mine.yaml")["name"] == "mine"
    assert check(client, nameless, file="../../etc/mine.yaml")["name"] == "mine"
    assert check(client, nameless, file="C:\\x\\mine.yaml")["name"] == "mine"
    assert check(client, nameless)["name"] == "study"


def test_stored_runs_are_counted(client: FlaskClient) -> None:
    found = check(client, synthetic_store.STUDY)
    assert (found["runs"], found["stored"], found["left"]) == (1296, 500, 796)


def test_only_a_price_is_taken_for_one(
    client: FlaskClient, submitting: Submitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    prices: list[float | None] = []
    monkeypatch.setattr(submitting, "check", lambda _text, _file, price: noted(prices, price, {}))
    for price in (2, 0.5, "2", True, -1, float("inf"), [1], None):
        check(client, STUDY, price=price)
    assert prices == [2.0, 0.5, *6 * [None]]


def test_every_problem_has_its_line_and_key(client: FlaskClient) -> None:
    found = check(client, WRONG)
    assert [(each["line"], each["key"]) for each in found["problems"]] == [(2, "workload"), (5, "seedz")]
    assert "digits" in found["problems"][0]["message"]
    assert "name" not in found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("\0", "not YAML"),
        ("a: [", "not YAML"),
        (BOMB, "nested too deeply or too large"),
        ("a: " + "[" * 400 + "]" * 400, "nested too deeply"),
        ("seeds: " + "1" * 20_000, "can't be read as a value"),
        ("name: <script>alert(1)</script>\n" + STUDY[11:], "must be 1 to 64 of"),
        ("name: ../../x\n" + STUDY[11:], "must be 1 to 64 of"),
        ("!!python/object/apply:os.system [ls]", "got a list"),
        (HUGE, "1000000000 runs"),
        (STUDY.replace("digits", "'no.such:Thing'"), "there is no module"),
    ],
)
def test_a_hostile_study_is_refused_in_words(client: FlaskClient, text: str, words: str) -> None:
    found = check(client, text)
    assert any(words in each["message"] for each in found["problems"]), found
    assert "plan" not in found
    assert check(client, STUDY)["problems"] == []


def test_many_problems_are_counted(client: FlaskClient) -> None:
    found = check(client, STUDY + "".join(f"k{i}: 1\n" for i in range(200)))
    assert len(found["problems"]) == 101
    assert found["problems"][-1]["message"] == "and 100 more problems"


def test_an_output_of_a_studys_own_module_is_no_answer(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loud.py").write_text("print('{\"problems\": []}')\nraise SystemExit\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{synthetic_store.__file__.rpartition('/tests/')[0]}")
    checker = Checker()
    try:
        found = checker.ask("check", text=STUDY.replace("digits", "'loud:Thing'"), file="study.yaml")
    finally:
        checker.close()
    assert "can't be imported: SystemExit" in found["problems"][0]["message"]


@pytest.mark.slow
def test_what_takes_too_long_or_ends_the_process_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(1000)\n")
    (tmp_path / "deadly.py").write_text("import os\nos._exit(3)\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{synthetic_store.__file__.rpartition('/tests/')[0]}")
    checker = Checker(limit_s=0.5)
    try:
        assert checker.ask("check", text=STUDY, file="study.yaml")["problems"] == []
        with pytest.raises(CheckerError, match="given up after"):
            checker.ask("check", text=STUDY.replace("digits", "'slow:Thing'"), file="study.yaml")
        with pytest.raises(CheckerError, match="ended the process"):
            checker.ask("check", text=STUDY.replace("digits", "'deadly:Thing'"), file="study.yaml")
        assert checker.ask("check", text=STUDY, file="study.yaml")["problems"] == []
    finally:
        checker.close()


def test_too_large_a_study_is_refused_before_it_is_read(client: FlaskClient) -> None:
    for size in (MOST + 1, 50 * 2**20):
        answer = client.post("/submit/check", json={"text": "x" * size})
        assert answer.status_code == 413
        assert "at most 100 kB" in content(answer)["problem"]
    largest = STUDY + "#" + "\N{SNOWMAN}" * (MOST - len(STUDY) - 1)
    assert len(largest) == MOST
    assert check(client, largest)["problems"] == []


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b'{"text": "\xff"}', "application/json", 400),
        (b"[1]", "application/json", 400),
        (b'{"text": 1}', "application/json", 400),
        (b"{}", "application/json", 400),
        (b"[" * 200_000, "application/json", 400),
        (b"", "application/json", 400),
        (json.dumps({"text": STUDY}).encode(), "text/plain", 415),
        (b"text=x", "application/x-www-form-urlencoded", 415),
    ],
)
def test_what_is_no_json_of_the_page_is_refused(client: FlaskClient, data: bytes, kind: str, status: int) -> None:
    for path in ("/submit/check", "/submit/start"):
        answer = client.post(path, data=data, content_type=kind)
        assert answer.status_code == status
        assert content(answer)["problem"]


def test_a_text_that_no_utf_8_can_be_is_refused(client: FlaskClient) -> None:
    assert "not UTF-8" in check(client, "a: \ud800")["problems"][0]["message"]


def test_nothing_changes_by_a_get(client: FlaskClient) -> None:
    for path in ("/submit/check", "/submit/start", "/submit/stop/tiny-1"):
        assert client.get(path).status_code == 405


def test_without_leave_nothing_is_submitted() -> None:
    client = client_of(None)
    for path in ("/submit/check", "/submit/start", "/submit/stop/tiny-1"):
        assert client.post(path, json={"text": STUDY}).status_code == 403
    for path in ("/submit/jobs", "/submit/log/tiny-1", "/submit/study/digits"):
        assert client.get(path).status_code == 403
    assert "--allow-submit" in str(submit.page(sources_of(None), View()))


def test_a_packaged_study_is_text_and_no_other_file_is(client: FlaskClient, submitting: Submitting) -> None:
    answer = client.get("/submit/study/paper/figure-11")
    assert answer.mimetype == "text/plain"
    assert check(client, answer.text)["name"] == "paper-figure-11"
    for name in ("../README", "%2e%2e/README", "%2fetc/passwd", "digits.yaml"):
        assert client.get(f"/submit/study/{name}", follow_redirects=True).status_code == 404
    assert "data-value='digits'" in str(submit.page(sources_of(submitting), View.parse("?from=digits")))
    assert "data-value=''" in str(submit.page(sources_of(submitting), View.parse("?from=../README")))


def test_a_wrong_study_and_one_without_a_cluster_are_not_started(client: FlaskClient) -> None:
    for text, words in ((WRONG, "has problems"), (STUDY, "knows no Ray cluster")):
        answer = client.post("/submit/start", json={"text": text})
        assert answer.status_code == 409
        assert words in content(answer)["problem"]
    assert "no Ray cluster" in content(client.post("/submit/stop/tiny-1", json={}))["problem"]
    assert client.get("/submit/jobs").json == {"state": "off", "problem": "", "address": None, "jobs": []}
    assert client.get("/submit/log/tiny-1").status_code == 404
