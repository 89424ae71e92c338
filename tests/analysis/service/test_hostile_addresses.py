"""Addresses and origins made to lead a visitor elsewhere, or another page in."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from analysis.service.app import make
from analysis.service.visitors.door import Door
from analysis.service.visitors.visitor import only
from analysis.service.web.guard import Guard
from tests.support.service_pages import HOME

if TYPE_CHECKING:
    from pathlib import Path


TOKEN = "a-token-of-some-length"


@pytest.mark.parametrize(
    "path",
    ["//evil.example/", "/\t/evil.example", "/\\evil.example", "\\\\evil.example", "/.//evil.example", "/\r\nX-Evil:1",
     "/assets/\r\nX-Evil:1", "///evil.example/study/demo", "/study//evil.example", "/study/\r", "/study/demo\n"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_signing_in_leads_to_no_other_host(tmp_path: Path, path: str, method: str) -> None:
    client = make(str(tmp_path), Guard("0.0.0.0", Door(only(TOKEN)))).server.test_client()
    given = {"data": {"token": TOKEN}} if method == "POST" else {"query_string": {"token": TOKEN}}
    answer = client.open("/", method=method, base_url=HOME, environ_overrides={"PATH_INFO": path}, **given)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/"
    assert "X-Evil" not in answer.headers


def test_signing_in_leads_back_to_the_page_that_was_asked_for(tmp_path: Path) -> None:
    for path in ("/", "/compare", "/submit", "/study/demo", "/study/demo/claims"):
        client = make(str(tmp_path), Guard("0.0.0.0", Door(only(TOKEN)))).server.test_client()
        answer = client.get(f"{path}?token={TOKEN}&cell=%2F%2Fevil.example%0d%0a", base_url=HOME)
        to = urlsplit(answer.headers["Location"])
        assert (to.netloc, to.path, to.query) == ("", path, "cell=%2F%2Fevil.example%0D%0A")


@pytest.mark.parametrize(
    "origin",
    ["http://[", "http://[::1", "", "http://localhost:8050@evil.example", "localhost:8050", "http://user@localhost:8050",
     "javascript://localhost:8050", "http://localhost:8050, http://evil.example"],
)  # fmt: skip
def test_an_origin_that_is_no_address_is_refused(tmp_path: Path, origin: str) -> None:
    client = make(str(tmp_path)).server.test_client()
    answer = client.get("/", base_url=HOME, headers={"Origin": origin})
    assert answer.status_code == 403
