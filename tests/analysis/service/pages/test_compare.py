"""The page of studies side by side, without a browser, and pages whose store goes away."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from analysis.contents.side_by_side import scored, workloads
from analysis.report import side_by_side
from analysis.service.app import make
from analysis.service.studies import studies as stored
from analysis.service.studies.studies import Studies
from robustness.results import StorageError
from tests.support import synthetic_store
from tests.support.service_pages import HOME, SPACE, asked, called, drawn, found, page, snapshot_of, words
from tests.support.service_studies import SMALL, client_of_studies, stored_studies

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

__all__ = ["client_of_studies", "stored_studies"]

COMPARED = "..compare-body.children...compare-of.data.."


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
    assert len(scored(compared)) == 1, "the studies have not the same optimizers"
    assert "1 workload:" in drawn(client, sources[0])["caption"]


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
