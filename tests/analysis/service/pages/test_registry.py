"""Every page of the registry on every kind of study: it answers, and the guard lets through its paths and no others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from analysis.service.app import make
from analysis.service.pages.registry import PAGES, paths_of
from analysis.service.studies import studies as stored
from analysis.service.visitors.door import Door
from analysis.service.visitors.visitor import only
from analysis.service.web import frame
from analysis.service.web.guard import Guard
from analysis.service.web.live import LivePart
from analysis.service.web.page_row import Page, Route
from analysis.service.web.sources import Sources
from tests.support import synthetic_store
from tests.support.service_pages import HOME, page, paths, told, words

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from dash import Dash

SMALL = synthetic_store.STUDY.replace("points: 12", "points: 4").replace("points: 11", "points: 3")
ONE_SEED = SMALL.replace("name: demo", "name: one-seed").replace("seeds: 3", "seeds: 1")
# Names that a path holds for another reason.
WORDS = ("claims", "compare", "data", "report", "study", "submit", "difference", "maps", "figure", "assets")
STUDIES = ("complete", "growing", "one-seed", "no-run", "no-file", "nothing", *WORDS)
OF_STUDY = [each for each in PAGES if "<study>" in each.path]


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return synthetic_store.of_study(SMALL)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, runs: pd.DataFrame) -> Path:
    root = tmp_path_factory.mktemp("results")
    named = lambda name: SMALL.replace("name: demo", f"name: {name}")  # noqa: E731
    synthetic_store.store(root / "complete", runs, named("complete"), parts=1)
    synthetic_store.store(root / "growing", runs.iloc[:30], named("growing"), parts=1)
    synthetic_store.store(root / "one-seed", synthetic_store.of_study(ONE_SEED), ONE_SEED, parts=1)
    synthetic_store.store(root / "no-run", runs.iloc[:0], named("no-run"))
    synthetic_store.store(root / "no-file", runs, None, parts=1)
    (root / "nothing" / "runs").mkdir(parents=True)
    for name in WORDS:
        synthetic_store.store(root / name, runs.iloc[:0], named(name))
    return root


@pytest.fixture(scope="module")
def app(results: Path) -> Dash:
    return made(results)


def made(results: Path) -> Dash:
    app = make(str(results))
    app.server.testing = True  # an exception is one, and no page of status 500
    return app


def assert_answered(app: Dash, one: Page, study: str, search: str = "") -> None:
    client = app.server.test_client()
    path = one.path.replace("<study>", study)
    if one.page is not None:
        assert client.get(path, base_url=HOME).status_code == 200
        shown = words(page(client, path, search))
        assert "cannot be read" not in shown
        assert "No such" not in shown
        for answer in told(app, path, search):
            assert answer.status_code in {200, 204}, answer.text
            assert "cannot be read" not in answer.text
    for route in one.routes:
        for each in paths(route.rule, study):
            if route.method != "GET" or each.startswith("/submit"):
                continue
            with client.get(each + search, base_url=HOME) as answer:
                assert answer.status_code == 200, each
                assert b"_dash-config" not in answer.get_data(), "it is no page of Dash's"


@pytest.mark.slow
@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("one", OF_STUDY, ids=lambda each: each.kind)
def test_every_page_of_a_study_answers(app: Dash, one: Page, study: str) -> None:
    assert_answered(app, one, study)


@pytest.mark.parametrize("one", PAGES, ids=lambda each: each.kind)
def test_every_page_answers_over_an_empty_folder(tmp_path: Path, one: Page) -> None:
    app = made(tmp_path)
    if "<study>" not in one.path:
        return assert_answered(app, one, "")
    client = app.server.test_client()
    if one.page is not None:
        assert "No such study" in words(page(client, one.path.replace("<study>", "absent")))
    for route in one.routes:
        for each in paths(route.rule, "absent"):
            assert client.get(each, base_url=HOME).status_code == 404
    return None


@pytest.mark.parametrize("one", [each for each in PAGES if each not in OF_STUDY], ids=lambda each: each.kind)
def test_every_page_of_no_study_answers(app: Dash, one: Page) -> None:
    assert_answered(app, one, "")
    assert_answered(app, one, "", "?" + "&".join(f"study={name}" for name in STUDIES[:6]))


@pytest.mark.slow
def test_every_page_follows_a_study_that_grows(
    tmp_path: Path, runs: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "CHECK_S", 0.0)
    monkeypatch.setattr(stored, "REST", 0.0)
    app = made(tmp_path)
    (tmp_path / "growing").mkdir()
    for text, some in ((None, slice(0, 0)), (SMALL, slice(0, 0)), (None, slice(0, 1)), (None, slice(1, 50))):
        synthetic_store.store(tmp_path / "growing", runs.iloc[some], text, parts=1)
        if (tmp_path / "growing" / "study.yaml").exists():
            for one in PAGES:
                assert_answered(app, one, "growing", "?study=growing")


@pytest.mark.parametrize("one", PAGES, ids=lambda each: each.kind)
def test_the_guard_lets_every_path_of_a_page_through(app: Dash, one: Page) -> None:
    guarded = app.server.test_client()
    for rule in (one.path, *(route.rule for route in one.routes)):
        for study in ("no-run", "report", "x"):
            for path in paths(rule, study):
                with guarded.get(path, base_url=HOME) as answer:
                    assert answer.get_data() != b"there is no such page\n", path


@pytest.mark.parametrize("one", PAGES, ids=lambda each: each.kind)
def test_the_guard_lets_nothing_else_through(app: Dash, one: Page) -> None:
    client = app.server.test_client()
    known = [re.sub(r"<path:\w+>", ".+", re.sub(r"<\w+>", "[^/]+", rule)) for rule in rules()]
    for rule in (one.path, *(route.rule for route in one.routes)):
        for path in paths(rule, "complete"):
            below = path.rstrip("/")
            for other in (f"{below}/none", f"{below}/none/", f"{path}x", f"/x{path}", path.replace("complete", "A b")):
                if any(re.fullmatch(each, other) for each in known) and "A b" not in other:
                    continue  # the path of another page, or of another study
                answer = client.get(other, base_url=HOME)
                assert (answer.status_code, answer.text) == (404, "there is no such page\n"), other


def rules() -> list[str]:
    return [rule for each in PAGES for rule in (each.path, *(route.rule for route in each.routes))]


def test_what_the_application_answers_beside_its_pages_is_dash_s_own(app: Dash) -> None:
    ours = {rule.rule for rule in app.server.url_map.iter_rules()}
    others = ours - set(rules())
    assert set(rules()) - ours <= {each.path for each in PAGES}, "Dash shows the pages themselves"
    assert {rule for rule in others if not rule.startswith(("/_", "/assets/"))} == {
        "/", "/<path:path>", "/plots.js", "/plotly.js", "/static/<path:filename>",
    } - set(rules())  # fmt: skip


def test_a_kind_and_a_path_belong_to_one_page() -> None:
    kinds, places = [each.kind for each in PAGES], [each.path for each in PAGES]
    assert len(set(kinds)) == len(kinds)
    assert len(set(places)) == len(places)
    for each in PAGES:
        assert (each.page is None) == (each.path in {route.rule for route in each.routes}), each.kind


def test_links_lead_to_every_page_and_submitting_is_offered_where_it_is_allowed() -> None:
    paths = paths_of(PAGES, submits=True)
    assert [each.tab for each in paths.bar()] == ["Studies", "Compare", "Submit"]
    assert [each.tab for each in paths_of(PAGES, submits=False).bar()] == ["Studies", "Compare"]
    assert [each.of("a") for each in paths.tabs()] == [
        "/study/a",
        "/study/a/claims",
        "/study/a/data",
        "/study/a/report",
    ]


@pytest.mark.parametrize("name", ["a", *WORDS])
def test_an_address_is_a_page_and_a_study(name: str) -> None:
    paths = paths_of(PAGES, submits=True)
    browser = re.compile(paths.expression())
    for each in PAGES:
        path = each.path.replace("<study>", name)
        if each.page is None:
            assert paths.at(path) is None
            assert browser.search(path) is None, "the browser loads it"
        else:
            assert paths.at(path) == (each.kind, name if "<study>" in each.path else None)
            assert browser.search(path)
    for nowhere in (None, "", "/none", f"/study/{name}/", f"/study/{name}/none", f"/study//{name}", "/study/"):
        assert paths.at(nowhere) is None
        assert browser.search(nowhere or "") is None


def test_a_page_is_added_by_its_row_alone(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    route = Route(rule="/study/<study>/made_up/<part>", answer=lambda _, view, part: f"{view.study} {part}")
    made_up = Page(
        kind="made_up",
        path="/study/<study>/made_up",
        tab="Made up",
        page=lambda sources, view: frame.head(sources.paths, str(view.study), "made_up"),
        live=LivePart(find=Sources.snapshot, stamp=lambda one, _: one.stamp, body=lambda *_: ["all"], every_ms=1000),
        routes=(route,),
    )
    path = "/study/complete/made_up"
    assert made(results).server.test_client().get(path, base_url=HOME).status_code == 404
    monkeypatch.setattr("analysis.service.app.PAGES", (*PAGES, made_up))
    app = made(results)
    client = app.server.test_client()
    assert client.get(path, base_url=HOME).status_code == 200
    assert client.get(f"{path}/1", base_url=HOME).text == "complete 1"
    assert words(page(client, path)).endswith("Full report Made up")
    assert "Made up" in words(page(client, "/study/complete"))
    assert "made_up" in client.get("/plots.js", base_url=HOME).text
    assert any("all" in answer.text for answer in told(app, path, ""))


def test_whoever_signs_in_is_led_to_any_page_and_to_what_pages_fetch(results: Path) -> None:
    app = make(str(results), Guard("0.0.0.0", Door(only("a-token-of-some-length"))))
    for one in PAGES:
        for rule in (one.path, *(route.rule for route in one.routes if route.method == "GET")):
            for path in paths(rule, "report"):
                client = app.server.test_client()
                answer = client.get(f"{path}?token=a-token-of-some-length", base_url=HOME)
                assert (answer.status_code, answer.headers["Location"]) == (303, path)
