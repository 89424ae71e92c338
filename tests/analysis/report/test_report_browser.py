"""The report in a real browser: nothing fails, nothing is fetched, and the pointer tells the truth."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from analysis.formats import number
from analysis.report import report
from tests.support import synthetic_store
from tests.support.browser import find_chromium, open_browser  # noqa: F401
from tests.support.report_browser import PIXEL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

pytestmark = pytest.mark.browser
SIZES = {"wide": (1280, 900), "narrow": (390, 844)}


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    table = synthetic_store.of_study(diverges=15.0)
    lost = (table["optimizer"] == "adams") & (table["lr"] == 1e-4) & (table["seed"] == 0)
    table.loc[lost, "status"] = "diverged"
    table.loc[lost, ["test_error", "validation_error"]] = 90.0
    return table


@pytest.fixture(scope="module")
def page_path(tmp_path_factory: pytest.TempPathFactory, runs: pd.DataFrame) -> Path:
    return report.write_report(synthetic_store.store(tmp_path_factory.mktemp("store") / "demo", runs))


@contextmanager
def opened(browser: Any, path: Path, size: str = "wide", scheme: str = "light") -> Iterator[Any]:
    """Open the report; on leaving, nothing may have been logged, thrown or fetched."""
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(f"console {message.type}: {message.text}"))
    page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector(f'html[data-drawn="{size}"]')
    yield page
    context.close()
    assert trouble == []
    assert {url for url in requests if not url.startswith(("data:", "blob:"))} == {path.as_uri()}


def hover(page: Any, trace: int, column: int, row: int) -> str:
    """Return the text of the hover label over a cell of the basins."""
    page.locator("#basins").scroll_into_view_if_needed()
    page.evaluate("document.getElementById('basins').scrollIntoView({block: 'center'})")
    x, y = page.evaluate(PIXEL, ["basins", trace, column, row])
    page.mouse.move(x - 3, y - 3)
    page.mouse.move(x, y)
    label = page.locator("#basins .hoverlayer .hovertext")
    label.wait_for()
    # Lines of an SVG text are elements of their own.
    return str(label.evaluate("e => [...e.querySelectorAll('text')].map(t => [...t.querySelectorAll('tspan.line')]"
                              ".map(l => l.textContent).join('\\n') || t.textContent).join('\\n')"))  # fmt: skip


def heatmaps(page: Any) -> list[dict[str, Any]]:
    return list(
        page.evaluate(
            "document.getElementById('basins')._fullData"
            ".map((t, i) => ({i, type: t.type, name: t.name, rows: t.y.length - 1}))"
            ".filter((t) => t.type === 'heatmap')"
        )
    )


def test_three_maps_are_drawn(browser: Any, page_path: Path) -> None:
    with opened(browser, page_path) as page:
        maps = [t for t in heatmaps(page) if t["rows"] > 1]
        assert [t["name"] for t in maps] == ["adam", "adamw", "adams"]
        drawn = page.locator("#basins .heatmaplayer image")
        assert drawn.count() == 6
        sizes = [drawn.nth(i).bounding_box() for i in range(6)]
        assert sum(box["width"] > 250 and box["height"] > 250 for box in sizes) == 3
        assert page.locator(".figure .main-svg").count() >= 4


@pytest.mark.parametrize("size", ["wide", "narrow"])
@pytest.mark.parametrize("cell", [("adamw", 4, 5), ("adams", 0, 3), ("adam", 2, -1)])
def test_pointer_over_a_known_cell(
    browser: Any, page_path: Path, runs: pd.DataFrame, cell: tuple[str, int, int], size: str
) -> None:
    # A row of -1 is the strip of weight decay 0.
    optimizer, column, row = cell
    rates, decays = np.unique(runs["lr"]), np.unique(runs["weight_decay"])
    own = runs[runs["optimizer"] == optimizer]
    seeds = own[(own["lr"] == rates[column]) & (own["weight_decay"] == decays[row + 1])]
    assert len(seeds) == 3
    with opened(browser, page_path, size) as page:
        maps = [t for t in heatmaps(page) if t["name"] == optimizer]
        said = hover(page, maps[int(row < 0)]["i"], column, max(row, 0))
    lost = int((seeds["status"] == "diverged").sum())
    native = decays[row + 1] * (1000 if optimizer == "adamw" else 1)
    for words in (
        optimizer,
        f"learning rate {number(rates[column])}",
        f"weight decay {number(decays[row + 1])}",
        f"given to the optimizer {number(native)}",
        f"test error {seeds['test_error'].mean():.2f} ± {seeds['test_error'].std():.2f} %",
        "3 seeds" + (f", {lost} diverged" if lost else ""),
    ):
        assert words in said.split("\n"), said


@pytest.mark.parametrize("size", ["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_fits_and_follows_the_color_scheme(browser: Any, page_path: Path, size: str, scheme: str) -> None:
    with opened(browser, page_path, size, scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == SIZES[size][0]
        ink = "document.getElementById('slices').layout.font.color"
        first = page.evaluate(ink)
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
        page.locator("#theme").click()
        page.wait_for_function(f"{ink} !== '{first}'")
        assert page.evaluate("document.documentElement.dataset.theme") != scheme
        page.reload()
        page.wait_for_selector("html[data-drawn]")
        assert page.evaluate("document.documentElement.dataset.theme") != scheme, "the choice is remembered"
        page.locator("#theme").click()


def test_no_text_of_a_figure_is_cut_off(browser: Any, page_path: Path) -> None:
    outside = """() => [...document.querySelectorAll('.figure')].flatMap((figure) => {
      const box = figure.getBoundingClientRect();
      return [...figure.querySelectorAll('text')].filter((t) => t.textContent.trim()).filter((t) => {
        const own = t.getBoundingClientRect();
        return own.width && (own.left < box.left - 1 || own.right > box.right + 1 || own.top < box.top - 1
                             || own.bottom > box.bottom + 1);
      }).map((t) => `${figure.id}: ${t.textContent}`);
    })"""
    for size in SIZES:
        with opened(browser, page_path, size) as page:
            assert page.evaluate(outside) == []


def test_no_button_leads_to_a_cloud(browser: Any, page_path: Path) -> None:
    with opened(browser, page_path) as page:
        page.locator("#basins").hover()
        buttons = page.locator("#basins .modebar-btn")
        titles = [buttons.nth(i).get_attribute("data-title") for i in range(buttons.count())]
        assert len(titles) == 3
        assert not [t for t in titles if re.search("cloud|share|plotly|studio", str(t), re.IGNORECASE)]


def test_window_that_becomes_narrow_is_laid_out_again(browser: Any, page_path: Path) -> None:
    with opened(browser, page_path) as page:
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_selector('html[data-drawn="narrow"]')
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.evaluate("document.getElementById('basins')._fullLayout.xaxis2.domain") == [0, 1]


def test_report_without_runs_opens_clean(browser: Any, tmp_path: Path, runs: pd.DataFrame) -> None:
    path = report.write_report(synthetic_store.store(tmp_path / "none", runs.iloc[:0]))
    with opened(browser, path) as page:
        assert "No run of this study is stored yet" in page.inner_text("body")
