"""Who is let in by what: tokens with names and roles, and cookies that end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from analysis.service.app import make
from analysis.service.visitors import door as doors
from analysis.service.visitors.brake import MOST
from analysis.service.visitors.door import Door
from analysis.service.visitors.secret_file import SecretError, kept_secret
from analysis.service.visitors.token_file import TokenError, visitors_of
from analysis.service.visitors.visitor import Visitor, only
from analysis.service.web.guard import COOKIE, ONLY_LOOKS, Guard
from tests.support import synthetic_store
from tests.support.private import private

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

HOME = "http://localhost:8050"
ANNE, BERT = "a-token-of-anne-alone", "the-token-that-bert-has"
FILE = f"# who may come in\nanne submit {ANNE}\n\nbert look {BERT}\n"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("results")
    synthetic_store.store(root / "demo", synthetic_store.of_study().iloc[:90])
    return str(root)


@pytest.fixture
def visitors(tmp_path: Path) -> tuple[Visitor, ...]:
    private(tmp_path / "tokens", FILE)
    return visitors_of(tmp_path / "tokens")


def client_of(results: str, door: Door, **options: Any) -> FlaskClient:
    client: FlaskClient = make(results, Guard("0.0.0.0", door), **options).server.test_client()
    return client


def test_a_file_has_a_line_a_visitor(visitors: tuple[Visitor, ...]) -> None:
    assert [(each.name, each.role, each.submits) for each in visitors] == [
        ("anne", "submit", True),
        ("bert", "look", False),
    ]
    assert ANNE not in repr(visitors)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it has no line NAME ROLE TOKEN"),
        ("# nobody\n", "it has no line NAME ROLE TOKEN"),
        ("short", "a token is one word of at least 16 ASCII characters"),
        (f"anne {ANNE}", "line 1: a line is NAME ROLE TOKEN"),
        (f"anne write {ANNE}", "line 1: the role of anne must be look or submit"),
        ("anne look short", "line 1: a token is one word of at least 16 ASCII characters; that of anne is not"),
        (f"local look {ANNE}", "line 1: a name has"),
        (f"an/ne look {ANNE}", "line 1: a name has"),
        (f"anne look {ANNE}\nanne submit {BERT}", "line 2: it has the name of line 1"),
        (f"anne look {ANNE}\nbert look {ANNE}", "line 2: it has the token of line 1"),
        (f"{ANNE}\n{BERT}", "line 1: a line is NAME ROLE TOKEN"),
    ],
)
def test_a_file_that_is_none_is_refused_without_a_token_in_the_words(tmp_path: Path, text: str, words: str) -> None:
    private(tmp_path / "tokens", text)
    with pytest.raises(TokenError) as caught:
        visitors_of(tmp_path / "tokens")
    assert words in str(caught.value)
    assert ANNE not in str(caught.value)


def test_one_token_alone_allows_all(tmp_path: Path) -> None:
    private(tmp_path / "tokens", f"{ANNE}\n")
    (visitor,) = visitors_of(tmp_path / "tokens")
    assert visitor.submits


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    for name in ("tokens", "secret"):
        (tmp_path / name).write_text(FILE, "utf-8")
        (tmp_path / name).chmod(0o644)
    with pytest.raises(TokenError, match="can be read or written by others"):
        visitors_of(tmp_path / "tokens")
    with pytest.raises(SecretError, match="can be read or written by others"):
        kept_secret(tmp_path / "secret")


def test_a_kept_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    first = kept_secret(file)
    assert len(first) >= 32
    assert kept_secret(file) == first
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text("short", "utf-8")
    with pytest.raises(SecretError, match="a secret has at least 32 characters"):
        kept_secret(file)
    with pytest.raises(SecretError, match="cannot be made"):
        kept_secret(tmp_path / "absent" / "secret")


def test_a_cookie_ends_with_the_secret_the_token_and_the_month(
    visitors: tuple[Visitor, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    anne, bert = visitors
    door = Door(visitors, "s" * 32)
    cookie = door.cookie(bert)
    assert door.by_cookie(cookie) == bert
    assert BERT not in cookie
    assert Door(visitors, "s" * 32).by_cookie(cookie) == bert, "a kept secret keeps them signed in"
    assert Door(visitors, "t" * 32).by_cookie(cookie) is None
    assert Door(visitors).by_cookie(cookie) is None, "at each start another secret"
    assert Door([anne], "s" * 32).by_cookie(cookie) is None, "the token was taken away"
    for wrong in (cookie + "x", cookie[:-1], "", "é", BERT, door.cookie(anne)[:10] + cookie[10:]):
        assert door.by_cookie(wrong) is None
    monkeypatch.setattr(doors, "MONTH_S", -1)
    assert door.by_cookie(cookie) is None


def signed_in(client: FlaskClient, token: str) -> FlaskClient:
    answer = client.get(f"/?token={token}", base_url=HOME)
    assert answer.status_code == 303
    return client


def test_who_may_look_only_neither_sees_nor_reaches_what_submits(results: str, visitors: tuple[Visitor, ...]) -> None:
    options: dict[str, Any] = {"address": "http://127.0.0.1:1", "allow_submit": True}
    client = signed_in(client_of(results, Door(visitors), **options), BERT)
    assert client.get("/study/demo/maps", base_url=HOME).status_code == 200
    assert "Submit" not in client.get("/_dash-layout", base_url=HOME).get_data(as_text=True)
    for method, path in (
        ("GET", "/submit"), ("POST", "/submit/check"), ("POST", "/submit/start"), ("POST", "/submit/stop/x"),
        ("GET", "/submit/jobs"), ("GET", "/submit/log/x"), ("GET", "/submit/study/digits"),
    ):  # fmt: skip
        answer = client.open(path, method=method, base_url=HOME, json={} if method == "POST" else None)
        assert (answer.status_code, answer.get_data(as_text=True)) == (403, f"{ONLY_LOOKS}\n"), path
    client = signed_in(client_of(results, Door(visitors), **options), ANNE)
    assert client.get("/submit", base_url=HOME).status_code == 200
    assert "Submit" in client.get("/_dash-layout", base_url=HOME).get_data(as_text=True)


def test_guessing_is_answered_with_when_to_come_again(results: str) -> None:
    door = Door(only(ANNE))
    client = client_of(results, door)
    for number in range(MOST):
        assert client.get(f"/?token=guess-{number}", base_url=HOME).status_code == 401
    answer = client.get(f"/?token={ANNE}", base_url=HOME)
    assert answer.status_code == 429, "not even the right one is looked at"
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert client.post("/", data={"token": "x"}, base_url=HOME).status_code == 429
    elsewhere = client.get(f"/?token={ANNE}", base_url=HOME, environ_base={"REMOTE_ADDR": "10.0.0.9"})
    assert elsewhere.status_code == 303
    client.set_cookie(COOKIE, door.cookie(door.visitors[0]), domain="localhost")
    assert client.get("/", base_url=HOME).status_code == 200, "who is signed in stays so"
