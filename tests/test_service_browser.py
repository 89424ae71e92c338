"""The study service in a real browser: nothing fails, nothing comes from elsewhere, a zoom survives new runs."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.serving import make_server

from analysis.service import make, study
from tests import synthetic_store
from tests.browser import find_chromium, open_browser  # noqa: F401

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.browser
SIZES = {"wide": (1280, 900), "narrow": (390, 844)}
MAP = ".wide .js-plotly-plot"
TITLES = f"[...document.querySelector('{MAP}').layout.annotations].map((each) => each.text).join(' ')"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("results")
    runs = synthetic_store.of_study()
    text = synthetic_store.STUDY.replace("Synthetic basins.", "<b>bold</b><img src=x onerror=alert(1)>")
    synthetic_store.store(root / "demo", runs.iloc[:600], text)
    synthetic_store.store(root / "none", runs.iloc[:0], text.replace("name: demo", "name: none"))
    return root


@pytest.fixture(scope="module")
def address(results: Path) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "EVERY_MS", 1000)
        # The port is in the host check, so it must be known before the application is made.
        server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True)
        server.app = make(str(results), server.server_port).server
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def opened(browser: Any, address: str, path: str, size: str = "wide") -> Iterator[Any]:
    """Open a page; on leaving, nothing may have been logged, thrown, or asked of another host."""
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(f"console {message.type}: {message.text}"))
    page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(address + path)
    yield page
    context.close()
    assert trouble == []
    assert [url for url in requests if not url.startswith((f"{address}/", "data:", "blob:"))] == []


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_from_the_list_to_a_study_to_its_report(browser: Any, address: str, size: str) -> None:
    with opened(browser, address, "/", size) as page:
        page.get_by_role("link", name="demo").click()
        page.locator(f".{size} .heatmaplayer image").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") == SIZES[size][0]
        assert page.locator(".description").inner_text() == "<b>bold</b><img src=x onerror=alert(1)>"
        page.get_by_role("link", name="Full report").click()
        page.wait_for_selector(f'html[data-drawn="{size}"]')
        assert page.locator("h1").inner_text() == "demo"


def test_a_zoom_survives_new_runs(browser: Any, address: str, results: Path) -> None:
    zoomed = f"document.querySelector('{MAP}').layout.xaxis.range.map((each) => Math.round(each * 10) / 10)"
    with opened(browser, address, "/study/demo") as page:
        page.locator(f"{MAP} .heatmaplayer image").first.wait_for()
        assert "adams" in page.evaluate(TITLES)
        whole = page.evaluate(zoomed)
        box = page.locator(f"{MAP} .nsewdrag").first.bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 3)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 2 / 3, steps=5)
        page.mouse.up()
        page.wait_for_function(f"(whole) => String({zoomed}) !== String(whole)", arg=whole)
        chosen, before = page.evaluate(zoomed), page.evaluate(TITLES)
        assert whole[0] < chosen[0] < chosen[1] < whole[1]
        synthetic_store.store(results / "demo", synthetic_store.of_study().iloc[600:], None)
        page.wait_for_function(f"(before) => {TITLES} !== before", arg=before)
        assert page.evaluate(zoomed) == chosen
        page.get_by_text("complete, last run").wait_for()


def test_a_window_that_becomes_narrow_is_laid_out_again(browser: Any, address: str) -> None:
    with opened(browser, address, "/study/demo") as page:
        page.locator(".wide .heatmaplayer image").first.wait_for()
        page.set_viewport_size({"width": 390, "height": 844})
        page.locator(".narrow .heatmaplayer image").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert not page.locator(".wide").is_visible()


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_a_study_without_runs_says_so(browser: Any, address: str, size: str) -> None:
    with opened(browser, address, "/study/none", size) as page:
        page.get_by_text("Nothing is drawn: no run with a result is stored yet.").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") == SIZES[size][0]
