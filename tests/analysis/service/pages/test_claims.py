"""The page of claims, without a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from analysis.figures.registry import of_report
from analysis.service.pages import claim_figures
from analysis.service.studies.studies import Studies
from tests.support.service_pages import HOME, asked, content, drawn, found, page, snapshot_of, words
from tests.support.service_studies import EVIL, client_of_studies, stored_studies

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from analysis.contents.gather import Contents

__all__ = ["client_of_studies", "stored_studies"]

CLAIMS = "..claims-body.children...claims-of.data.."


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
