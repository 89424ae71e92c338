"""The study service without a browser: who is answered, what a page may do, and what the pages say."""

from __future__ import annotations

import json

import pytest

from analysis.service import make, study
from analysis.service.stored import Studies, is_name
from robustness import Store
from robustness.results import StorageError
from tests import synthetic_store

PORT = 8050
HOME = f"http://localhost:{PORT}"
SPACE = "\N{NO-BREAK SPACE}"
EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def runs():
    return synthetic_store.of_study()


@pytest.fixture(scope="module")
def results(tmp_path_factory, runs):
    root = tmp_path_factory.mktemp("results")
    synthetic_store.store(root / "demo", runs)
    half = synthetic_store.STUDY.replace("name: demo", "name: half").replace("Synthetic basins.", EVIL)
    synthetic_store.store(root / "half", runs.iloc[:500], half)
    synthetic_store.store(root / "none", runs.iloc[:0], synthetic_store.STUDY.replace("name: demo", "name: none"))
    (root.parent / "secret").mkdir(exist_ok=True)
    synthetic_store.store(root.parent / "secret", runs.iloc[:9])
    return root


@pytest.fixture(scope="module")
def client(results):
    return make(str(results), PORT).server.test_client()


def shown(client, path):
    """Return what Dash puts on the page at `path`, as JSON text."""
    asked = {
        "output": "page.children",
        "outputs": {"id": "page", "property": "children"},
        "inputs": [{"id": "url", "property": "pathname", "value": path}],
        "changedPropIds": ["url.pathname"],
    }
    answer = client.post("/_dash-update-component", json=asked, base_url=HOME)
    assert answer.status_code == 200
    return json.dumps(answer.json["response"], ensure_ascii=False).replace(SPACE, " ")


def test_the_list_says_of_each_study_how_far_it_is(client):
    page = shown(client, "/")
    for text in ("1 296 of 1 296", "500 of 1 296", "0 of 1 296", "complete, last run", "incomplete", "no run yet"):
        assert text in page
    assert page.index('"/study/demo"') < page.index('"/study/half"') < page.index('"/study/none"')
    assert "adams 2." in page
    assert "secret" not in page


def test_a_study_says_what_it_asks_and_links_its_report(client):
    page = shown(client, "/study/demo")
    assert "Synthetic basins." in page
    assert '"/study/demo/report"' in page
    assert (
        EVIL
        in json.loads(shown(client, "/study/half"))["page"]["children"][0]["props"]["children"][2]["props"]["children"]
    )


def test_a_report_is_made_on_demand_and_has_an_origin_of_its_own(client):
    answer = client.get("/study/half/report", base_url=HOME)
    assert answer.status_code == 200
    text = answer.get_data(as_text=True)
    assert "<h1>half</h1>" in text
    assert EVIL not in text
    policy = answer.headers["Content-Security-Policy"]
    assert "sandbox allow-scripts" in policy
    assert "connect-src" not in policy
    assert "default-src 'none'" in policy


def test_the_policy_of_the_pages_allows_no_other_script_and_no_other_place(client):
    answer = client.get("/", base_url=HOME)
    rules = dict(rule.strip().split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split(";"))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in rules["script-src"]
    assert rules["connect-src"] == "'self'"
    assert not [rule for rule in rules.values() if "http" in rule or "*" in rule]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    text = answer.get_data(as_text=True)
    assert "http://" not in text
    assert "https://" not in text


@pytest.mark.parametrize("host", ["localhost:8050", "127.0.0.1:8050", "[::1]:8050"])
def test_loopback_names_are_answered(client, host):
    assert client.get("/", headers={"Host": host}).status_code == 200
    assert client.get("/", headers={"Host": host, "Origin": f"http://{host}"}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example:8050", "localhost", "localhost:80", "localhost.evil.example:8050", "8.8.8.8:8050"]
)
@pytest.mark.parametrize("path", ["/", "/_dash-layout", "/study/demo/report", "/assets/service.js"])
def test_other_names_are_not_so_that_no_foreign_page_can_rebind_one(client, host, path):
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code == 403
    assert "http://localhost:8050 alone" in answer.get_data(as_text=True)


def test_other_pages_may_not_ask(client):
    asked = client.post("/_dash-update-component", json={}, base_url=HOME, headers={"Origin": "http://evil.example"})
    assert asked.status_code == 403


@pytest.mark.parametrize(
    "path",
    ["/study/../secret", "/study/..%2fsecret/report", "/study/%2e%2e/report", "/study/..", "/study//etc/report",
     "/study/demo/../../secret/report", "/study/DEMO/report", "/study/.demo", "/etc/passwd", "/study", "/static/x"],
)  # fmt: skip
def test_no_path_leads_out_of_the_results(client, path):
    answer = client.get(path, base_url=HOME)
    assert answer.status_code == 404
    assert "Synthetic" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("name", ["..", "../secret", "/etc", "a/b", "a\\b", "", "Demo", "a" * 65, "a?b", "a%2fb", ".a"])
def test_such_names_are_no_studies(results, name):
    assert not is_name(name)
    assert Studies(str(results)).store(name) is None
    page = json.dumps(study.page(Studies(str(results)), name), default=lambda each: each.to_plotly_json())
    assert "No such study" in page


def test_a_study_that_is_not_there_is_told(client):
    assert "No such study" in shown(client, "/study/absent")
    answer = client.get("/study/absent/report", base_url=HOME)
    assert (answer.status_code, answer.get_data(as_text=True)) == (404, "no such study\n")


def test_an_empty_folder_names_the_command_that_makes_a_study(tmp_path):
    page = shown(make(str(tmp_path), PORT).server.test_client(), "/")
    assert f"robustness run digits --results {tmp_path}" in page


def test_results_out_of_reach_are_a_page_that_says_so(tmp_path):
    (tmp_path / "file").write_text("no folder")
    client = make(str(tmp_path / "file"), PORT).server.test_client()
    for path in ("/", "/study/demo"):
        page = shown(client, path)
        assert "The results cannot be read" in page
        assert str(tmp_path / "file") in page
    answer = client.get("/study/demo/report", base_url=HOME)
    assert answer.status_code == 503
    assert "the results cannot be read" in answer.get_data(as_text=True)


def test_a_key_in_a_uri_is_not_shown():
    assert Studies("s3://key:secret@bucket/results?x=1").place == "s3://***@bucket/results?x=1"


def test_what_is_stored_is_read_again_only_after_a_write(tmp_path, runs, monkeypatch):
    synthetic_store.store(tmp_path / "demo", runs.iloc[:40], parts=1)
    studies, reads = Studies(str(tmp_path)), []
    read = Store.runs
    monkeypatch.setattr(Store, "runs", lambda self: reads.append(1) or read(self))
    store = studies.store("demo")
    assert store
    assert studies.line(store) is studies.line(store)
    first, _ = studies.contents(store)
    assert studies.contents(store)[0] == first
    assert len(reads) == 2
    assert studies.line(store).done == 40
    synthetic_store.store(tmp_path / "demo", runs.iloc[40:60], parts=1)
    assert studies.line(store).done == 60
    assert studies.contents(store)[0] != first


def test_a_figure_keeps_the_zoom_and_is_sent_only_when_it_changed(results):
    studies = Studies(str(results))
    first = study._drawn_since(studies, "half", 0, None)
    assert first["wide"]["uirevision"] == first["narrow"]["uirevision"] == "half digits"
    assert first["wide"]["height"] != first["narrow"]["height"]
    assert "Mean test error" in first["caption"]
    from dash import no_update

    assert study._drawn_since(studies, "half", 0, first) is no_update
    assert study._drawn_since(studies, "half", 1, None) is no_update
    assert study._drawn_since(studies, "../secret", 0, None) is no_update
    assert study._drawn_since(studies, "none", 0, None)["problem"].startswith("Nothing is drawn: no run")


def test_a_store_that_goes_away_leaves_the_page_as_it_is(results, monkeypatch):
    app = make(str(results), PORT)

    def away(*_):
        raise StorageError("cannot list it: no answer")

    monkeypatch.setattr(Studies, "store", away)
    asked = {
        "output": "..facts.children...trouble.children...trouble.className..",
        "outputs": [
            {"id": i, "property": p}
            for i, p in (("facts", "children"), ("trouble", "children"), ("trouble", "className"))
        ],
        "inputs": [{"id": "tick", "property": "n_intervals", "value": 1}],
        "state": [{"id": "url", "property": "pathname", "value": "/study/demo"}],
        "changedPropIds": ["tick.n_intervals"],
    }
    answer = app.server.test_client().post("/_dash-update-component", json=asked, base_url=HOME)
    assert "cannot be read at the moment: cannot list it: no answer" in answer.get_data(as_text=True)
    assert "facts" not in answer.json["response"]
