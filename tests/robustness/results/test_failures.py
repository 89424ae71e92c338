"""Full disks, killed writers and readers beside them."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from robustness.results import StorageError, Store
from tests.support.stored_processes import kill, start_writer
from tests.support.stored_rows import aside, fill, folder

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results" / "digits")


def test_a_full_disk_is_a_clear_error_and_leaves_stored_runs(tmp_path: Path) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    try:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(mount)], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"needs the right to mount a small tmpfs: {error}")
    try:
        store, stored = Store(mount / "digits"), 0
        message = ""
        while not message and stored < 100:
            try:
                fill(store, stored, part=f"p{stored}")
                stored += 1
            except StorageError as caught:
                message = str(caught)
        assert re.search(rf"cannot write {mount}/digits/(runs|curves)/p\d+.*disk is full", message)
        assert 2 < stored < 50
        assert not [p for p in mount.rglob("*") if p.name.startswith(".")]
        assert len(store.runs()) == len(store.done()) == stored
        (mount / "digits" / "curves" / f"p{stored - 1}.parquet").unlink()  # room again
        (mount / "digits" / "runs" / f"p{stored - 1}.parquet").unlink()
        fill(store, stored - 1, part="again")
        assert len(store.runs()) == stored
    finally:
        subprocess.run(["umount", str(mount)], check=True)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_fails_late_leaves_no_temporary_file(
    store: Store, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    fill(store, 1)

    def fail(*arguments: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("os.fsync" if call == "fsync" else "pathlib.Path.replace", fail)
    with pytest.raises(StorageError, match=r"cannot write .*/curves/two\.parquet: Input/output error"):
        fill(store, 2, part="two")
    monkeypatch.undo()
    names = [p.name for p in Path(store.root).rglob("*") if p.is_file()]
    assert names == ["one.parquet", "one.parquet"]


def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(
        StorageError, match=r"cannot write .*/file/digits/curves/one\.parquet: a file stands where a folder"
    ):
        fill(Store(tmp_path / "file" / "digits"), 1)


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Act as an ordinary user: to the superuser nothing is forbidden."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_permission_denied_is_a_clear_error(unprivileged: None) -> None:
    with tempfile.TemporaryDirectory() as folder:  # not tmp_path, which root's own folder hides from others
        root = Path(folder) / "digits"
        root.mkdir(mode=0o500)
        with pytest.raises(
            StorageError, match=r"cannot write .*/digits/curves/one\.parquet: Permission denied; check who owns"
        ):
            fill(Store(root), 1)
        assert list(root.iterdir()) == []


def test_a_file_that_cannot_be_read_is_an_error_and_not_set_aside(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, 1)

    plain = os.open

    def fail(path: str, flags: int, *more: Any, **named: Any) -> int:
        if str(path).endswith(".parquet"):
            raise OSError(5, "Input/output error")
        return plain(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(StorageError, match=r"cannot read .*/runs/one\.parquet: Input/output error"):
        store.runs()
    assert aside(store) == []


NOBODY = 65534


@pytest.mark.slow
def test_sigkill_of_a_writer_leaves_every_file_whole(store: Store) -> None:
    random, rows, next_part = np.random.default_rng(7), 0, 0
    for _ in range(20):
        process = start_writer(store, next_part)  # goes on where the last one was killed, as a resume does
        time.sleep(float(random.uniform(0.001, 0.12)))
        kill(process)
        table = store.runs()  # warnings are errors: nothing was torn
        assert table["run_id"].is_unique
        assert len(table) >= rows
        rows = len(table)
        next_part = rows // 10
    raw = pd.read_parquet(folder(store))
    assert len(raw) == rows > 50
    assert raw["run_id"].is_unique
    assert len(store.curves()) == 3 * rows
    for path in [*folder(store).glob("*.parquet"), *folder(store, "curves").glob("*.parquet")]:
        assert not path.name.startswith(".")
        pq.read_table(path)


@pytest.mark.slow
def test_readers_beside_a_writer_see_whole_parts(store: Store) -> None:
    process = start_writer(store, 0)
    try:
        until, seen = time.monotonic() + 1.5, 0
        while time.monotonic() < until:
            runs, curves = store.runs(), store.curves()
            assert len(runs) >= seen
            seen = len(runs)
            assert seen % 10 == 0
            assert len(curves) % 30 == 0
            assert len(pd.read_parquet(folder(store))) >= seen if seen else True
        assert seen > 0
    finally:
        kill(process)


def test_many_writers_of_one_part(store: Store) -> None:
    problems: list[StorageError] = []

    def write() -> None:
        try:
            for _ in range(10):
                fill(Store(store.root), 1, 2, 3)
        except StorageError as error:
            problems.append(error)

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert [p.name for p in folder(store).iterdir()] == ["one.parquet"]
    assert len(store.runs()) == 3
    assert len(store.curves()) == 9


def test_clean_removes_old_temporary_files_only(store: Store) -> None:
    fill(store, 1)
    old, new, other = (folder(store) / n for n in (".a.parquet.1-ab.tmp", ".b.parquet.1-ab.tmp", ".DS_Store"))
    for path in (old, new, other):
        path.write_text("x")
    for path in (old, other, folder(store) / "one.parquet"):
        os.utime(path, (time.time() - 4000,) * 2)
    store.clean()
    assert not old.exists()
    assert new.exists()
    assert other.exists()
    assert len(store.runs()) == 1
