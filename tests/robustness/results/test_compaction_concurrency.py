"""Compaction that is killed at any point, and beside readers, sweeps and other compactions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from robustness.results import StorageError, Store, compact, parts
from robustness.results.files.local import LocalFolder
from tests.support.stored_compact import mixture, names, same, tables
from tests.support.stored_folders import Dying, KilledError, Memory, Turns, store_in
from tests.support.stored_processes import kill, start_compactions, start_writer
from tests.support.stored_rows import fill, folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results" / "digits")


def stored(store: Store, name: str = "runs") -> list[str]:
    return [entry.name for entry in store.folder.entries(name)]


@pytest.mark.slow
def test_a_compaction_may_be_killed_before_any_operation() -> None:
    mixture(clean := store_in(Memory({})))
    before = tables(clean)
    compact(clean)
    last = 0
    while True:
        mixture(store := store_in(Memory({})))
        try:
            compact(store_in(Dying(store.folder, last)))
            break
        except KilledError:
            pass
        same(tables(store), before)
        compact(store)
        same(tables(store), before)
        assert stored(store) == stored(store, "curves")
        assert len(stored(store)) == len(stored(clean)) == 2
        last += 1
    assert last > 40


@pytest.mark.slow
def test_parts_that_came_after_a_kill_are_merged_too() -> None:
    killed = 0
    for last in range(1, 60, 3):
        mixture(store := store_in(folder := Memory({})))
        try:
            compact(store_in(Dying(folder, last)))
        except KilledError:
            killed += 1
        fill(store, 8, part="later")
        before = tables(store)
        compact(store)
        folder.old = set(folder.files)
        compact(store)
        same(tables(store), before)
        assert len(stored(store)) == 2
        assert stored(store) == stored(store, "curves")
    assert 13 < killed < 20, "from the first operation to the last"


def one_step_at_a_time(seed: int, *, may_die: bool) -> None:
    """Two compactions and a sweep, beside a reader that must never miss a run nor see one twice."""
    files: dict[str, bytes] = {}
    plain = store_in(Memory(files))
    for number in range(6):
        fill(plain, number, number + 1, part=plain.part_name([str(number)]))
    expected, curves = plain.runs(), plain.curves()
    turns = Turns(seed)

    def actor(name: str, action: Callable[[Store], object], *, mortal: bool) -> Callable[[], None]:
        return lambda: action(store_in(Memory(files, lambda: turns.step(name, may_die=mortal))))  # type: ignore[return-value]

    def read(store: Store) -> None:
        seen: set[str] = set()
        done: set[str] = set()
        for _ in range(3):
            runs, found = store.runs(), store.curves()
            old = runs["run_id"].isin(expected["run_id"])
            pd.testing.assert_frame_equal(runs[old].reset_index(drop=True), expected)
            pd.testing.assert_frame_equal(
                found[found["run_id"].isin(expected["run_id"])].reset_index(drop=True), curves
            )
            done |= store.done_since(seen)
            assert done >= set(expected["run_id"])

    def sweep(store: Store) -> None:
        for number in (20, 21, 22):
            fill(store, number, part=store.part_name([str(number)]))

    turns.run(
        {
            "one": actor("one", compact, mortal=may_die),
            "two": actor("two", compact, mortal=may_die),
            "reader": actor("reader", read, mortal=False),
            "sweep": actor("sweep", sweep, mortal=False),
        }
    )
    if turns.errors:
        raise turns.errors[0]
    compact(plain)
    plain.folder.old = set(files)  # type: ignore[attr-defined]
    compact(plain)
    assert len(plain.runs()) == len(plain.done()) == 10
    assert len(plain.curves()) == 30
    assert len([path for path in files if path.startswith("runs/")]) == 1
    assert {path[7:] for path in files if path.startswith("curves/")} == {p[5:] for p in files if p.startswith("runs/")}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_readers_sweeps_and_compactions_in_any_order(seed: int) -> None:
    one_step_at_a_time(seed, may_die=seed % 2 == 1)


def test_a_listing_that_sees_neither_the_old_parts_nor_the_new_one(store: Store) -> None:
    files: dict[str, bytes] = {}
    plain = store_in(Memory(files))
    fill(plain, 1, part="9a")
    fill(plain, 2, part="9b")
    new = "0" * 24
    steps = iter(range(100))

    def step() -> None:
        if next(steps) == 2:  # between the two halves of the first listing, after the note was read
            folder = Memory(files)
            merged = store_in(folder)
            fill(merged, 1, 2, part=new)
            folder.write(parts.NOTE, b"note")
            for name in ("9a", "9b"):
                folder.remove(f"runs/{name}.parquet")
                folder.remove(f"curves/{name}.parquet")

    assert len(store_in(Memory(files, step)).runs()) == 2


def test_curves_that_were_merged_after_their_rows_were_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        fill(store, number, part=f"p{number}")
    before = tables(store)
    plain = LocalFolder.entries
    once: list[str] = []

    def compact_first(self: LocalFolder, path: str = "") -> list[object]:
        if path == "curves" and not once:
            once.append(path)
            compact(Store(store.root))
        return plain(self, path)  # type: ignore[return-value]

    monkeypatch.setattr(LocalFolder, "entries", compact_first)
    assert len(store.curves()) == 12
    assert once
    same(tables(store), before)
    assert len(names(store)) == 1


def test_parts_that_vanish_for_ever_are_an_error_and_not_missing_rows(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, 1)
    plain = LocalFolder.read
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    monkeypatch.setattr(LocalFolder, "read", lambda self, path: None if path.startswith("runs") else plain(self, path))
    with pytest.raises(StorageError, match="vanish as fast as they are listed"):
        store.runs()
    assert sum(waits) > 60


@pytest.mark.slow
def test_compactions_that_are_killed_beside_a_sweep_and_a_reader(store: Store) -> None:
    random, seen = np.random.default_rng(11), 0
    writer = start_writer(store, 0)
    try:
        for _ in range(3):
            compactions = start_compactions(store)
            until = time.monotonic() + float(random.uniform(0.2, 0.8))
            try:
                while time.monotonic() < until:
                    runs = store.runs()  # warnings are errors: nothing was torn
                    curves = store.curves()
                    assert len(runs) >= seen
                    assert len(runs) % 10 == 0
                    assert runs["run_id"].is_unique
                    assert len(curves) % 30 == 0
                    assert len(curves) >= 3 * len(runs)
                    seen = len(runs)
            finally:
                kill(compactions)
    finally:
        kill(writer)
    runs, curves = tables(store)
    assert len(runs) >= seen > 0
    compact(store)
    same(tables(store), (runs, curves))
    # Who is killed while it writes leaves a temporary file, which readers skip.
    assert len([name for name in names(store) if not name.startswith(".")]) == 1
    assert pd.read_parquet(folder(store))["run_id"].is_unique
