"""Whatever is asked for, by any rule of the application, no answer is a fault of the program."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from analysis.service.app import make
from tests.support import synthetic_store

if TYPE_CHECKING:
    from dash import Dash

HOME = "http://localhost:8050"
ODD = [
    "x",
    "demo",
    "..",
    "%2e%2e",
    "%00",
    "%ff",
    "naïve",
    "-1",
    "a/b/c",
    "%0d%0aSet-Cookie:a=b",
    "_",
    "{}",
    "<script>",
    "dash.min.js",
    "async-graph.js",
    "None",
    "dash_core_components.v1_0_0m1.min.js",
    "a" * 3000,
    "9" * 400,
]
QUERIES = [
    "",
    "cell=%00",
    f"metric={'x' * 5000}&delta=nan&seeds=-1&page=1e99",
    "where=test_error<&sort=-&of=&against=",
    "cell=a~b~c&workload=%ff&range=1&decay=2&surface=3",
]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("results")
    synthetic_store.store(root / "demo", synthetic_store.of_study().iloc[:60])
    return str(root)


@pytest.fixture(scope="module")
def app(results: str) -> Dash:
    app = make(results, address="http://127.0.0.1:1", allow_submit=False)
    app.server.testing = False  # a fault is a 500, as it would be
    return app


def filled(rule: str) -> list[str]:
    """Return addresses of a rule with odd values for what it takes."""
    if "<" not in rule:
        return [f"{rule}?{query}" for query in QUERIES] + [f"{rule}/", f"{rule}%00", f"{rule}x"]
    return [re.sub(r"<[^>]*>", lambda _, odd=odd: odd, rule) for odd in ODD]  # type: ignore[misc]


def test_no_address_is_answered_by_a_fault(app: Dash, caplog: pytest.LogCaptureFixture) -> None:
    client = app.server.test_client()
    rules = sorted({rule.rule for rule in app.server.url_map.iter_rules()})
    assert len(rules) > 20
    faults = []
    for rule in rules:
        for path in filled(rule):
            answer = client.get(path, base_url=HOME)
            if answer.status_code >= 500:
                faults.append((path[:80], answer.status_code))
    assert faults == []
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "BREW"])
def test_no_method_is_answered_by_a_fault(app: Dash, method: str, caplog: pytest.LogCaptureFixture) -> None:
    client = app.server.test_client()
    for rule in sorted({rule.rule for rule in app.server.url_map.iter_rules()}):
        path = re.sub(r"<[^>]*>", "demo", rule)
        for data in (b"", b"{", b'{"text": 5}', b"\xff\xfe"):
            answer = client.open(path, method=method, data=data, content_type="application/json", base_url=HOME)
            assert answer.status_code < 500, (method, path, data)
    assert "Traceback" not in caplog.text


def test_a_script_that_is_not_there_is_not_found(app: Dash) -> None:
    client = app.server.test_client()
    for path in ("/_dash-component-suites/dash/nothing.js", "/_dash-component-suites/none/x.js"):
        assert client.get(path, base_url=HOME).status_code == 404


BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"5",
    b'"text"',
    b"[" * 50_000,
    b"\xff\xfe",
    b'{"text": null}',
    b'{"text": "\\u0000"}',
    b'{"text": "\\ud800"}',
    b'{"text": "name: ../x\\nseeds: ' + b"9" * 5000 + b'"}',
    b'{"text": "{[&a *a"}',
    b'{"text": "a: &a [*a]"}',
    b'{"text": "name: tiny\\nworkload: digits\\noptimizers: [adamw]\\nspace: {lr: [1e999], weight_decay: [.nan]}"}',
    b'{"text": "name: na\xc3\xafve\\nworkload: [1]\\noptimizers: {}\\nspace: 5"}',
    b'{"text": "x", "label": 5, "job_id": [], "body": {}}',
    b'{"text": "' + b"x" * 200_000 + b'"}',
]


def test_nothing_that_is_submitted_is_answered_by_a_fault(results: str, caplog: pytest.LogCaptureFixture) -> None:
    submits = make(results, address="http://127.0.0.1:1", allow_submit=True)
    submits.server.testing = False
    client = submits.server.test_client()
    rules = sorted({rule.rule for rule in submits.server.url_map.iter_rules() if rule.rule.startswith("/submit")})
    assert len(rules) >= 6
    for path in (path for rule in rules for path in filled(rule)):
        assert client.get(path, base_url=HOME).status_code < 500, path[:80]
    for path in (re.sub(r"<[^>]*>", "demo", rule) for rule in rules):
        for body in BODIES:
            answer = client.post(path, data=body, content_type="application/json", base_url=HOME)
            assert answer.status_code < 500, (path, body[:80])
    assert "Traceback" not in caplog.text
