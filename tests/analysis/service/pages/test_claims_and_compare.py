"""The pages of claims and of studies side by side, without a browser."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from analysis.contents.side_by_side import workloads
from analysis.figures.registry import of_report
from analysis.report import side_by_side
from analysis.service.app import make
from analysis.service.pages import claim_figures
from analysis.service.studies import studies as stored
from analysis.service.studies.studies import Studies
from robustness.results import StorageError
from tests.support import synthetic_store
from tests.support.service_pages import HOME, SPACE, asked, called, content, drawn, found, page, snapshot_of, words

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from analysis.contents.gather import Contents

CLAIMS, COMPARED = "..claims-body.children...claims-of.data..", "..compare-body.children...compare-of.data.."
EVIL = "<b>Mine</b> & <script>alert(1)</script> is as deep."
SMALL = synthetic_store.STUDY.replace("points: 12", "points: 6").replace("points: 11", "points: 5")
OWN = f"""\
claims:
  - wider-basin
  - {{id: mine, sentence: "{EVIL}", measure: depth, of: adams, against: adamw, direction: equal, margin: 5}}
"""
TWO = """\
name: two
workload:
  - digits
  - {name: digits, label: digits noisy, label_noise: 0.3}
optimizers: [adam, adams]
space: {lr: [0.001, 0.01], weight_decay: [0, 0.001]}
seeds: 2
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("results")
    runs = synthetic_store.of_study(SMALL)
    synthetic_store.store(root / "demo", runs, SMALL + OWN, parts=1)
    synthetic_store.store(root / "half", runs.iloc[:200], SMALL.replace("name: demo", "name: half"), parts=1)
    synthetic_store.store(root / "none", runs.iloc[:0], SMALL.replace("name: demo", "name: none"))
    synthetic_store.store(root / "two", runs.iloc[:0], TWO)
    return root


@pytest.fixture(scope="module")
def client(results: Path) -> FlaskClient:
    client: FlaskClient = make(str(results)).server.test_client()
    return client


@pytest.fixture(scope="module")
def contents(results: Path) -> Contents:
    return snapshot_of(Studies(str(results)), "demo").workloads[0].full


def test_every_verdict_is_told_with_what_decides_it(client: FlaskClient, contents: Contents) -> None:
    shown = page(client, "/study/demo/claims")
    rows = found(found(found(shown, "Table", className="claims"), "Tbody"), "Tr")
    known = [one for one in contents.verdicts if one.outcome != "no data"]
    assert len(rows) == len(known) > 2
    text = words(shown)
    for one in contents.verdicts:
        assert one.sentence in text
        assert one.why in text
    badges = found(rows, "Span")
    assert sorted(words(one) for one in badges) == sorted(one.outcome for one in known)
    assert all(one["className"] == f"verdict {words(one)}" for one in badges)
    for outcome in ("reproduced", "undecided"):
        if number := sum(one.outcome == outcome for one in known):
            assert f"{number} {outcome}" in words(found(shown, "Ul", className="facts"))
    assert "at 1 and 2 points" in text


def test_a_study_s_own_claims_come_first_and_are_text(client: FlaskClient, contents: Contents) -> None:
    rows = found(found(found(page(client, "/study/demo/claims"), "Table", className="claims"), "Tbody"), "Tr")
    made_for = [one.sentence for one in contents.verdicts if one.made_for]
    assert len(made_for) == 2
    assert {found(row, "Th")[0]["children"][0] for row in rows[:2]} == set(made_for)
    assert EVIL in made_for
    assert all("this study was made for it" in words(row) for row in rows[:2])
    assert "made for it" not in words(rows[2:])


def test_claims_without_data_are_folded_with_what_would_give_it(client: FlaskClient, contents: Contents) -> None:
    folded = found(page(client, "/study/demo/claims"), "Details")
    rest = [one for one in contents.verdicts if one.outcome == "no data"]
    assert f"{len(rest)} claims without data here" in words(folded)
    assert "would give it" in words(folded)


def test_each_claim_links_the_figure_that_shows_it(client: FlaskClient, contents: Contents) -> None:
    shown = page(client, "/study/demo/claims", "?delta=2")
    links = [one for one in found(shown, "A") if "data-figure" in one]
    assert len(links) == sum(one.outcome != "no data" for one in contents.verdicts)
    for one in links:
        assert parse_qs(urlsplit(one["href"]).query) == {"delta": ["2"], "figure": [one["data-figure"]]}
        assert "data" in drawn(client, f"/study/demo/claims/figure/{one['data-figure']}")
    by_claim = {one.claim: claim_figures.figure_of(one, contents).id for one in contents.verdicts if one.comparisons}
    assert by_claim["wider-basin"] == by_claim["mine"] == "basins"


def test_every_measure_of_a_claim_has_a_figure() -> None:
    from robustness.claims.measures import MEASURES

    assert {row.figure for row in MEASURES.values()} <= set(of_report())


def test_the_figure_asked_for_is_drawn_at_the_distance_asked_for(client: FlaskClient) -> None:
    place = found(page(client, "/study/demo/claims", "?figure=profiles"), "Figure", id="figure-shown")[0]
    assert place["data-src"] == "/study/demo/claims/figure/basins"
    assert place["data-keys"].split() == ["workload", "figure", "delta"]
    captions = [drawn(client, f"{place['data-src']}?delta={delta}")["caption"] for delta in ("1", "5", "1e9", "<b>")]
    assert "within 1 point " in captions[0]
    assert "within 5 points" in captions[1]
    assert captions[0] == captions[2] == captions[3]
    other = drawn(client, f"{place['data-src']}?figure=profiles")
    assert other == drawn(client, "/study/demo/claims/figure/profiles")
    assert drawn(client, f"{place['data-src']}?figure=../../secret")["caption"] == captions[0]


def test_only_another_workload_or_a_write_draws_the_page_anew(client: FlaskClient, results: Path) -> None:
    def follow(search: str, shown: str, path: str = "/study/two/claims") -> Any:
        inputs = {"url.search": search, "claims-tick.n_intervals": None}
        return asked(client, CLAIMS, inputs, {"url.pathname": path, "claims-of.data": shown})

    stamp = snapshot_of(Studies(str(results)), "two").stamp
    assert follow("?figure=curves", f"{stamp} digits") is None
    assert "No run is stored yet" in words(follow("?workload=digits-noisy", f"{stamp} digits"))
    assert "No run is stored yet" in words(follow("", "before digits"))
    assert "not stored any more" in words(follow("", "", "/study/absent/claims"))


def test_the_forest_has_a_row_a_comparison(client: FlaskClient, contents: Contents) -> None:
    forest = drawn(client, "/study/demo/claims/forest")
    assert "Points: each comparison behind a claim" in forest["caption"]
    drawn_rows = sum(len(trace["text"]) for trace in forest["data"] if trace.get("text"))
    assert drawn_rows == sum(len(one.comparisons) for one in contents.verdicts)


@pytest.mark.parametrize("section", claim_figures.shown_figures())
def test_every_section_is_drawn_or_says_why_not(client: FlaskClient, section: str) -> None:
    for study in ("demo", "none", "two"):
        answer = drawn(client, f"/study/{study}/claims/figure/{section}")
        assert ("data" in answer) != ("problem" in answer)
        if study != "demo":
            assert answer["problem"].startswith("Nothing is drawn: ")


def test_figures_that_are_not_there_are_told(client: FlaskClient) -> None:
    for path in ("/study/demo/claims/figure/none", "/study/absent/claims/forest"):
        answer = client.get(path, base_url=HOME)
        assert answer.status_code == 404
        assert content(answer)["problem"].startswith("There is no such")


def test_claims_of_nothing_stored_and_of_no_study_are_sentences(client: FlaskClient) -> None:
    assert "No run is stored yet" in words(page(client, "/study/none/claims"))
    assert "No such study" in words(page(client, "/study/absent/claims"))


def test_workloads_can_be_chosen(client: FlaskClient) -> None:
    shown = page(client, "/study/two/claims", "?workload=digits-noisy")
    assert "No run is stored yet" in words(shown)
    assert [one["value"] for one in found(shown, "Option")] == ["digits", "digits-noisy"]


def test_compared_studies_have_their_measures_scores_and_maps(client: FlaskClient, results: Path) -> None:
    shown = page(client, "/compare", "?study=half&study=demo")
    studies = Studies(str(results))
    compared = workloads([snapshot_of(studies, name).workloads[0].contents for name in ("half", "demo")])
    text = words(shown)
    for row in [*side_by_side.scores_table(compared, 1.0), *side_by_side.measures_table(compared)[1:]]:
        assert all(cell in text for cell in row if cell != "digits")
    assert side_by_side.scores_are(compared) in text
    sources = [one["data-src"] for one in found(shown, "Figure")]
    assert sources == ["/compare/performance?study=half&study=demo", "/study/half/maps", "/study/demo/maps"]
    for source in sources:
        assert "data" in drawn(client, source)
    assert "2 workloads" in drawn(client, sources[0])["caption"]


def test_every_study_has_a_toggle(client: FlaskClient) -> None:
    shown = page(client, "/compare", "?study=demo&study=demo")
    toggles = {one["data-study"]: one["aria-pressed"] for one in found(shown, "Button", className="toggle")}
    assert toggles == {"demo": "true", "half": "false", "none": "false", "two": "false"}
    links = {words(one): one["href"] for one in found(shown, "A")}
    assert parse_qs(urlsplit(links["all"]).query)["study"] == list(toggles)
    assert links["none"] == "/compare"
    assert "Choose studies" in words(page(client, "/compare"))


def test_the_comparison_follows_the_address_by_itself(client: FlaskClient) -> None:
    assert len(found(compared_at(client, "/compare"), "Figure")) == 2
    assert compared_at(client, "/study/demo") is None


def test_a_comparison_follows_a_sweep_and_is_left_alone_until_a_run_comes_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "CHECK_S", 0.0)
    monkeypatch.setattr(stored, "REST", 0.0)
    runs = synthetic_store.of_study(SMALL)
    synthetic_store.store(tmp_path / "demo", runs.iloc[:200], SMALL, parts=1)
    client = make(str(tmp_path)).server.test_client()
    shown = page(client, "/compare", "?study=demo")
    assert len(found(shown, "Interval")) == 1
    before = found(shown, "Store", id="compare-of")[0]["data"]
    stamps = [one["data-stamp"] for one in found(shown, "Figure")]
    assert "200 runs" in words(shown).replace(SPACE, " ")
    assert compared_at(client, "/compare", shown=before) is None
    synthetic_store.store(tmp_path / "demo", runs.iloc[200:300], None, parts=1)
    after = compared_at(client, "/compare", shown=before)
    assert "300 runs" in words(after).replace(SPACE, " ")
    # The places of the figures stay, and are told that there is more.
    assert [one["data-src"] for one in found(after, "Figure")] == [one["data-src"] for one in found(shown, "Figure")]
    assert all(one["data-stamp"] not in stamps for one in found(after, "Figure"))


def compared_at(client: FlaskClient, path: str, search: str = "?study=demo", shown: Any = None) -> Any:
    inputs = {"url.search": search, "compare-tick.n_intervals": 1}
    return asked(client, COMPARED, inputs, {"url.pathname": path, "compare-of.data": shown})


def test_studies_that_are_gone_or_empty_are_told(client: FlaskClient) -> None:
    shown = page(client, "/compare", "?study=none&study=absent&study=../secret&study=two")
    text = words(shown)
    assert "Not stored here: absent, ../secret." in text
    assert "no run is stored yet" in text
    assert found(shown, "Figure") == []
    assert "Nothing is drawn" in drawn(client, "/compare/performance?study=none")["problem"]
    assert "Nothing is drawn" in drawn(client, "/compare/performance?study=absent")["problem"]


def test_no_more_than_twelve_are_compared_at_once(tmp_path: Path) -> None:
    for number in range(14):
        (tmp_path / f"s{number:02d}" / "runs").mkdir(parents=True)
    client = make(str(tmp_path)).server.test_client()
    text = words(page(client, "/compare", "?" + "&".join(f"study=s{number:02d}" for number in range(14))))
    assert "At most 12 studies are compared at once: the first 12 are shown." in text
    assert "Choose the first 12" in " ".join(text.split())
    assert "s11" in text.rpartition("no run is stored yet")[0]


def test_a_store_that_goes_away_is_told(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise StorageError("cannot list it: no answer")

    monkeypatch.setattr(Studies, "snapshot", away)
    for path in ("/study/demo/claims/forest", "/study/demo/data/runs.csv", "/compare/performance?study=demo"):
        answer = client.get(path, base_url=HOME)
        assert answer.status_code == 503
        assert answer.json == {"problem": "The results cannot be read: cannot list it: no answer"}
    for path in ("/study/demo/claims", "/study/demo/data"):
        assert "cannot list it: no answer" in json.dumps(page(client, path))


@pytest.mark.parametrize("kind", ["claims", "data", "compare"])
def test_a_page_is_left_as_it_is_while_its_store_is_away(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def away(*_: object) -> None:
        raise StorageError("cannot list it: no answer")

    monkeypatch.setattr(Studies, "snapshot", away)
    path = "/compare" if kind == "compare" else f"/study/demo/{kind}"
    inputs = {"url.search": "?study=demo", f"{kind}-tick.n_intervals": 1}

    def follow(*changed: str) -> Any:
        outputs, state = f"..{kind}-body.children...{kind}-of.data..", {"url.pathname": path, f"{kind}-of.data": "x"}
        return called(client, outputs, inputs, state, changedPropIds=list(changed)).json["response"]

    assert follow(f"{kind}-tick.n_intervals") == {}
    answer = follow("url.search")
    assert "cannot list it: no answer" in words(answer[f"{kind}-body"]["children"])
    assert answer[f"{kind}-of"]["data"] == "", "or it would not be asked again"
