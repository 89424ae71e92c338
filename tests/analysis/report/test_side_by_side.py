"""Studies side by side: the numbers are those of each study, and the page stands alone."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from analysis.contents.side_by_side import costs, labels, looks, scored
from analysis.landscapes.sampled import samples
from analysis.report import report, side_by_side
from analysis.statistics.performance_profile import score
from robustness.optimizers import OPTIMIZERS
from robustness.results import Store
from robustness.study.run import stored_options
from tests.support import synthetic, synthetic_store
from tests.support.browser import FLAGS, find_chromium  # noqa: F401
from tests.support.synthetic import Basin

if TYPE_CHECKING:
    from pathlib import Path

BOX = 3.5 * 12 / 11 * 4 * 11 / 10
"""Decades^2 of the default study: 12 columns of 3.5 / 11 decades, 11 rows of 4 / 10."""
WIDE = {"adam": Basin(3.0, -2.4, -3.0, 0.5, 0.7), "adamw": Basin(2.0, -2.4, -3.0, 0.7, 0.9)}


def store(root: Path, name: str, basins: dict[str, Basin] | None = None, **options: Any) -> Path:
    runs = synthetic_store.of_study(**options)
    text: str | None = synthetic_store.STUDY.replace("name: demo", f"name: {name}")
    if basins:
        runs = synthetic.runs(basins, **options)
        # The same optimizers as the study's, by what they are.
        defaults = {name: stored_options(OPTIMIZERS[name](name=name)) for name in basins}
        runs["optimizer_options"] = runs["optimizer"].map(defaults)
        text = None
    return synthetic_store.store(root / name, runs, text)


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("studies")
    return [store(folder, "first"), store(folder, "second", WIDE, noise=0.0)]


def lines(text: str, start: str) -> list[list[str]]:
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines() if line.startswith(start)]


@pytest.mark.slow
def test_measures_are_those_of_the_paraboloids(roots: list[Path]) -> None:
    second = side_by_side.read(roots)[1]
    assert [row.label for row in second.rows] == ["adam", "adamw"]
    for row, basin in zip(second.rows, WIDE.values(), strict=True):
        grid = basin.error(*np.meshgrid(np.array(synthetic.LR), np.array(synthetic.WEIGHT_DECAY[1:])))
        assert row.depth == pytest.approx(grid.min(), abs=1e-9)
        assert row.share == pytest.approx((grid <= grid.min() + 1).mean(), rel=1e-4)
        assert row.seeds == (3, 3)
        assert row.unbiased
    deep = WIDE["adamw"].error(*np.meshgrid(np.array(synthetic.LR), np.array(synthetic.WEIGHT_DECAY[1:]))).min()
    adam = WIDE["adam"].error(*np.meshgrid(np.array(synthetic.LR), np.array(synthetic.WEIGHT_DECAY[1:])))
    assert second.rows[0].share_of_all == pytest.approx((adam <= deep + 1).mean(), rel=1e-4, abs=1e-12)
    assert second.rows[1].share_of_all == pytest.approx(second.rows[1].share)


@pytest.mark.slow
def test_text_lays_studies_side_by_side_and_scores_them(roots: list[Path]) -> None:
    said = side_by_side.comparison_text(side_by_side.read(roots))
    compared = side_by_side.read(roots)
    found = lines(said, "first") + lines(said, "second")
    assert [row[2] for row in found] == ["adam", "adamw", "adams", "adam", "adamw"]
    for cells, row in zip(found, [row for one in compared for row in one.rows], strict=True):
        assert cells[3] == f"{row.depth:.2f}"
        assert cells[-1] == "3"
    tables = costs(compared, 1.0)
    scored = {row[0]: row[1:] for row in lines(said.split("Performance profiles")[1], "adam")}
    for i, label in enumerate(labels(compared)):
        assert scored[label] == [f"{score(table)[i]:.3f}" for table in tables.values()]
    # adams is in the first study alone: the second says nothing of it, and is not scored.
    assert labels(compared) == ["adam", "adamw", "adams"]
    assert "over 1 workload that all of the optimizers ran" in said
    assert "Not scored: second, which adams did not run." in said


def test_optimizers_are_matched_by_what_they_are(roots: list[Path], tmp_path: Path) -> None:
    text = synthetic_store.STUDY.replace("name: demo", "name: third").replace(
        "optimizers: [adam, adamw, adams]",
        "optimizers: [{name: adams, label: AdamS}, {name: adam, label: adamw}, {name: adamw, label: Decoupled}]",
    )
    assert "AdamS" in text
    runs = synthetic_store.of_study(text, noise=0.0)
    compared = side_by_side.read([roots[0], synthetic_store.store(tmp_path / "third", runs, text)])
    assert labels(compared) == ["adam", "adamw", "adams"], "under the labels of where they came first"
    depth, *_ = costs(compared, 1.0).values()
    assert depth.shape == (2, 3)
    third = {row.identity[0]: row.depth for row in compared[1].rows}
    assert depth[1].tolist() == [third["adam"], third["adamw"], third["adams"]]
    alone = side_by_side.read([tmp_path / "third"])
    assert dict(zip(labels(compared), looks(compared), strict=True)) == {"adams": 0, "adamw": 1, "adam": 2}
    assert dict(zip(labels(alone), looks(alone), strict=True)) == {"AdamS": 0, "Decoupled": 1, "adamw": 2}


def test_one_label_for_two_optimizers_is_told_apart_and_nothing_in_common_is_not_scored(
    roots: list[Path], tmp_path: Path
) -> None:
    text = "name: other\nworkload: digits\noptimizers: [{name: adams, label: adam}]\n"
    text += "space: {lr: [0.001, 0.01], weight_decay: [0.001, 0.01]}\nseeds: 1\n"
    other = synthetic_store.store(tmp_path / "other", synthetic_store.of_study(text), text)
    compared = side_by_side.read([store(tmp_path, "second", WIDE), other])
    assert labels(compared) == ["adam", "adamw", "adam (other)"]
    assert scored(compared) == []
    said = side_by_side.comparison_text(compared)
    assert said.endswith("There is no score: no workload was run by all of adam, adamw and adam (other).")
    page = report.write_comparison(compared, tmp_path / "compare.html").read_text()
    assert "no workload was run by all of adam, adamw and adam (other)" in page
    assert '"performance"' not in page


@pytest.mark.slow
def test_costs_are_the_error_and_inverse_shares(roots: list[Path]) -> None:
    compared = side_by_side.read(roots)
    depth, own, best = costs(compared, 1.0).values()
    assert depth.shape == own.shape == best.shape == (1, 3)
    assert depth[0].tolist() == [row.depth for row in compared[0].rows]
    np.testing.assert_allclose(1 / own[0], [row.share for row in compared[0].rows])
    np.testing.assert_allclose(1 / best[0], [row.share_of_all for row in compared[0].rows])


@pytest.mark.slow
def test_a_single_study_the_same_twice_and_an_empty_one(roots: list[Path], tmp_path: Path) -> None:
    assert "over 1 workload that all of the optimizers ran:" in side_by_side.comparison_text(
        side_by_side.read(roots[:1])
    )
    twice = side_by_side.read([roots[0], roots[0]])
    assert [one.name for one in twice] == ["first", "first (2)"]
    assert [row.depth for row in twice[0].rows] == [row.depth for row in twice[1].rows]
    Store(tmp_path / "empty").write_study(synthetic_store.STUDY.replace("demo", "empty"))
    assert "empty: no run is stored yet" in side_by_side.comparison_text(
        side_by_side.read([roots[0], tmp_path / "empty"])
    )
    assert (
        "empty" in report.write_comparison(side_by_side.read([tmp_path / "empty"]), tmp_path / "out.html").read_text()
    )


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_sampled_studies_give_areas_only_where_cells_are_uniform(tmp_path: Path, sampler: str) -> None:
    runs = synthetic.sampled(60).assign(sampler=sampler)
    root = synthetic_store.store(tmp_path / "sampled", runs, None)
    (one,) = side_by_side.read([root])
    cells = samples(runs)
    for row in one.rows:
        own = cells[cells["label"] == row.label]["mean"]
        if sampler == "tpe":
            assert np.isnan(row.share)
        else:
            assert row.share == pytest.approx((own <= row.depth + 1.0).mean())
        assert np.isfinite(row.depth)
    assert (
        "basin of own (0 workloads)" in side_by_side.comparison_text(side_by_side.read([root])) or sampler == "random"
    )


@pytest.mark.slow
def test_the_page_holds_everything_and_escapes_what_comes_from_outside(roots: list[Path], tmp_path: Path) -> None:
    page = report.write_comparison(side_by_side.read(roots), tmp_path / "deep" / "compare.html").read_text()
    payload = json.loads(re.search(r'id="payload">(.*?)</script>', page, re.DOTALL).group(1))  # type: ignore[union-attr]
    assert list(payload["figures"]) == ["performance", "study-1", "study-2"]
    assert not re.findall(r'(?:src|href)="(?!data:)', page.split("<script>")[0])
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["compare.html"]
    for row in [row for one in side_by_side.read(roots) for row in one.rows]:
        assert f"<td>{row.depth:.2f}</td>" in page
    runs = synthetic.runs({"x": Basin()}, seeds=2).assign(optimizer="<b>x</b>")
    shown = report.write_comparison(
        side_by_side.read([synthetic_store.store(tmp_path / "odd", runs, None)]), tmp_path / "odd.html"
    ).read_text()
    assert "<b>x</b>" not in shown
    assert "&lt;b&gt;x&lt;/b&gt;" in shown


@pytest.mark.browser
@pytest.mark.parametrize(("size", "width"), [("wide", 1280), ("narrow", 390)])
def test_the_page_draws_in_a_browser(chromium: str, roots: list[Path], tmp_path: Path, size: str, width: int) -> None:
    from playwright.sync_api import sync_playwright

    path = report.write_comparison(side_by_side.read(roots), tmp_path / "compare.html")
    trouble: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("request", lambda request: trouble.append(request.url) if request.url.startswith("http") else None)
        page.goto(path.as_uri())
        page.wait_for_selector(f'html[data-drawn="{size}"]', state="attached")
        assert page.locator("#performance .scatterlayer .trace").count() == 9
        assert page.locator("#study-1 .heatmaplayer image").count() == 6
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        browser.close()
    assert trouble == []
