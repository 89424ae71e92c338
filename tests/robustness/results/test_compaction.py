"""Compaction: fewer files, the same tables, whatever happens meanwhile."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from robustness.results import ResultsWarning, Store, batches, compact, compaction, parts
from robustness.results.tables import parquet
from tests.support.stored_compact import LATE, mixture, names, same, tables
from tests.support.stored_rows import curve, failed, fill, folder, row


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results" / "digits")


def test_the_tables_are_the_same_to_the_bit(store: Store) -> None:
    mixture(store)
    before = tables(store)
    told: list[tuple[int, int]] = []
    done = compact(store, lambda done, total: told.append((done, total)))
    assert told == [(n, 16) for n in range(1, 17)]
    assert (done.before, done.after, done.merged, done.bare) == (6, 2, 4, 0)
    same(tables(store), before)
    assert names(store) == names(store, "curves")
    merged, other = names(store)
    assert other == f"failed-{7:016x}", "the other failed run has a result meanwhile"
    raw = pd.read_parquet(folder(store))
    assert raw["run_id"].is_unique, "double rows are gone for those who read the folder themselves"
    assert len(pd.read_parquet(folder(store, "curves"))) == len(before[1])
    assert np.signbit(raw.set_index("run_id")["lr"][f"{4:016x}"])
    again = compact(store)
    assert (again.before, again.after, again.merged) == (2, 2, 0)
    assert merged in names(store)


def test_an_empty_store_and_one_part_are_nothing_to_do(store: Store) -> None:
    assert compact(store) == compaction.Compaction(0, 0, 0, 0)
    assert not Path(store.root).exists()
    fill(store, 1)
    store.write_failed(failed(2))
    assert compact(store) == compaction.Compaction(2, 2, 0, 0)


def test_large_parts_are_left_alone_and_small_ones_fill_batches(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH_ROWS", 100)
    monkeypatch.setattr(compaction, "BATCH_ROWS", 100)
    for number in range(10):  # rows of 1 + 20 epochs
        fill(store, number, part=f"p{number}")
    before = tables(store)
    store.write("large", [row(n) for n in range(10, 13)], [e for n in range(10, 13) for e in curve(n)])
    assert compact(store).merged == 10
    assert len(names(store)) == 4, "4 + 4 + 2, and the large one"
    assert "large" in names(store)
    same((store.runs().query("run_id < '000000000000000a'").reset_index(drop=True), before[1]), before)
    assert compact(store).merged == 0
    store.write("other", [row(12, finished_at=LATE)], [])
    assert compact(store).merged == 2, "a row is dropped only where the one that beats it is written anew"
    assert pd.read_parquet(folder(store))["run_id"].is_unique


def answered(query: str) -> list[tuple[Any, ...]]:
    relation = duckdb.sql(query)
    assert relation is not None
    return relation.fetchall()


def test_duckdb_reads_the_folder(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "LARGE", 0)
    document = (Path(__file__).parents[3] / "docs" / "results.md").read_text()
    query = document.split("```sql\n")[1].split("```")[0]
    mixture(store)
    monkeypatch.chdir(Path(store.root).parents[1])
    before = answered(query)
    assert before == [("adams", 3.5)]
    compact(store)
    assert answered(query) == before
    rows = answered("SELECT run_id, hessian_eigenvalues FROM 'results/digits/runs/*.parquet' ORDER BY ALL")
    assert len(rows) == 7
    assert rows[5][1] == [3.0, 1.0]


def test_curves_that_are_missing_or_broken_stop_nothing_and_their_parts_stay(store: Store) -> None:
    for number in range(5):
        fill(store, number, part=f"p{number}")
    (folder(store, "curves") / "p1.parquet").unlink()
    (folder(store, "curves") / "p3.parquet").write_bytes(b"PAR1 torn")
    with pytest.warns(ResultsWarning, match="curves of its runs are missing"):
        done = compact(store)
    assert (done.merged, done.bare, done.after) == (3, 2, 3)
    assert {"p1", "p3"} < set(names(store))
    assert set(store.curves()["run_id"]) == {f"{n:016x}" for n in (0, 2, 4)}
    assert len(store.runs()) == 5


def test_curves_without_rows_go_when_they_are_old(store: Store) -> None:
    fill(store, 1)
    fill(store, 2, part="old")
    fill(store, 3, part="young")
    for name in ("old", "young"):
        (folder(store) / f"{name}.parquet").unlink()
    os.utime(folder(store, "curves") / "old.parquet", (time.time() - 4000,) * 2)
    compact(store)
    assert names(store, "curves") == ["one", "young"], "a worker may be about to write its rows"


def test_a_note_that_is_unreadable_or_whose_part_is_lost_removes_nothing(store: Store) -> None:
    fill(store, 1)
    fill(store, 2, part="two")
    before = tables(store)
    for note in (b"", b"{", b"[]", b'{"part": "lost", "replaces": ["one", "two"]}', b'{"part": "x"}'):
        (Path(store.root) / parts.NOTE).write_bytes(note)
        compaction.Compactor(store, None).finish()
        same(tables(store), before)
