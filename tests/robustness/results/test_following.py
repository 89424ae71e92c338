"""Following a store: what is new is read, and nothing twice, whatever is written and merged meanwhile."""

from __future__ import annotations

import shutil
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from robustness.results import Following, StorageError, Store, compact
from robustness.results.files.local import LocalFolder
from robustness.results.parts import PartReader
from tests.support.noted import noted
from tests.support.stored_compact import mixture, same
from tests.support.stored_rows import FINISHED, curve, failed, fill, folder, row

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results" / "digits")


@pytest.fixture(name="read")
def record(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every part that is read, with its folder."""
    found: list[str] = []
    plain = PartReader.read_one

    def recording(self: PartReader, place: str, entry: Any, *rest: Any) -> Any:
        found.append(f"{place}/{entry.name.removesuffix('.parquet')}")
        return plain(self, place, entry, *rest)

    monkeypatch.setattr(PartReader, "read_one", recording)
    return found


def ids(*numbers: int) -> list[str]:
    return [f"{number:016x}" for number in numbers]


def equal(following: Following, store: Store) -> None:
    plain = Store(store.root)
    same((following.runs(), following.curves()), (plain.runs(), plain.curves()))
    for some in (ids(3), ids(4, 1, 99), []):
        columns = ["test_error", "lr"]
        same(
            (following.curves(some), following.curves(some, columns)), (plain.curves(some), plain.curves(some, columns))
        )


def test_only_what_is_new_is_read(store: Store, read: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    mixture(store)
    following = Following(store)
    assert following.text is None
    assert len(following.runs()) == len(following.curves()) == 0
    assert following.refresh()
    failures = [f"runs/failed-{run}" for run in ids(4, 7)]
    assert sorted(read) == ["runs/a", "runs/b", "runs/c", "runs/d", *failures]
    read.clear()
    assert not following.refresh()
    assert sorted(read) == failures
    store.remove_failed(ids(4, 7))
    read.clear()
    fill(store, 8, part="e")
    assert following.refresh()
    assert read == ["runs/e"]
    listed: list[str] = []
    plain = LocalFolder.entries
    monkeypatch.setattr(LocalFolder, "entries", lambda self, path="": noted(listed, path, plain(self, path)))
    read.clear()
    assert not following.refresh()
    assert (listed, read) == (["runs"], [])


def test_curves_come_from_the_parts_that_hold_the_rows(store: Store, read: list[str]) -> None:
    mixture(store)
    following = Following(store)
    following.refresh()
    read.clear()
    assert len(following.curves(ids(3))) == 3, "the earlier row is in b, a curve of 5 epochs in c"
    assert read == ["curves/b"]
    read.clear()
    assert len(following.curves(ids(2, 4))) == 10
    assert sorted(read) == ["curves/a", "curves/c"]
    assert following.curves([]).columns.equals(following.curves(ids(99)).columns)
    assert len(read) == 2


# What changes


def test_the_stamp_changes_with_everything_that_is_written(store: Store) -> None:
    following, stamps = Following(store), []
    assert following.refresh(), "the first time there is always something"
    assert not following.refresh()
    for change in (
        lambda: store.write_study("name: digits"),
        lambda: store.write_study("name: digits\n"),
        lambda: fill(store, 1, part="a"),
        lambda: store.write_failed(failed(2)),
        lambda: store.write_failed(failed(2, reason="another")),
        lambda: fill(store, 2, part="b"),
        lambda: store.remove_failed(ids(2)),
        lambda: compact(store),
        lambda: (folder(store, "study.yaml")).unlink(),
    ):
        stamps.append(following.stamp)
        change()
        assert following.refresh()
        assert not following.refresh()
        assert following.stamp not in stamps
        assert following.text == store.read_study()
        other = Following(Store(store.root))
        other.refresh()
        assert other.stamp == following.stamp, "nothing of it belongs to one process"
    equal(following, store)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.filterwarnings("ignore::robustness.results.ResultsWarning")
def test_it_equals_the_store_after_any_history(store: Store, seed: int) -> None:
    draw = np.random.default_rng(seed)
    following = Following(store)

    def write() -> None:
        numbers = sorted(set(draw.integers(0, 12, 3).tolist()))
        late = FINISHED + timedelta(seconds=int(draw.integers(5)))
        rows = [row(n, finished_at=late, test_error=float(draw.random())) for n in numbers]
        store.write(f"p{draw.integers(10**6)}", rows, [e for n in numbers for e in curve(n, int(draw.integers(1, 5)))])

    def fail() -> None:
        store.write_failed(failed(int(draw.integers(14)), reason=str(draw.random())))

    def tear() -> None:
        files = sorted(folder(store, str(draw.choice(["runs", "curves"]))).glob("*.parquet"))
        if files:
            path = files[draw.integers(len(files))]
            (path.parent / f"torn{draw.integers(10**6)}.parquet").write_bytes(path.read_bytes()[:-9])

    def lose() -> None:
        files = sorted(folder(store, str(draw.choice(["runs", "curves"]))).glob("*.parquet"))
        if files:
            files[draw.integers(len(files))].unlink()

    steps = [write, write, write, fail, tear, lose, lambda: store.remove_failed(ids(*range(6))), lambda: compact(store)]
    for _ in range(10):
        steps[draw.integers(len(steps))]()
        if draw.random() < 0.6:
            stamp = following.stamp
            assert following.refresh() >= (following.stamp != stamp)
            equal(following, store)


# What happens meanwhile


def test_parts_that_a_compaction_merged_are_found_again(store: Store) -> None:
    mixture(store)
    following = Following(store)
    following.refresh()
    stamp, before = following.stamp, (following.runs(), following.curves())
    compact(store)
    same((following.curves(ids(3, 5)), following.curves()), (store.curves(ids(3, 5)), before[1]))
    assert following.stamp != stamp
    assert following.refresh(), "nobody was told of it yet"
    assert not following.refresh()
    same((following.runs(), following.curves()), before)


def test_curves_that_are_gone_are_left_out(store: Store, read: list[str]) -> None:
    mixture(store)
    following = Following(store)
    following.refresh()
    (folder(store, "curves") / "b.parquet").unlink()
    read.clear()
    assert following.curves(ids(1, 3))["run_id"].unique().tolist() == ids(1)
    assert not [name for name in read if name in {"runs/a", "runs/b", "runs/c", "runs/d"}], "rows are known already"


def test_results_that_are_removed(store: Store) -> None:
    mixture(store)
    store.write_study("name: digits")
    following = Following(store)
    following.refresh()
    shutil.rmtree(store.root)
    assert len(following.curves(ids(1))) == 0
    assert following.refresh()
    assert (following.text, len(following.runs())) == (None, 0)


def test_a_store_that_is_away_changes_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    mixture(store)
    following = Following(store)
    following.refresh()
    before = following.stamp, following.runs()
    fill(store, 8, part="e")

    def away(*_: object) -> None:
        raise StorageError("away")

    with monkeypatch.context() as patch:
        patch.setattr(LocalFolder, "entries", away)
        with pytest.raises(StorageError, match="away"):
            following.refresh()
    assert following.stamp == before[0]
    pd.testing.assert_frame_equal(following.runs(), before[1])
    assert following.refresh()
    assert len(following.runs()) == len(before[1]) + 1


@pytest.mark.slow
def test_many_threads_read_while_it_grows_and_is_merged(store: Store) -> None:
    for number in range(6):
        fill(store, number, part=f"p{number}")
    following = Following(store)
    following.refresh()
    expected = {n: store.curves(ids(n, n + 1)) for n in range(5)}
    wrong: list[object] = []
    ended = threading.Event()

    def look(number: int) -> None:
        try:
            while not ended.is_set():
                pd.testing.assert_frame_equal(following.curves(ids(number, number + 1)), expected[number])
                following.refresh()
                assert following.runs()["run_id"].isin(ids(*range(6))).sum() == 6
        except (AssertionError, OSError, StorageError, KeyError, ValueError) as error:
            wrong.append(error)

    threads = [threading.Thread(target=look, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for number in range(6, 12):
        fill(store, number, part=f"p{number}")
        if number % 2:
            compact(store)
    ended.set()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[0]
    following.refresh()
    equal(following, store)
