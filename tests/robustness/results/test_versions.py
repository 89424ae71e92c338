"""Stores that older versions wrote: what is read from them, and that no folder stays mixed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.figures import files
from analysis.service.app import make
from robustness.cli import main
from robustness.results import Store, compact, load, pull
from robustness.results.renewal import renew
from robustness.results.tables.schema import (
    ADDED_IN_2,
    ADDED_IN_3,
    CURVES,
    IDENTITY_COLUMNS,
    OUTCOME_COLUMNS,
    RUNS,
    VERSION_KEY,
)  # fmt: skip
from tests.support.published_cases import digested
from tests.support.service_pages import HOME
from tests.support.stored_folders import Dying, KilledError, Memory, store_in
from tests.support.stored_rows import curve, failed, fill, row
from tests.support.stored_versions import STORES, sweep

if TYPE_CHECKING:
    from collections.abc import Callable

VERSIONS = ("1", "2", "3")


def stored(version: str, to: Path) -> Store:
    """Return a copy of the study that this version of the columns wrote."""
    return Store(shutil.copytree(STORES / f"schema-{version}" / "small", to / "small"))


def versions(store: Store) -> set[str]:
    """Return the versions that the files of a store say."""
    files = [path for name in ("runs", "curves") for path in (Path(store.root) / name).glob("*.parquet")]
    return {pq.read_schema(path).metadata[VERSION_KEY].decode() for path in files}


def same(one: Store, other: Store) -> None:
    pd.testing.assert_frame_equal(one.runs(), other.runs(), check_exact=True)
    pd.testing.assert_frame_equal(one.curves(), other.curves(), check_exact=True)


@pytest.mark.parametrize("version", ["1", "2"])
def test_an_old_store_reads_as_if_it_had_been_trained_today(version: str) -> None:
    """The reference are the same runs, trained by the code of version 3."""
    old, new = (Store(STORES / f"schema-{each}" / "small", read_only=True) for each in (version, "3"))
    unknown = ADDED_IN_2 if version == "1" else ()
    columns = [name for name in (*IDENTITY_COLUMNS, *OUTCOME_COLUMNS) if name not in unknown]
    runs: Any = old.runs()
    pd.testing.assert_frame_equal(runs[columns], new.runs()[columns], check_exact=True)
    assert runs[list(unknown)].isna().all(axis=None)
    curves = [name for name in CURVES.names if name not in unknown]
    pd.testing.assert_frame_equal(old.curves()[curves], new.curves()[curves], check_exact=True)
    was = pd.concat(pd.read_parquet(path) for path in (STORES / f"schema-{version}" / "small" / "runs").iterdir())
    slow = was["run_id"][was["reason"] == "no better than chance"]
    assert len(slow) == 1
    now = runs.set_index("run_id").loc[slow].iloc[0]
    last = old.curves(slow).iloc[-1]
    assert (now["status"], now["test_error"], now["test_loss"]) == ("completed", last["test_error"], last["test_loss"])
    assert now["test_error"] >= now["baseline"] == 90


def pull_into(store: Store) -> None:
    other = Store(Path(store.root).parent / "other" / "small")
    fill(other, 5, part="zz")
    pull(other, store)


@pytest.mark.parametrize("writes", [sweep, compact, pull_into])
@pytest.mark.parametrize("version", ["1", "2"])
def test_no_folder_stays_mixed(version: str, writes: Callable[[Store], object], tmp_path: Path) -> None:
    """Of a folder whose first part is an old one, pandas and DuckDB then see every column of the newer parts."""
    store = stored(version, tmp_path)
    before = store.runs()
    store.write("zzz", [row(7)], curve(7))  # sorts last
    assert versions(store) == {version, "3"}
    assert "baseline" not in pd.read_parquet(Path(store.root) / "runs"), "what is to be cured"
    writes(store)
    assert versions(store) == {"3"}
    runs = pd.read_parquet(Path(store.root) / "runs")
    assert list(runs.columns) == RUNS.names
    assert list(pd.read_parquet(Path(store.root) / "curves").columns) == CURVES.names
    assert runs["baseline"].notna().all()
    query = "SELECT count(*), count(baseline), count(metric) FROM '{}/runs/*.parquet'"
    relation = duckdb.sql(query.format(store.root))
    assert relation is not None
    assert relation.fetchall() == [(len(runs),) * 3]
    after = store.runs()
    after = after[after["run_id"].isin(before["run_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(after, before, check_exact=True)


def test_a_store_of_this_version_is_not_touched(tmp_path: Path) -> None:
    store = stored("3", tmp_path)
    before = {path: path.stat().st_mtime_ns for path in Path(store.root).rglob("*.parquet")}
    assert renew(store).rewritten == 0
    assert {path: path.stat().st_mtime_ns for path in Path(store.root).rglob("*.parquet")} == before


def test_published_results_stay_as_they_are_and_are_migrated_in_memory(tmp_path: Path) -> None:
    store = stored("2", tmp_path)
    read_only = Store(store.root, read_only=True)
    assert renew(read_only).rewritten == 0
    digested(Path(store.root))
    compact_of_two = {path: path.read_bytes() for path in Path(store.root).rglob("*.parquet")}
    assert renew(store).rewritten == 0
    assert {path: path.read_bytes() for path in Path(store.root).rglob("*.parquet")} == compact_of_two
    assert set(load(store.root).runs["metric"]) == {"error"}


def test_a_renewal_may_be_killed_at_any_point(tmp_path: Path) -> None:
    files = {
        f"{name}/{path.name}": path.read_bytes()
        for name in ("runs", "curves")
        for path in (STORES / "schema-2" / "small" / name).iterdir()
    }
    expected = stored("2", tmp_path)
    killed = 0
    for last in range(1, 40, 4):
        folder = Memory(dict(files))
        try:
            renew(store_in(Dying(folder, last)))
        except KilledError:
            killed += 1
        same(store_in(folder), expected)
        renew(store_in(folder))
        same(store_in(folder), expected)
        assert {pq.read_schema(pa.BufferReader(data)).metadata[VERSION_KEY] for data in folder.files.values()} == {b"3"}
    assert 2 < killed < 10, "from the first operation to the last"


def test_what_one_part_tells_of_chance_holds_for_all(tmp_path: Path) -> None:
    """Of a workload of one's own, only a diverged run of an old store tells the error of chance."""
    store = Store(tmp_path / "small")
    mine = {"workload": "mine:Task", "workload_options": "{}"}
    chance = {"status": "diverged", "reason": "the loss was not finite in epoch 1", "test_error": 75.0}
    store.write("one", [row(1, **mine)], curve(1))
    store.write("two", [row(2, **mine, **chance)], curve(2))
    store.write_failed(failed(3, **mine, baseline=None))
    for path in (Path(store.root) / "runs").iterdir():
        old = pq.read_table(path).drop_columns(list(ADDED_IN_3)).replace_schema_metadata({VERSION_KEY: b"2"})
        pq.write_table(old, path)
    found = [75.0, 75.0, None]
    for _ in range(2):
        runs: Any = Store(store.root).runs().sort_values("run_id")
        assert runs["baseline"].astype(object).where(runs["baseline"].notna(), None).tolist() == found
        assert renew(store).rewritten in {0, 3}
    raw = pd.read_parquet(Path(store.root) / "runs").set_index("run_id")["baseline"]
    assert raw.dropna().tolist() == [75.0, 75.0]


@pytest.mark.parametrize(("name", "slow"), [("cifar10", 62), ("cifar10-decay", 6), ("digits-fine", 689)])
def test_published_runs_at_chance_keep_what_was_measured(name: str, slow: int) -> None:
    """Their curves tell, which were never anything else; as many were diverged without a loss that was not finite."""
    folder = Path(__file__).parents[3] / "published" / name
    runs = pd.read_parquet(folder / "runs").set_index("run_id")
    at_chance = runs[(runs["status"] == "completed") & (runs["test_error"] >= runs["baseline"])]
    assert len(at_chance) == slow
    curves = pd.read_parquet(folder / "curves")
    last = curves.sort_values("epoch").groupby("run_id").last().loc[at_chance.index]
    measured = ["train_loss", "test_loss", "test_error", "validation_error", "weight_norm"]
    pd.testing.assert_frame_equal(at_chance[measured], last[measured], check_exact=True)
    lost = runs[runs["status"] == "diverged"]
    assert lost["reason"].str.startswith("the loss was not finite").all()
    assert lost["test_error"].isna().all()
    least = curves.groupby("run_id")["test_error"].min().reindex(runs.index)
    pd.testing.assert_series_equal(runs["best_test_error"], least, check_exact=True, check_names=False)


def test_a_file_that_lost_its_version_is_judged_by_its_columns(tmp_path: Path) -> None:
    """As pandas rewrites it, and as results were published once."""
    store, expected = stored("1", tmp_path), stored("1", tmp_path / "kept")
    for path in Path(store.root).rglob("*.parquet"):
        pq.write_table(pq.read_table(path).replace_schema_metadata(None), path)
    same(store, expected)
    assert renew(store).rewritten == 2
    assert versions(store) == {"3"}
    same(store, expected)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_command_that_looks_opens_it(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = stored(version, tmp_path / "results")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROBUSTNESS_PUBLISHED", "")
    monkeypatch.setattr(files, "browser", lambda: None)  # no browser is started: drawn, and not painted
    monkeypatch.setattr(files, "export", lambda _, path: path)
    before = {path: path.read_bytes() for path in Path(store.root).rglob("*.parquet")}
    for words in (
        ["report", "small"], ["claims", "small"], ["compare", "small", "small"], ["list"],
        ["plan", "results/small/study.yaml"], ["figures", "small", "--figure", "basins"],
    ):  # fmt: skip
        assert main(words) == 0, words
    assert "24 runs, 24 stored" in capsys.readouterr().out
    client = make("results").server.test_client()
    for page in ("/", "/study/small", "/study/small/data", "/study/small/report", "/study/small/claims"):
        assert client.get(page, base_url=HOME).status_code == 200, page
    assert {path: path.read_bytes() for path in Path(store.root).rglob("*.parquet")} == before
    assert main(["pull", "small", "--to", "copy"]) == 0
    assert main(["compact", "small"]) == 0
    assert versions(store) == versions(Store("copy/small")) == {"3"}
    same(store, Store("copy/small"))
