"""Studies on several workloads: each is measured by itself, and all are shown together."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from analysis.contents.by_workload import by_workload, slugs
from analysis.contents.gather import gather, gather_all
from analysis.figures import files
from analysis.report import report, side_by_side
from robustness.cli import main
from robustness.results import Store
from robustness.study import Study
from robustness.study.file import write
from tests.support import synthetic, synthetic_grid
from tests.support.browser import FLAGS, find_chromium  # noqa: F401
from tests.support.noted import noted
from tests.support.synthetic_grid import HARDER, SEVERAL

if TYPE_CHECKING:
    from pathlib import Path

TITLES = ["digits", "digits wide"]


@pytest.fixture(name="root", scope="module")
def make_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_grid.store(tmp_path_factory.mktemp("results") / "both", SEVERAL)


@pytest.fixture(name="page", scope="module")
def make_page(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report.write_report(root, tmp_path_factory.mktemp("page") / "report.html")


def payload(page: Path) -> dict[str, Any]:
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="payload">(.*?)</script>', text, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


# Taken apart


@pytest.mark.slow
def test_each_workload_has_the_numbers_of_its_own_study(root: Path, tmp_path: Path) -> None:
    found = gather_all(Store(root))
    assert [one.workload for one in found] == TITLES
    for one, study in zip(found, Study.parse(SEVERAL).parts, strict=True):
        runs = synthetic_grid.of_grid(SEVERAL)
        own = runs[runs["run_id"].isin({run.run_id for run in study.grid()})]
        alone = gather(Store(synthetic_grid.store(tmp_path / one.workload, write(study), own)))
        assert one.results == one.asked == alone.results == len(own)
        assert [s.label for s in one.summaries] == [s.label for s in alone.summaries]
        assert [s.share for s in one.summaries] == [s.share for s in alone.summaries]
        assert {v.claim: v.why for v in one.verdicts} == {v.claim: v.why for v in alone.verdicts}
        assert set(one.curves["run_id"]) == set(alone.curves["run_id"])
    depths = [one.seeds.depth("adams") for one in found if one.seeds]
    assert depths[1] - depths[0] == pytest.approx(HARDER, abs=0.5)
    assert {verdict.workload for verdict in found[1].verdicts} == {"digits wide"}


@pytest.mark.slow
def test_tables_are_read_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    for name in ("runs", "curves"):
        plain = getattr(Store, name)
        monkeypatch.setattr(Store, name, lambda *given, _n=name, _p=plain: noted(reads, _n, _p(*given)))
    gather_all(Store(root))
    assert sorted(reads) == ["curves", "runs"]


@pytest.mark.slow
def test_one_content_is_not_several(root: Path) -> None:
    with pytest.raises(ValueError, match="'both' has 2 workloads: see `gather_all`"):
        gather(Store(root))


@pytest.mark.slow
def test_without_a_study_the_options_tell_workloads_apart(tmp_path: Path) -> None:
    root = synthetic_grid.store(tmp_path / "lost", SEVERAL, study=False)
    found = gather_all(Store(root))
    assert [one.workload for one in found] == ["digits width=32", "digits width=64"]
    assert all("no study.yaml" in (one.problem or "") for one in found)
    assert [one.results for one in found] == [len(synthetic_grid.of_grid(SEVERAL)) // 2] * 2


def test_a_network_is_part_of_a_workloads_name() -> None:
    runs = synthetic.runs(seeds=1)
    kinds = {"resnet18": 0, "vgg16": 1}
    options = [json.dumps({"model": {"name": name, "width": 1.0}, "epochs": 2}) for name in kinds]
    table = runs.assign(workload="cifar10", workload_options=np.resize(options, len(runs)))
    assert {part.title for part in by_workload(table, None)} == {"cifar10 resnet18", "cifar10 vgg16"}
    assert [part.title for part in by_workload(runs.iloc[:0], None)] == ["unknown workload"]


@pytest.mark.slow
def test_runs_of_neither_workload_are_counted_once(tmp_path: Path) -> None:
    fewer = SEVERAL.replace("points: 7", "points: 4")
    root = synthetic_grid.store(tmp_path / "both", fewer, synthetic_grid.of_grid(SEVERAL))
    found = gather_all(Store(root))
    assert [one.others for one in found] == [len(synthetic_grid.of_grid(SEVERAL)) - sum(o.results for o in found)] * 2
    assert "of an earlier version" in (text := report.write_report(root).read_text(encoding="utf-8"))
    assert text.count("of an earlier version of the study") == 1


def test_slugs_are_names_of_folders_and_differ() -> None:
    assert slugs(["cifar10 resnet18", "A/b", "a b", "ü"]) == ["cifar10-resnet18", "a-b", "a-b-2", "workload"]


# The page


def test_one_page_has_every_workload_under_a_link(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    ids = re.findall(r'\bid="([^"]+)"', text.split("<script>")[0])
    assert len(ids) == len(set(ids))
    links = re.findall(r'href="#([^"]+)"', text)
    assert set(links) == {"top", "workload-digits", "workload-digits-wide"} <= set(ids)
    figures = payload(page)["figures"]
    assert set(figures) <= set(ids)
    own = {name.partition("--")[2] for name in figures if name.startswith("workload-digits-wide--")}
    assert own == {name.partition("--")[2] for name in figures if name.startswith("workload-digits--")}
    assert {"basins", "claims", "curves"} <= own
    assert "performance" in figures
    assert text.count("plotly.js v") == 1


@pytest.mark.slow
def test_the_top_of_the_page_has_the_measures_and_scores_of_all(page: Path, root: Path) -> None:
    top = page.read_text(encoding="utf-8").split("<article")[0]
    compared = side_by_side.read([root])
    for row in [row for one in compared for row in one.rows]:
        assert f"{row.depth:.2f}" in top
    assert [one.workload for one in compared] == TITLES
    assert "Over 2 workloads the highest scores: <strong>adams</strong>" in top


@pytest.mark.slow
def test_a_title_from_outside_stays_text(tmp_path: Path) -> None:
    text = SEVERAL.replace("digits wide", "'<b>&wide'")
    page = report.write_report(synthetic_grid.store(tmp_path / "x", text)).read_text(encoding="utf-8")
    assert "<b>&wide" not in page.split("<script>")[0]
    assert "<h2>&lt;b&gt;&amp;wide</h2>" in page


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize(("width", "size"), [(1280, "wide"), (390, "narrow")])
def test_it_draws_in_a_browser(chromium: str, page: Path, width: int, size: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        shown = browser.new_page(viewport={"width": width, "height": 900}, color_scheme="dark")
        trouble: list[str] = []
        shown.on("console", lambda message: trouble.append(message.text))
        shown.on("pageerror", lambda error: trouble.append(str(error)))
        shown.goto(page.as_uri())
        shown.wait_for_selector(f'html[data-drawn="{size}"]', timeout=60_000)
        drawn = shown.evaluate("[...document.querySelectorAll('.figure')].map(f => f.querySelector('svg') !== null)")
        assert shown.evaluate("document.documentElement.scrollWidth") == width
        shown.click("a[href='#workload-digits-wide']")
        assert abs(shown.evaluate("document.getElementById('workload-digits-wide').getBoundingClientRect().top")) < 20
        browser.close()
    assert len(drawn) == len(payload(page)["figures"])
    assert all(drawn)
    assert trouble == []


# The commands


@pytest.mark.slow
def test_claims_have_a_table_a_workload_and_one_file(root: Path, tmp_path: Path, capsys: Any) -> None:
    assert main(["claims", str(root), "--json", str(tmp_path / "all.json")]) == 0
    said = capsys.readouterr().out
    assert [said.count(f"both, {title}\n") for title in TITLES] == [1, 1]
    verdicts = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["verdicts"]
    expected = [v for one in gather_all(Store(root)) for v in one.verdicts]
    assert [(v["workload"], v["claim"], v["outcome"]) for v in verdicts] == [
        (v.workload, v.claim, v.outcome) for v in expected
    ]


@pytest.mark.slow
def test_figures_have_a_folder_a_workload(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "browser", lambda: "chromium")
    monkeypatch.setattr(files, "export", lambda _drawing, path: path)
    written = files.write_figures(root, tmp_path, ["basins", "1"])
    assert written.paths == [tmp_path / name / "figure-basins.svg" for name in ("digits", "digits-wide")]
    assert list(written.left_out) == ["digits, 1", "digits wide, 1"]
    assert files.write_overview(root, tmp_path / "map.png") == [
        tmp_path / "map-digits.png",
        tmp_path / "map-digits-wide.png",
    ]


@pytest.mark.slow
def test_compare_takes_one_study_of_several_workloads(root: Path, tmp_path: Path, capsys: Any) -> None:
    assert main(["compare", str(root), "--out", str(tmp_path / "c.html")]) == 0
    rows = [re.split(r"\s{2,}", line)[:3] for line in capsys.readouterr().out.splitlines() if line.startswith("both")]
    assert rows == [["both", title, label] for title in TITLES for label in ("adam", "adamw", "adams")]
    assert '<th scope="col">workload</th>' in (tmp_path / "c.html").read_text(encoding="utf-8")
    twice = side_by_side.read([root, root])
    assert [(one.name, one.workload) for one in twice] == [(n, t) for n in ("both", "both (2)") for t in TITLES]
