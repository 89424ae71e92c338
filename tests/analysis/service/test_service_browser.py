"""The study service in a real browser: nothing fails, nothing comes from elsewhere, every page does its work."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from robustness import Study, load
from robustness.results import Store
from tests.support import synthetic_store
from tests.support.browser import find_chromium, open_browser  # noqa: F401
from tests.support.service_browser import SIZES, drawn, opened, pixel, until
from tests.support.service_demo import EVIL, address, results

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["address", "results"]

pytestmark = pytest.mark.browser
MAP = "document.querySelector('#figure-maps .plot')"
TITLES = f"{MAP}.layout.annotations.map((each) => each.text).join(' ')"


def cell(frame: pd.DataFrame, label: str = "adams") -> tuple[pd.DataFrame, float, float]:
    """Return the runs of one cell, its learning rate and weight decay."""
    own = frame[frame["optimizer"] == label]
    one = own[(own["weight_decay"] > 0) & (own["status"] == "completed")].iloc[100]
    lr, decay = float(one["lr"]), float(one["weight_decay"])
    return own[(own["lr"] == lr) & (own["weight_decay"] == decay)], lr, decay


@pytest.mark.parametrize(("size", "scheme"), [("wide", "light"), ("narrow", "dark")])
def test_from_the_list_to_every_page_of_a_study(browser: Any, address: str, size: str, scheme: str) -> None:
    with opened(browser, address, "/", size, scheme) as page:
        fits = lambda: page.evaluate("document.documentElement.scrollWidth") == SIZES[size][0]  # noqa: E731
        page.get_by_role("link", name="demo", exact=True).click()
        drawn(page, "maps", size)
        page.locator(".card").first.wait_for()
        assert fits()
        assert page.locator(".description").inner_text() == EVIL
        assert page.title() == "demo · robustness"
        page.get_by_role("link", name="Claims").click()
        page.locator("table.claims").wait_for()
        assert fits()
        page.get_by_role("link", name="Data", exact=True).click()
        page.locator("main table tbody tr").nth(20).wait_for()
        assert fits()
        page.get_by_role("link", name="Compare", exact=True).click()
        page.locator("h1", has_text="Compare").wait_for()
        assert fits()
        page.go_back()
        page.locator("main table tbody tr").nth(20).wait_for()
        page.get_by_role("link", name="Full report").click()
        page.wait_for_selector(f'html[data-drawn="{size}"]')


def test_the_first_screen_says_which_is_more_robust_and_where_the_best_cell_is(browser: Any, address: str) -> None:
    with opened(browser, address, "/study/demo") as page:
        drawn(page, "maps")
        answer = page.locator("#answer .answer")
        answer.wait_for()
        assert "more robust here" in answer.inner_text()
        cards = page.locator(".card")
        assert cards.count() == 3
        for n in range(3):
            assert "best cell" in cards.nth(n).inner_text()
            box = cards.nth(n).bounding_box()
            assert box["y"] + box["height"] <= SIZES["wide"][1]
        assert page.locator("#figure-maps").bounding_box()["y"] < SIZES["wide"][1] - 200
        cards.first.get_by_role("link").click()
        drawn(page, "curves")


def test_a_cell_is_hovered_clicked_walked_and_shared(browser: Any, address: str, results: Path) -> None:
    frame = load("demo", results).runs
    runs, lr, decay = cell(frame)
    with opened(browser, address, "/study/demo") as page:
        drawn(page, "maps")
        drawn(page, "cuts")
        page.mouse.move(*pixel(page, "adams", lr, decay))
        label = page.locator(".hoverlayer .hovertext")
        label.wait_for()
        assert f"test error {runs['test_error'].mean():.2f} ± {runs['test_error'].std():.2f} %" in label.text_content()
        until(page, "document.querySelector('#figure-cuts figcaption').textContent.includes('cell')")
        page.mouse.click(*pixel(page, "adams", lr, decay))
        drawn(page, "curves")
        rows = page.locator("#cell table tbody tr")
        shown = [rows.nth(n).locator("td").nth(1).inner_text() for n in range(rows.count())]
        assert shown == [f"{value:.4g}" for value in runs.sort_values("seed")["test_error"]]
        # Its settings, copied, ask for exactly these runs.
        page.locator("summary", has_text="study file").click()
        page.get_by_role("button", name="Copy").click()
        copied = Study.parse(page.evaluate("navigator.clipboard.readText()"))
        assert {run.run_id for run in copied.grid()} == set(runs["run_id"])
        link = page.url
        page.locator("#figure-maps").focus()
        page.keyboard.press("ArrowRight")
        until(page, "(before) => location.href !== before", link)
        page.go_back()
        until(page, "(before) => location.href === before", link)
    with opened(browser, address, link.removeprefix(address)) as page:
        page.locator("#cell h2", has_text="adams at learning rate").wait_for()
        drawn(page, "curves")


def test_the_cell_can_be_chosen_without_a_pointer(browser: Any, address: str) -> None:
    with opened(browser, address, "/study/demo") as page:
        drawn(page, "maps")
        page.locator('select[data-part="label"]').select_option("adamw")
        page.locator('[data-show="cell"]').focus()
        page.keyboard.press("Enter")
        page.locator("#cell h2", has_text="adamw at learning rate").wait_for()


def test_pickers_write_the_address_and_the_address_sets_them(browser: Any, address: str, results: Path) -> None:
    frame = load("demo", results).runs
    runs, lr, decay = cell(frame)
    with opened(browser, address, "/study/demo") as page:
        drawn(page, "maps")
        chosen = {"metric": "grad_norm", "seeds": "1", "decay": "given", "range": "full", "delta": "2"}
        for key, value in chosen.items():
            page.locator(f'select[data-key="{key}"]').select_option(value)
            until(page, "(pair) => location.search.includes(pair)", f"{key}={value}")
        until(page, f"{TITLES}.includes('gradient norm')")
        link = page.url
    with opened(browser, address, link.removeprefix(address)) as page:
        drawn(page, "maps")
        assert page.locator('select[data-key="metric"]').input_value() == "grad_norm"
        assert page.locator('select[data-key="seeds"]').input_value() == "1"
        page.locator('select[data-key="decay"]').select_option("common")
        until(page, "!location.search.includes('decay')")
        until(page, f"{MAP}.layout.yaxis.title.text.includes('common')")
        page.mouse.move(*pixel(page, "adams", lr, decay))
        label = page.locator(".hoverlayer .hovertext")
        label.wait_for()
        assert f"{runs.loc[runs['seed'] == 1, 'grad_norm'].iloc[0]:.3g}" in label.text_content()
        page.locator('select[data-key="surface"]').select_option("interpolated")
        until(page, f"{TITLES}.includes('interpolated')")


def test_the_difference_of_two_optimizers(browser: Any, address: str) -> None:
    with opened(browser, address, "/study/demo") as page:
        drawn(page, "difference")
        head = "document.querySelector('#figure-difference .plot').layout.annotations[0].text"
        assert "adam minus adamw" in page.evaluate(head)
        page.locator('select[data-key="against"]').select_option("adams")
        until(page, f"{head}.includes('adam minus adams<')")
        page.locator('select[data-key="metric"]').select_option("train_loss")
        page.get_by_text("differences are shown of errors only").wait_for()


def test_a_zoom_survives_new_runs_which_appear_by_themselves(browser: Any, address: str, results: Path) -> None:
    zoomed = f"{MAP}.layout.xaxis.range.map((each) => Math.round(each * 10) / 10)"
    with opened(browser, address, "/study/half") as page:
        drawn(page, "maps")
        whole = page.evaluate(zoomed)
        box = page.locator("#figure-maps .nsewdrag").first.bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 3)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 2 / 3, steps=5)
        page.mouse.up()
        until(page, f"(whole) => String({zoomed}) !== String(whole)", whole)
        chosen, before = page.evaluate(zoomed), page.evaluate(TITLES)
        assert whole[0] < chosen[0] < chosen[1] < whole[1]
        synthetic_store.store(results / "half", synthetic_store.of_study().iloc[600:], None)
        until(page, f"(before) => {TITLES} !== before", before)
        assert page.evaluate(zoomed) == chosen
        page.locator("#facts", has_text="complete").wait_for()


def test_the_cells_of_a_sweep_appear_while_it_runs(browser: Any, address: str, results: Path) -> None:
    from robustness.sweep.in_process import run_here

    text = """\
name: live
workload: {name: digits, epochs: 1}
optimizers: [adams, adamw]
space: {lr: [1.0e-3, 1.0e-2], weight_decay: [1.0e-4, 1.0e-2]}
seeds: 1
"""
    first = Study.parse(text)
    whole = Study.parse(text.replace("seeds: 1", "seeds: 3"))
    run_here(first, results=str(results))
    Store(results / "live").write_study(text.replace("seeds: 1", "seeds: 3"))
    with opened(browser, address, "/study/live") as page:
        drawn(page, "maps")
        page.locator("#facts", has_text="8 of 24 runs").wait_for()
        page.mouse.move(*pixel(page, "adams", 1e-2, 1e-4))
        label = page.locator(".hoverlayer .hovertext")
        label.wait_for()
        assert "1 seed" in (label.text_content() or "")
        sweep = threading.Thread(target=run_here, args=(whole,), kwargs={"results": str(results)})
        sweep.start()
        page.locator("#facts", has_text="24 of 24 runs").wait_for()
        sweep.join()
        frame = load("live", results).runs
        said = f"{MAP}.data.flatMap((each) => each.customdata ?? []).flat().map((each) => each.join('|'))"
        until(page, f"{said}.every((each) => each.includes('3 seeds'))")
        # The pointer has not moved.
        until(page, "document.querySelector('.hoverlayer .hovertext')?.textContent.includes('3 seeds')")
        seen = page.evaluate(said)
        means = frame.groupby(["optimizer", "lr", "weight_decay"])["test_error"].mean()
        assert len(means) == len(seen) == 8
        shown = [each.split("test error ")[1].split(" ")[0] for each in seen]
        assert sorted(shown) == sorted(f"{mean:.2f}" for mean in means)


def test_what_is_downloaded_is_what_is_stored(browser: Any, address: str, results: Path) -> None:
    frame = load("demo", results).runs
    with opened(browser, address, "/study/demo/data?where=optimizer%3Dadamw&where=test_error%3C5") as page:
        wanted = frame[(frame["optimizer"] == "adamw") & (frame["test_error"] < 5)]
        assert 20 < len(wanted) < 400
        for kind, read in (("Parquet", pd.read_parquet), ("CSV", pd.read_csv)):
            with page.expect_download() as waiting:
                page.get_by_role("link", name=kind).first.click()
            got = read(io.BytesIO(waiting.value.path().read_bytes()))
            both = [each.sort_values("run_id") for each in (got, wanted)]
            assert list(both[0]["run_id"]) == list(both[1]["run_id"])
            np.testing.assert_array_equal(both[0]["test_error"], both[1]["test_error"])


def test_a_claim_leads_to_its_figure(browser: Any, address: str) -> None:
    with opened(browser, address, "/study/demo/claims") as page:
        page.locator("table.claims").wait_for()
        drawn(page, "forest")
        page.locator("table.claims a").first.click()
        until(page, "location.search.includes('figure=')")
        page.locator("figure[data-drawn]").nth(1).wait_for()


def test_studies_are_compared(browser: Any, address: str) -> None:
    with opened(browser, address, "/compare?study=demo&study=half") as page:
        drawn(page, "performance")
        assert page.locator("main table").first.inner_text().count("adams") >= 2


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_a_study_without_runs_and_one_with_a_single_run_say_so(browser: Any, address: str, size: str) -> None:
    with opened(browser, address, "/study/none", size) as page:
        page.get_by_text("No run of this study is stored yet").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") == SIZES[size][0]
    with opened(browser, address, "/study/single", size) as page:
        drawn(page, "maps", size)
        page.locator("#facts", has_text="1 of 1 296 runs").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") == SIZES[size][0]


def test_a_window_that_becomes_narrow_is_laid_out_again(browser: Any, address: str) -> None:
    with opened(browser, address, "/study/demo") as page:
        drawn(page, "maps")
        page.set_viewport_size({"width": 390, "height": 844})
        drawn(page, "maps", "narrow")
        until(page, "document.documentElement.scrollWidth === 390")


def test_the_theme_is_turned_and_remembered(browser: Any, address: str) -> None:
    with opened(browser, address, "/study/demo") as page:
        drawn(page, "maps")
        page.get_by_role("button", name="Dark theme").click()
        assert page.evaluate(f"{MAP}.layout.font.color") == "#e4e9ef"
        page.reload()
        drawn(page, "maps")
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        assert page.evaluate(f"{MAP}.layout.font.color") == "#e4e9ef"
