"""Who is answered: this machine's own names, visitors who know the token, and paths that there are."""

from __future__ import annotations

import hmac
import socket
from typing import TYPE_CHECKING, Any

import pytest

from analysis.service.app import make
from analysis.service.visitors.door import Door
from analysis.service.visitors.visitor import only
from analysis.service.web.guard import COOKIE, Guard
from tests.support import synthetic_store
from tests.support.noted import noted

if TYPE_CHECKING:
    from flask.testing import FlaskClient

HOME = "http://localhost:8050"
TOKEN = "a-token-of-some-length"
PATHS = ["/", "/_dash-layout", "/study/demo/report", "/study/demo/maps", "/assets/service.js", "/plotly.js", "/submit"]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("results")
    synthetic_store.store(root / "demo", synthetic_store.of_study().iloc[:90])
    return str(root)


@pytest.fixture(scope="module")
def client(results: str) -> FlaskClient:
    client: FlaskClient = make(results).server.test_client()
    return client


def asking(results: str, host: str = "0.0.0.0", **options: Any) -> FlaskClient:
    """Return a client without cookies of an application that asks for the token."""
    client: FlaskClient = make(results, Guard(host, Door(only(TOKEN)), **options)).server.test_client()
    return client


def test_the_policy_of_the_pages_allows_no_other_script_and_no_other_place(client: FlaskClient) -> None:
    answer = client.get("/", base_url=HOME)
    rules = dict(rule.strip().split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split(";"))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in rules["script-src"]
    assert rules["connect-src"] == "'self'"
    assert not [rule for rule in rules.values() if "http" in rule or "*" in rule]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    text = answer.get_data(as_text=True)
    assert "http://" not in text
    assert "https://" not in text


@pytest.mark.parametrize("host", ["localhost:8050", "127.0.0.1:8050", "[::1]:8050", "localhost", "LOCALHOST:9000"])
def test_loopback_names_are_answered_on_any_port_that_leads_here(client: FlaskClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 200
    assert client.get("/", headers={"Host": host, "Origin": f"http://{host}"}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example:8050", "localhost.evil.example:8050", "8.8.8.8:8050", "[", "", "127.0.0.1.evil.example"]
)
@pytest.mark.parametrize("path", PATHS)
def test_other_names_are_not_so_that_no_foreign_page_can_rebind_one(client: FlaskClient, host: str, path: str) -> None:
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code in {400, 403}
    assert "demo" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://localhost:3000", "null", "http://localhost:8050.evil"]
)
def test_other_pages_may_not_ask(client: FlaskClient, origin: str) -> None:
    asked = client.post("/_dash-update-component", json={}, base_url=HOME, headers={"Origin": origin})
    assert asked.status_code == 403


@pytest.mark.parametrize(
    "path",
    ["/study/../secret", "/study/..%2fsecret/report", "/study/%2e%2e/report", "/study/..", "/study//etc/report",
     "/study/demo/../../secret/report", "/study/DEMO/report", "/study/.demo", "/etc/passwd", "/study", "/static/x",
     "/assets/../app.py", "/assets/..%2fapp.py", "/study/demo/nothing"],
)  # fmt: skip
def test_no_path_leads_anywhere_else(client: FlaskClient, path: str) -> None:
    answer = client.get(path, base_url=HOME)
    assert answer.status_code == 404
    assert "Synthetic" not in answer.get_data(as_text=True)
    assert "import" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_nothing_is_answered(results: str, path: str) -> None:
    answer = asking(results).get(path, base_url=HOME)
    assert answer.status_code == 401
    assert "demo" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("wrong", ["", "x", TOKEN[:-1], f"{TOKEN}x", TOKEN.upper(), "ä" * 16])
def test_a_wrong_token_is_refused(results: str, wrong: str) -> None:
    client = asking(results)
    assert client.get("/", base_url=HOME, query_string={"token": wrong}).status_code == 401
    answer = client.post("/", base_url=HOME, data={"token": wrong})
    assert answer.status_code == 401
    assert ("That is not the token." in answer.get_data(as_text=True)) == bool(wrong)
    client.set_cookie(COOKIE, wrong)
    assert client.get("/", base_url=HOME).status_code == 401


def test_the_token_becomes_a_cookie_that_no_script_sees_and_leaves_the_address(results: str) -> None:
    client = asking(results)
    answer = client.get(f"/study/demo?token={TOKEN}&study=a&study=b&delta=2", base_url=HOME)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/study/demo?study=a&study=b&delta=2"
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert TOKEN not in cookie
    assert client.get("/study/demo/maps", base_url=HOME).status_code == 200
    form = asking(results)
    assert form.post("/compare", base_url=HOME, data={"token": TOKEN}).headers["Location"] == "/compare"
    assert form.get("/compare", base_url=HOME).status_code == 200


def test_the_cookie_of_another_token_does_not_open(results: str) -> None:
    other = make(results, Guard("0.0.0.0", Door(only("another-token-than-that")))).server.test_client()
    answer = asking(results).get(f"/?token={TOKEN}", base_url=HOME)
    other.set_cookie(COOKIE, answer.headers["Set-Cookie"].split("=", 1)[1].split(";")[0])
    assert other.get("/", base_url=HOME).status_code == 401


def test_tokens_are_compared_in_constant_time(results: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: noted(compared, (a, b), hmac.digest is None))
    asking(results).get("/?token=guess", base_url=HOME)
    assert (b"guess", TOKEN.encode()) in compared


def test_beyond_loopback_it_answers_to_addresses_its_own_name_and_those_it_is_told(results: str) -> None:
    client = asking(results, names=["pages.example"])
    for host in ("192.168.1.5:8050", "[fe80::1]:8050", f"{socket.gethostname()}:8050", "Pages.example", "localhost"):
        assert client.get("/", headers={"Host": host}).status_code == 401, host
    for host in ("evil.example:8050", "pages.example.evil:8050"):
        assert client.get("/", headers={"Host": host}).status_code == 403, host


def test_a_refusal_is_dressed_like_every_answer(results: str) -> None:
    known = make(results).server.test_client()
    for answer in (asking(results).get("/", base_url=HOME), known.get("/x", base_url=HOME)):
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
