"""The study service without a browser: the list of studies, a study's page, and what is told of odd ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from analysis.service.app import make
from analysis.service.studies import studies as stored
from analysis.service.studies.studies import Studies, is_name
from robustness.results.files.errors import Unreachable
from tests.support import synthetic_store
from tests.support.service_pages import HOME, called, shown, text

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from flask.testing import FlaskClient

EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return synthetic_store.of_study()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, runs: pd.DataFrame) -> Path:
    root = tmp_path_factory.mktemp("results")
    synthetic_store.store(root / "demo", runs)
    half = synthetic_store.STUDY.replace("name: demo", "name: half").replace("Synthetic basins.", EVIL)
    synthetic_store.store(root / "half", runs.iloc[:500], half)
    synthetic_store.store(root / "none", runs.iloc[:0], synthetic_store.STUDY.replace("name: demo", "name: none"))
    (root.parent / "secret").mkdir(exist_ok=True)
    synthetic_store.store(root.parent / "secret", runs.iloc[:9])
    return root


@pytest.fixture(scope="module")
def client(results: Path) -> FlaskClient:
    client: FlaskClient = make(str(results)).server.test_client()
    return client


def order(page: str, *names: str) -> list[str]:
    return sorted(names, key=lambda name: page.index(f'"/study/{name}"'))


def test_the_list_says_of_each_study_how_far_it_is(client: FlaskClient) -> None:
    page = shown(client, "/")
    for words in ("1 296 of 1 296", "500 of 1 296", "0 of 1 296", "complete", "interrupted", "no run yet"):
        assert words in page
    assert "adams 2." in page
    assert "adam, adamw, adams" in page
    assert "secret" not in page


def test_the_list_is_sorted_and_searched_as_the_address_says(client: FlaskClient) -> None:
    names = ("demo", "half", "none")
    assert order(shown(client, "/", "?sort=name"), *names) == ["demo", "half", "none"]
    assert order(shown(client, "/", "?sort=-name"), *names) == ["none", "half", "demo"]
    assert order(shown(client, "/", "?sort=-done"), *names) == ["demo", "half", "none"]
    page = shown(client, "/", "?sort=name")
    assert '"aria-sort": "ascending"' in page
    assert "?sort=-name" in page
    found = shown(client, "/", "?q=HALF")
    assert '"/study/half"' in found
    assert '"/study/demo"' not in found
    assert "No study has all of these words." in shown(client, "/", "?q=nowhere")
    assert '"/study/demo"' in shown(client, "/", "?sort=constructor")


def test_a_study_says_what_it_asks_and_links_its_pages(client: FlaskClient) -> None:
    page = shown(client, "/study/demo")
    assert "Synthetic basins." in page
    for path in ("claims", "data", "report"):
        assert f'"/study/demo/{path}"' in page
    for key in ("metric", "delta", "range", "decay", "seeds", "surface", "of", "against"):
        assert f'"data-key": "{key}"' in page
    # Text in a component is text, whatever it holds.
    assert f'"children": "{EVIL}"' in shown(client, "/study/half")


def test_a_report_is_made_on_demand_and_has_an_origin_of_its_own(client: FlaskClient) -> None:
    answer = client.get("/study/half/report", base_url=HOME)
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    assert "<h1>half</h1>" in page
    assert EVIL not in page
    policy = answer.headers["Content-Security-Policy"]
    assert "sandbox allow-scripts" in policy
    assert "connect-src" not in policy
    assert "default-src 'none'" in policy


@pytest.mark.slow
def test_only_the_report_has_the_policy_of_one_whatever_a_study_is_called(tmp_path: Path, runs: pd.DataFrame) -> None:
    names = ("report", "claims", "data", "compare", "submit", "study", "maps", "difference")
    for name in names:
        synthetic_store.store(tmp_path / name, runs.iloc[:9], synthetic_store.STUDY.replace("demo", name), parts=1)
    client = make(str(tmp_path)).server.test_client()
    usual = client.get("/", base_url=HOME).headers["Content-Security-Policy"]
    assert "sandbox" not in usual
    for name in names:
        for below in ("", "/claims", "/data", "/maps"):
            answer = client.get(f"/study/{name}{below}", base_url=HOME)
            assert (answer.status_code, answer.headers["Content-Security-Policy"]) == (200, usual), (name, below)
        assert name in shown(client, f"/study/{name}")
    report = client.get("/study/report/report", base_url=HOME)
    assert "sandbox" in report.headers["Content-Security-Policy"]
    absent = client.get("/study/absent/report", base_url=HOME)
    assert absent.headers["Content-Security-Policy"] == usual


def test_a_study_without_a_file_and_without_runs_says_so_instead_of_a_difference(tmp_path: Path) -> None:
    (tmp_path / "bare" / "runs").mkdir(parents=True)
    answer = make(str(tmp_path)).server.test_client().get("/study/bare/difference", base_url=HOME)
    assert answer.status_code == 200
    assert answer.json == {"problem": "Nothing is drawn: no run with a result is stored yet."}


@pytest.mark.parametrize("name", ["..", "../secret", "/etc", "a/b", "a\\b", "", "Demo", "a" * 65, "a?b", "a%2fb", ".a"])
def test_such_names_are_no_studies(client: FlaskClient, results: Path, name: str) -> None:
    assert not is_name(name)
    assert Studies(str(results)).snapshot(name) is None
    assert "Synthetic" not in shown(client, f"/study/{name}")


def test_a_study_that_is_not_there_is_told(client: FlaskClient) -> None:
    for below in ("", "/claims", "/data"):
        assert "No such study" in shown(client, f"/study/absent{below}")
    answer = client.get("/study/absent/report", base_url=HOME)
    assert (answer.status_code, answer.get_data(as_text=True)) == (404, "no such study\n")
    assert client.get("/study/absent/maps", base_url=HOME).status_code == 404


def test_an_empty_folder_names_the_command_that_makes_a_study(tmp_path: Path) -> None:
    page = shown(make(str(tmp_path)).server.test_client(), "/")
    assert f"robustness run digits --results {tmp_path}" in page


def test_results_out_of_reach_are_a_page_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    client = make(str(tmp_path / "file")).server.test_client()
    for path in ("/", "/study/demo", "/study/demo/claims", "/study/demo/data"):
        page = shown(client, path)
        assert "The results cannot be read" in page
        assert str(tmp_path / "file") in page
    for path in ("study/demo/report", "study/demo/maps", "study/demo/claims/forest", "compare/performance"):
        answer = client.get(f"/{path}", base_url=HOME)
        assert answer.status_code == 503
        assert "results cannot be read" in answer.get_data(as_text=True)


def tell(client: FlaskClient, path: str, shown: Any = None, search: str = "") -> Any:
    outputs = "..facts.children...answer.children...shown.data...trouble.children...trouble.className.."
    return called(
        client,
        outputs,
        {"tick.n_intervals": 1, "asked.data": search},
        {"url.search": search, "url.pathname": path, "shown.data": shown},
    )


def test_the_answer_names_the_widest_basin_and_each_best_cell(client: FlaskClient) -> None:
    said = tell(client, "/study/demo")
    page = text(said)
    assert "more robust here" in page
    assert "test error in its best cell, chosen on other data:" in page
    assert "/study/demo?cell=adams~" in page.replace("%7E", "~")
    stamp = said.json["response"]["shown"]["data"]
    assert "answer" not in tell(client, "/study/demo", stamp).json["response"]
    assert "answer" in tell(client, "/study/demo", stamp, "?delta=2").json["response"]
    assert "within 2 points" in text(tell(client, "/study/demo", stamp, "?delta=2"))


def test_a_study_with_nothing_to_compare_is_answered_too(client: FlaskClient) -> None:
    assert "more robust" not in text(tell(client, "/study/none"))


def test_results_that_go_away_leave_the_page_as_it_is(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = make(str(results)).server.test_client()

    def away(*_: object) -> None:
        raise Unreachable("cannot list it: no answer")

    monkeypatch.setattr(Studies, "snapshot", away)
    answer = tell(client, "/study/demo")
    assert "cannot be read at the moment: cannot list it: no answer" in text(answer)
    assert "facts" not in answer.json["response"]
    listed = called(client, "listing.children", {"listing-tick.n_intervals": 1}, {"url.search": ""})
    assert "cannot be read at the moment" in text(listed)


def test_a_study_removed_while_it_is_looked_at_is_told(
    tmp_path: Path, runs: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "CHECK_S", 0.0)
    monkeypatch.setattr(stored, "REST", 0.0)
    root = synthetic_store.store(tmp_path / "demo", runs.iloc[:40])
    client = make(str(tmp_path)).server.test_client()
    assert client.get("/study/demo/maps", base_url=HOME).json["data"]
    for path in sorted(root.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    root.rmdir()
    assert "not stored any more" in text(tell(client, "/study/demo"))
    answer = client.get("/study/demo/maps", base_url=HOME)
    assert (answer.status_code, answer.json) == (404, {"problem": "This study is not stored any more."})
    assert "No study is stored here yet" in shown(client, "/")


@pytest.mark.filterwarnings("ignore::robustness.results.ResultsWarning")
def test_a_torn_file_and_one_that_is_no_study_file_leave_the_service_alive(tmp_path: Path, runs: pd.DataFrame) -> None:
    root = synthetic_store.store(tmp_path / "demo", runs.iloc[:400])
    torn = next((root / "runs").iterdir())
    torn.write_bytes(torn.read_bytes()[:-100])
    before = torn.read_bytes()
    (root / "study.yaml").write_text("name: [")
    (tmp_path / "odd" / "runs").mkdir(parents=True)
    client = make(str(tmp_path)).server.test_client()
    page = shown(client, "/")
    assert "study.yaml cannot be read" in page
    assert '"/study/odd"' in page
    assert client.get("/study/demo/maps", base_url=HOME).json["data"]
    assert "Shown without its study file" in text(tell(client, "/study/demo"))
    assert torn.read_bytes() == before  # who only looks moves nothing
    assert not (root / "set-aside").exists()


@pytest.mark.slow
def test_a_study_file_of_50_megabytes_is_not_read(tmp_path: Path, runs: pd.DataFrame) -> None:
    root = synthetic_store.store(tmp_path / "demo", runs.iloc[:40])
    with (root / "study.yaml").open("a") as file:
        file.write("# " + "x" * 50_000_000)
    client = make(str(tmp_path)).server.test_client()
    assert "at most 100 kB" in shown(client, "/")


def test_a_figure_is_sent_again_only_when_it_changed(client: FlaskClient) -> None:
    first = client.get("/study/half/maps?metric=train_loss", base_url=HOME)
    content = json.loads(first.get_data(as_text=True))
    assert content["wide"]["height"] != content["narrow"]["height"]
    tag = first.headers["ETag"]
    again = client.get("/study/half/maps?metric=train_loss", base_url=HOME, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    other = client.get("/study/half/maps?metric=grad_norm", base_url=HOME, headers={"If-None-Match": tag})
    assert other.status_code == 200
    packed = client.get("/study/half/maps", base_url=HOME, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < len(first.data) / 4
    nothing: Any = client.get("/study/none/maps", base_url=HOME).json
    assert nothing["problem"].startswith("Nothing is drawn: no run")
