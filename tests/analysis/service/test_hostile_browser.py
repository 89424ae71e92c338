"""Markup in every text that a study brings: a real browser shows it as text, and runs none of it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.support import synthetic_store
from tests.support.browser import find_chromium, open_browser  # noqa: F401
from tests.support.noted import noted
from tests.support.service_browser import drawn, opened
from tests.support.service_process import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.browser
EVIL = "<img src=x onerror=alert(1)>"
LINK = "<a href='javascript:alert(2)'>b</a>"
REASON = "</script><script>alert(3)</script><b>reason</b>"
TEXT = (
    synthetic_store.STUDY.replace("points: 12", "points: 6")
    .replace("points: 11", "points: 5")
    .replace("Synthetic basins.", json.dumps(EVIL + REASON))
    .replace("[adam, adamw, ", f'[{{name: adam, label: "{EVIL}"}}, {{name: adamw, label: "{LINK}"}}, ')
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root: Path = tmp_path_factory.mktemp("results")
    runs = synthetic_store.of_study(TEXT)
    failed = runs.index[::7]
    runs.loc[failed, "status"] = "failed"
    runs.loc[failed, "reason"] = REASON
    runs["host"] = EVIL
    synthetic_store.store(root / "demo", runs, TEXT)
    synthetic_store.store(root / "odd", runs, f"name: {EVIL}\n{json.dumps(EVIL)}: [")
    with served(root) as (_process, said, _port):
        yield said.rpartition(" ")[2].strip()


@contextmanager
def quiet(browser: Any, address: str, path: str) -> Iterator[Any]:
    """Open a page in which nothing may be run, and no text may have become an element."""
    dialogs: list[str] = []
    with opened(browser, address, path) as page:
        page.on("dialog", lambda dialog: noted(dialogs, dialog.message, dialog.dismiss()))
        yield page
        page.wait_for_timeout(200)
        made = "document.querySelectorAll('[onerror], img[src=x], [href^=javascript], main b, svg b').length"
        assert page.evaluate(made) == 0
    assert dialogs == []


def test_the_list_shows_it_as_text(browser: Any, address: str) -> None:
    with quiet(browser, address, "/") as page:
        row = page.locator("main table tbody tr", has_text="demo")
        row.wait_for()
        assert EVIL in row.inner_text()
        assert LINK in row.inner_text()
        page.locator("main table tbody tr", has_text="odd").wait_for()


def test_maps_cells_cuts_and_differences_show_it_as_text(browser: Any, address: str) -> None:
    with quiet(browser, address, "/study/demo") as page:
        for name in ("maps", "cuts", "difference"):
            drawn(page, name)
        page.locator(".card", has_text=EVIL).wait_for()
        assert page.locator(".description").inner_text() == EVIL + REASON
        titles = page.locator("#figure-maps svg text").all_text_contents()
        assert any(EVIL in each for each in titles)
        page.locator('select[data-part="label"]').select_option(EVIL)
        page.locator('[data-show="cell"]').click()
        page.locator("#cell h2", has_text=EVIL).wait_for()
        page.locator("#cell", has_text=REASON).wait_for()
        drawn(page, "curves")
        page.locator("#figure-maps").hover()


@pytest.mark.parametrize("path", ["/study/demo/claims", "/study/demo/data?where=status%3Dfailed"])
def test_claims_and_runs_show_it_as_text(browser: Any, address: str, path: str) -> None:
    with quiet(browser, address, path) as page:
        page.locator("main table tbody tr").nth(2).wait_for()
        if "claims" in path:
            drawn(page, "forest")
        assert page.locator("main", has_text=REASON if "data" in path else EVIL).count()


def test_the_comparison_and_the_report_show_it_as_text(browser: Any, address: str) -> None:
    with quiet(browser, address, "/compare?study=demo&study=odd") as page:
        drawn(page, "performance")
        assert EVIL in page.locator("main").inner_text()
    with quiet(browser, address, "/study/demo/report") as page:
        page.wait_for_selector('html[data-drawn="wide"]')
        assert EVIL in page.locator("body").inner_text()


@pytest.mark.parametrize("path", ["/", "/study/demo", "/study/demo/claims", "/study/demo/data", "/compare"])
def test_an_address_shows_it_as_text(browser: Any, address: str, path: str) -> None:
    keys = ("q", "sort", "workload", "metric", "cell", "of", "where", "study", "figure", "columns")
    values = (EVIL, "javascript:alert(4)", "'\"><script>alert(5)</script>")
    query = "&".join(f"{key}={quote(value)}" for key in keys for value in values)
    with quiet(browser, address, f"{path}?{query}") as page:
        page.locator("main h1").wait_for()
