"""Pages that follow a sweep by themselves, in a real browser: what is read, zoomed or in focus stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support import synthetic_store
from tests.support.browser import find_chromium, open_browser  # noqa: F401
from tests.support.service_browser import drawn, opened, until
from tests.support.service_process import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.browser
TEXT = synthetic_store.STUDY.replace("points: 12", "points: 6").replace("points: 11", "points: 5")
KINDS = ("compare", "claims", "data")
RUNS = 324


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("results")
    runs = synthetic_store.of_study(TEXT)
    for kind in KINDS:
        synthetic_store.store(root / kind, runs.iloc[:200], TEXT.replace("name: demo", f"name: {kind}"), parts=1)
    return root


@pytest.fixture(scope="module")
def address(results: Path) -> Iterator[str]:
    with served(results) as (_process, said, _port):
        yield said.rpartition(" ")[2].strip()


def zoom(page: Any, place: str) -> None:
    """Drag over a part of a figure's first panel."""
    page.locator(f"{place} .plot").scroll_into_view_if_needed()
    box = page.locator(f"{place} .nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 2 / 3, steps=5)
    page.mouse.up()


@pytest.mark.parametrize(
    "where",
    [
        ("compare", "/compare?study=compare", "compare-digits"),
        ("claims", "/study/claims/claims?figure=basins", "shown"),
        ("data", "/study/data/data?where=seed=1", ""),
    ],
)
def test_runs_that_come_in_move_nothing(browser: Any, address: str, results: Path, where: tuple[str, str, str]) -> None:
    kind, path, name = where
    first = f"document.querySelector('#figure-{name} .plot')"
    stamp, span = f"{first}.parentElement.dataset.stamp", f"String({first}.layout.xaxis.range)"
    with opened(browser, address, path) as page:
        if name:
            drawn(page, name)
            whole = page.evaluate(span)
            zoom(page, f"#figure-{name}")
            until(page, f"(whole) => {span} !== whole", whole)
            before, zoomed = page.evaluate(stamp), page.evaluate(span)
        else:
            page.get_by_text("of 200 runs").wait_for()
        page.locator(f"#{kind}-body a").last.focus()
        page.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
        had = page.evaluate("[scrollY, document.activeElement.href]")
        assert had[0] > 0
        page.evaluate("(id) => dash_clientside.set_props(id, { interval: 200 })", f"{kind}-tick")
        synthetic_store.store(results / kind, synthetic_store.of_study(TEXT).iloc[200:], None, parts=1)
        if name:
            until(page, f"(before) => {stamp} !== before", before)
            until(page, f"!{first}.parentElement.classList.contains('waiting')")
            page.wait_for_timeout(500)
            assert page.evaluate(span) == zoomed
        else:
            page.get_by_text(f"of {RUNS} runs").wait_for()
        assert page.evaluate("[scrollY, document.activeElement.href]") == had
