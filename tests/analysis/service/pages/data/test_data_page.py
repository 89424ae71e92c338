"""The page of a study's runs: filters, order, what is downloaded, and the lines that read the same rows."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from analysis.service.app import make
from analysis.service.base.address import View
from analysis.service.pages.data.filters import Filter, FilterError
from analysis.service.pages.data.query import Query, duckdb_lines, pandas_lines
from robustness import Store
from robustness.results.tables.schema import CURVES, RUNS
from tests.support import synthetic_store
from tests.support.service_pages import HOME, called, found, page, words

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

FOLLOWED = "..data-body.children...data-of.data.."
EVIL = "o'brien\"; drop table runs; -- <script>alert(1)</script> ü\\"
STUDY = synthetic_store.STUDY.replace("points: 12", "points: 6").replace("points: 11", "points: 5")
QUERIES = {
    "none": {},
    "several": {"where": ["lr<=0.01", "status=completed", "seed!=1"], "sort": ["-test_error"]},
    "nothing recorded": {"where": ["reason=", "train_loss!="], "sort": ["duration_s"]},
    "texts": {"where": ["optimizer!=adam", f"device={EVIL}"], "sort": ["-status"]},
    "differs": {"where": [f"reason!={EVIL}"], "sort": ["-reason"]},
    "times": {"where": ["finished_at>=2020-01-01T00:00+01:00", "epochs>0"], "sort": ["-finished_at"]},
    "exactly": {"where": ["weight_decay=0", "lr!=0.0001"], "sort": ["train_loss"]},
    "no row": {"where": ["test_error<0"]},
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("results") / "it's 100% [mine]"
    runs = synthetic_store.of_study(STUDY)
    runs["device"] = runs["device"].where(runs["seed"] != 2, EVIL)
    runs["reason"] = runs["reason"].astype(object).where(runs["seed"] != 0, EVIL)
    runs.loc[runs.index[::7], "train_loss"] = None
    synthetic_store.store(root / "demo", runs, STUDY)
    again = runs.iloc[:5].assign(status="failed", reason="out of memory", epochs=0)
    for _, row in again.iterrows():
        Store(root / "demo").write_failed(
            {str(key): value for key, value in row.astype(object).where(row.notna(), None).items()}
        )
    synthetic_store.store(root / "none", runs.iloc[:0], synthetic_store.STUDY.replace("name: demo", "name: none"))
    return root


@pytest.fixture(scope="module")
def client(results: Path) -> FlaskClient:
    client: FlaskClient = make(str(results)).server.test_client()
    return client


def fetched(client: FlaskClient, file: str, keys: Any) -> io.BytesIO:
    with client.get(f"/study/demo/data/{file}?{urlencode(keys, doseq=True)}", base_url=HOME) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Disposition"] == f"attachment; filename=demo-{file}"
        return io.BytesIO(answer.get_data())


def assert_of_schema(table: pa.Table, schema: pa.Schema) -> None:
    assert table.schema.equals(schema)
    assert table.schema.metadata == schema.metadata
    for field in schema:
        assert table.schema.field(field.name).metadata.items() >= field.metadata.items()


def query_of(keys: Any) -> Query:
    return Query.of(View.parse("?" + urlencode(keys, doseq=True)))


@pytest.mark.parametrize("keys", QUERIES.values(), ids=QUERIES)
def test_the_download_and_the_lines_of_pandas_and_of_duckdb_have_the_same_rows(
    client: FlaskClient, results: Path, keys: dict[str, Any]
) -> None:
    table = pq.read_table(fetched(client, "runs.parquet", keys))
    query, root = query_of(keys), str(results / "demo")
    assert_of_schema(table, RUNS)
    assert not query.problems
    lines: dict[str, object] = {}
    exec(pandas_lines(query, root), lines)
    frame = lines["runs"]
    assert isinstance(frame, pd.DataFrame)
    ours = table.to_pandas()
    pd.testing.assert_frame_equal(frame.reset_index(drop=True), ours, check_dtype=False)
    relation = duckdb.sql(duckdb_lines(query, root))
    assert relation is not None
    answered = relation.to_arrow_table()
    assert answered.column_names == RUNS.names
    assert answered.cast(RUNS).to_pylist() == table.to_pylist()


def test_what_is_downloaded_is_what_the_filters_say(client: FlaskClient) -> None:
    everything = pq.read_table(fetched(client, "runs.parquet", {}))
    assert len(everything) == 324
    assert pc.sum(pc.equal(everything.column("status"), "failed")).as_py() == 0
    some = pq.read_table(fetched(client, "runs.parquet", QUERIES["several"])).to_pandas()
    all_of_it = everything.to_pandas()
    wanted = all_of_it[(all_of_it.lr <= 0.01) & (all_of_it.status == "completed") & (all_of_it.seed != 1)]
    assert set(some.run_id) == set(wanted.run_id)
    assert 0 < len(some) < 324
    assert some.test_error.is_monotonic_decreasing
    # What is not recorded differs from every text, and comes last.
    reasons = pq.read_table(fetched(client, "runs.parquet", QUERIES["differs"])).column("reason").to_pylist()
    assert reasons[-1] is None
    assert EVIL not in reasons


def test_csv_reads_back_to_the_same_values(client: FlaskClient) -> None:
    keys = QUERIES["several"]
    table = pq.read_table(fetched(client, "runs.parquet", keys))
    plain = pa.schema([pa.field(f.name, pa.string() if pa.types.is_list(f.type) else f.type) for f in RUNS])
    options = pyarrow.csv.ConvertOptions(column_types=plain, strings_can_be_null=True, quoted_strings_can_be_null=False)
    read = pyarrow.csv.read_csv(fetched(client, "runs.csv", keys), convert_options=options)
    assert read.column_names == RUNS.names
    for name in RUNS.names:
        assert read.column(name).to_pylist() == table.column(name).to_pylist(), name


def test_curves_are_those_of_the_runs_that_are_asked_for(
    client: FlaskClient, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.service.pages.data.downloads.CURVE_ROWS", 500)
    runs = pq.read_table(fetched(client, "runs.parquet", QUERIES["several"]))
    file = fetched(client, "curves.parquet", QUERIES["several"])
    assert pq.ParquetFile(file).num_row_groups > 1
    curves = pq.read_table(file)
    assert_of_schema(curves, CURVES)
    wanted = Store(results / "demo").curves(runs.column("run_id").to_pylist())
    pd.testing.assert_frame_equal(curves.to_pandas(), wanted, check_dtype=False)
    assert len(pq.read_table(fetched(client, "curves.parquet", QUERIES["no row"]))) == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nothing=1", "no column to filter by is called nothing"),
        ("hessian_eigenvalues=1", "no column to filter by is called hessian_eigenvalues"),
        ("__class__=1", "no column to filter by is called __class__"),
        ("status<b", "status is text, which can be compared by = and != alone"),
        ("lr<", "a value is missing after <"),
        ("lr=fast", "lr takes a number, not fast"),
        ("lr=nan", "lr takes a number, not nan"),
        ("lr=1e999", "lr takes a number, not 1e999"),
        ("seed=1.5", "seed takes a whole number, not 1.5"),
        ("epochs=99999999999", "epochs takes a whole number"),
        ("finished_at>yesterday", "finished_at takes a time as 2026-01-31T12:00, not yesterday"),
        ("status=a\x00b", "the value of status has characters that cannot be shown"),
        ("lr", "a filter is a column, one of = != < <= > >=, and a value"),
        ("status=" + "x" * 3000, "a filter is a column"),
    ],
)
def test_a_wrong_filter_is_told_and_ignored(client: FlaskClient, text: str, says: str) -> None:
    with pytest.raises(FilterError, match=says.replace("(", r"\(")):
        Filter.parse(text)
    shown = page(client, "/study/demo/data", f"?{urlencode({'where': text})}")
    assert says in words(shown)
    assert "324 runs" in words(shown)
    answer = client.get(f"/study/demo/data/runs.csv?{urlencode({'where': text})}", base_url=HOME)
    assert (answer.status_code, says in answer.get_data(as_text=True)) == (400, True)


def test_a_wrong_order_and_too_many_filters_are_told(client: FlaskClient) -> None:
    shown = words(page(client, "/study/demo/data", "?sort=-none&" + "&".join(f"where=seed!={n}" for n in range(9, 40))))
    assert "no column to sort by is called “none”" in shown
    assert "Only the first 20 filters are applied" in shown


def test_a_filter_is_written_as_it_is_read() -> None:
    for text in ("lr<=0.01", "reason=", f"device={EVIL}", "seed!=3", "finished_at>2026-01-01T00:00:00+00:00"):
        assert str(Filter.parse(text)) == text
        assert Filter.parse(str(Filter.parse(text))) == Filter.parse(text)


def test_the_table_has_fifty_rows_a_page_and_links_to_cells(client: FlaskClient) -> None:
    shown = page(client, "/study/demo/data", "?where=optimizer=adamw&sort=test_error&page=2")
    rows = found(found(shown, "Table", className="data"), "Tr")
    assert len(rows) == 51
    assert "108 of" in words(shown)
    assert "page 2 of 3" in words(shown)
    links = [one for one in found(shown, "A") if one.get("title") == "This cell on the map"]
    keys = parse_qs(urlsplit(links[0]["href"]).query)
    label, lr, decay = keys["cell"][0].split("~")
    assert urlsplit(links[0]["href"]).path == "/study/demo"
    assert label == "adamw"
    table = pq.read_table(fetched(client, "runs.parquet", {"where": "optimizer=adamw", "sort": "test_error"}))
    assert (float(lr), float(decay)) == (table.column("lr")[50].as_py(), table.column("weight_decay")[50].as_py())
    for beyond, which in (("99999", "page 3 of 3"), ("0", "page 1 of 3"), ("x", "page 1 of 3"), ("9" * 400, "page 1")):
        assert which in words(page(client, "/study/demo/data", f"?where=optimizer=adamw&page={beyond}"))


def test_a_head_sorts_up_then_down_then_not(client: FlaskClient) -> None:
    def head(search: str) -> dict[str, Any]:
        cells = found(page(client, "/study/demo/data", search), "Th", scope="col")
        return next(one for one in cells if "test_error" in words(one["children"]).split())

    first = head("?where=seed=1&page=3")
    assert "aria-sort" not in first
    assert first["children"]["props"]["href"] == "/study/demo/data?where=seed%3D1&sort=test_error"
    up, down = head("?sort=test_error"), head("?sort=-test_error")
    assert (up["aria-sort"], down["aria-sort"]) == ("ascending", "descending")
    assert up["children"]["props"]["href"].endswith("?sort=-test_error")
    assert down["children"]["props"]["href"] == "/study/demo/data"


def test_chips_take_filters_away_and_texts_stay_texts(client: FlaskClient) -> None:
    keys = urlencode({"where": [f"device={EVIL}", "seed=2"], "page": "2"}, doseq=True)
    shown = page(client, "/study/demo/data", f"?{keys}")
    chips = found(shown, "Ul", className="chips")
    removed = [one["href"] for one in found(chips, "A")]
    assert removed == [f"/study/demo/data?where={quote('seed=2')}", removed[1], "/study/demo/data"]
    assert parse_qs(urlsplit(removed[1]).query) == {"where": [f"device={EVIL}"]}
    assert words(chips).count("<script>") == 1
    assert "not recorded" in words(page(client, "/study/demo/data", "?where=reason="))


def test_every_column_can_be_shown(client: FlaskClient) -> None:
    some = len(found(page(client, "/study/demo/data"), "Th", scope="col"))
    every = found(page(client, "/study/demo/data", "?columns=all"), "Th", scope="col")
    assert some < len(every) == 1 + len(RUNS.names)
    assert all(one.get("title") or one["children"]["props"]["title"] for one in every)


def test_the_table_follows_the_address_by_itself(client: FlaskClient) -> None:
    def follow(path: str, shown: str | None = None) -> Any:
        inputs = {"url.search": "?where=seed=1", "data-tick.n_intervals": None}
        return called(client, FOLLOWED, inputs, {"url.pathname": path, "data-of.data": shown}).json["response"]

    answer = follow("/study/demo/data")
    assert "108 of" in words(answer["data-body"]["children"])
    assert follow("/study/demo/data", answer["data-of"]["data"]) == {}
    assert follow("/study/demo") == {}
    assert "not stored any more" in words(follow("/study/absent/data")["data-body"]["children"])


def test_nothing_stored_and_no_study_are_sentences(client: FlaskClient) -> None:
    assert "No run of this study is stored yet" in words(page(client, "/study/none/data"))
    assert "No such study" in words(page(client, "/study/absent/data"))
    assert "No run meets all of these filters" in words(page(client, "/study/demo/data", "?where=lr>9"))
    for path, status in (("/study/absent/data/runs.csv", 404), ("/study/demo/data/secret.csv", 404)):
        assert client.get(path, base_url=HOME).status_code == status
    assert len(pd.read_csv(io.BytesIO(client.get("/study/none/data/runs.csv", base_url=HOME).get_data()))) == 0
