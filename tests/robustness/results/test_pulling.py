"""Copying a stored study: what is missing, once, whatever happens meanwhile."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from robustness.cli import main
from robustness.results import Store, batches, compact, load, pull
from tests.support.stored_folders import Dying, KilledError, Memory, store_in
from tests.support.stored_rows import curve, failed, fill, folder, row


@pytest.fixture
def source(tmp_path: Path) -> Store:
    store = Store(tmp_path / "far" / "digits")
    content(store)
    return store


@pytest.fixture
def target(tmp_path: Path) -> Store:
    return Store(tmp_path / "near" / "digits")


def content(store: Store) -> None:
    fill(store, 1, 2, part="a")
    fill(store, 3, part="b")
    store.write("c", [row(3, host="other"), row(4, status="diverged")], [*curve(3, 1), *curve(4, 5)])
    store.write_failed(failed(2))
    store.write_failed(failed(5))
    store.write_study("name: digits\n")
    store.write_provenance({"host": "laptop"})


def same(one: Store, other: Store) -> None:
    pd.testing.assert_frame_equal(one.runs(), other.runs(), check_exact=True)
    pd.testing.assert_frame_equal(one.curves(), other.curves(), check_exact=True)


def parts(store: Store, name: str = "runs") -> list[str]:
    return [entry.name for entry in store.folder.entries(name)]


def test_a_copy_is_the_same_in_few_parts(source: Store, target: Store) -> None:
    done = pull(source, target)
    assert (done.runs, done.failed, done.stored) == (4, 1, 5)
    same(target, source)
    assert len(parts(target)) == 2
    assert parts(target) == parts(target, "curves")
    assert target.read_study() == "name: digits\n"
    assert target.read_provenance() == source.read_provenance() != []
    assert not (Path(target.root) / "sweep.json").exists()
    assert pd.read_parquet(folder(target))["run_id"].is_unique


def test_only_what_is_missing_comes(source: Store, target: Store) -> None:
    pull(source, target)
    before = parts(target)
    assert pull(source, target).runs == 0
    assert parts(target) == before
    fill(source, 5, 6, part="later")
    compact(source)
    done = pull(source, target)
    assert (done.runs, done.failed, done.stored) == (2, 0, 6)
    same(target, source)
    assert f"failed-{5:016x}.parquet" not in parts(target), "it has a result since"
    assert pd.read_parquet(folder(target))["run_id"].is_unique
    assert len(pd.read_parquet(folder(target, "curves"))) == len(source.curves())


def test_what_is_there_already_stays(source: Store, target: Store) -> None:
    target.write("mine", [row(1, host="mine")], curve(1, 2))
    target.write_failed(failed(2))
    target.write_failed(failed(9))
    done = pull(source, target)
    assert (done.runs, done.failed, done.stored) == (3, 1, 6)
    runs = target.runs().set_index("run_id")
    assert runs.loc[f"{1:016x}", "host"] == "mine"
    assert runs.loc[f"{2:016x}", "status"] == "completed"
    assert runs.loc[f"{9:016x}", "status"] == "failed"
    assert pd.read_parquet(folder(target))["run_id"].is_unique


def test_a_large_study_comes_in_several_parts(source: Store, target: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH_ROWS", 42)
    for number in range(10, 20):
        fill(source, number, part=f"p{number}")
    told: list[tuple[int, int]] = []
    pull(source, target, lambda done, total: told.append((done, total)))
    same(target, source)
    assert len([name for name in parts(target) if not name.startswith("failed")]) > 5
    assert told == [(done, 2 * (13 + 1)) for done in range(1, 29)]


@pytest.mark.slow
def test_a_pull_may_be_killed_before_any_operation() -> None:
    content(source := store_in(Memory({})))
    last = 0
    while True:
        target = store_in(Memory({}))
        try:
            pull(source, store_in(Dying(target.folder, last)))
            break
        except KilledError:
            pass
        assert pull(source, target).stored == 5
        same(target, source)
        assert parts(target) == parts(target, "curves")
        assert len(parts(target)) == 2
        last += 1
    assert last > 15


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(40))
def test_a_pull_beside_a_compaction_loses_nothing(moment: int) -> None:
    files: dict[str, bytes] = {}
    content(plain := store_in(Memory(files)))
    runs, curves = plain.runs(), plain.curves()
    steps = iter(range(1000))

    def step() -> None:
        if next(steps) == moment:
            compact(plain)

    target = store_in(Memory({}))
    pull(store_in(Memory(files, step)), target)
    pd.testing.assert_frame_equal(target.runs(), runs, check_exact=True)
    pd.testing.assert_frame_equal(target.curves(), curves, check_exact=True)


def test_the_commands(
    source: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    far, here = str(Path(source.root).parent), tmp_path / "results"
    assert main(["pull", "digits", "--results", far]) == 0
    assert capsys.readouterr().out == f"digits: 4 runs and 1 failed one pulled; {here} has 5 now\n"
    same(load("digits").store, source)
    assert main(["pull", "digits", "--results", far]) == 0
    assert capsys.readouterr().out == f"digits: nothing to pull; {here} has all of its 5 runs\n"
    assert main(["pull", "digits"]) == 2
    assert "say with --results where to pull it from" in capsys.readouterr().err
    assert main(["pull", "other", "--results", far]) == 1
    assert "no results of other" in capsys.readouterr().err
    assert main(["compact", "digits", "--results", far]) == 0
    assert capsys.readouterr().out == "digits: 5 parts became 2\n"
    assert main(["compact", "digits", "--results", far]) == 0
    assert capsys.readouterr().out == "digits: nothing to do, it has 2 parts\n"
