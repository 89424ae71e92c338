"""What does not belong in a store is noticed, set aside, and stops nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from robustness.results import ResultsWarning, StorageError, Store
from robustness.results.tables import parquet, schema
from robustness.results.tables.arrow import to_table
from robustness.results.tables.schema import CURVES, RUNS, SchemaError
from tests.support.stored_rows import aside, curve, fill, folder, row


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results" / "digits")


def test_every_truncation_is_noticed() -> None:
    data = parquet.encode(to_table([row(1), row(2)], RUNS))
    assert len(parquet.decode(data, RUNS, RUNS.names)) == 2
    for length in range(len(data)):
        with pytest.raises(SchemaError, match=r"empty|torn|damaged|no Parquet"):
            parquet.decode(data[:length], RUNS, ["run_id", "status"])


@pytest.mark.slow
def test_damage_is_noticed_or_harmless() -> None:
    table = to_table([row(1), row(2)], RUNS)
    data = bytearray(parquet.encode(table))
    pages = data.find(b"ARROW:schema")
    noticed = 0
    for position in range(4, pages, 7):
        damaged = bytearray(data)
        damaged[position] ^= 0x10
        try:
            assert parquet.decode(bytes(damaged), RUNS, RUNS.names).equals(table), position
        except (SchemaError, schema.NewerSchemaError):
            noticed += 1
    assert noticed > 100


def changed(name: str, values: pa.Array) -> bytes:
    table = to_table([row(1)], RUNS)
    return parquet.encode(table.set_column(table.schema.names.index(name), name, values))


def labeled(version: bytes) -> bytes:
    table = to_table([row(1)], RUNS)
    return parquet.encode(table.replace_schema_metadata({schema.VERSION_KEY: version}))


FOREIGN = {
    "empty": (b"", "empty"),
    "text": (b"hello, this is a text file", "no Parquet"),
    "another table": (parquet.encode(pa.table({"x": [1]})), "'run_id' is missing"),
    "curves": (parquet.encode(to_table(curve(1), CURVES)), "is missing"),
    "wrong type": (changed("lr", pa.array(["0.1"])), "'lr' is string, not double"),
    "float32": (changed("lr", pa.array([0.1], pa.float32())), "'lr' is float"),
    "fraction": (changed("seed", pa.array([0.5])), "'seed'"),
    "null": (changed("run_id", pa.array([None], pa.string())), "'run_id'"),
    "status": (changed("status", pa.array(["fine"])), "'status' holds fine"),
    "version": (labeled(b"zero"), "version"),
}


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("method", ["runs", "done"])
def test_a_foreign_file_is_set_aside_with_one_warning(store: Store, kind: str, method: str) -> None:
    data, reason = FOREIGN[kind]
    fill(store, 1)
    fill(store, 2, part="two")
    (folder(store) / "two.parquet").write_bytes(data)
    with pytest.warns(ResultsWarning) as caught:
        found = getattr(store, method)()
    assert len(found) == 1
    assert len(caught) == 1
    assert re.search(rf"runs/two\.parquet.*{re.escape(reason)}.*set-aside", str(caught[0].message))
    assert aside(store) == ["runs-two.parquet"]
    assert (folder(store, "set-aside") / "runs-two.parquet").read_bytes() == data
    assert store.done() == {f"{1:016x}"}  # no second warning: warnings are errors here
    assert len(pd.read_parquet(folder(store))) == 1


def test_setting_aside_never_overwrites(store: Store) -> None:
    for text in ("first", "second", "third"):
        fill(store, 1)
        (folder(store) / "two.parquet").write_text(text)
        with pytest.warns(ResultsWarning):
            store.runs()
    assert sorted(p.read_text() for p in folder(store, "set-aside").iterdir()) == ["first", "second", "third"]


def test_a_torn_curve_leaves_the_row(store: Store) -> None:
    fill(store, 1)
    path = folder(store, "curves") / "one.parquet"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.warns(ResultsWarning, match=r"curves/one\.parquet.*torn.*curves of its runs are missing"):
        assert len(store.curves()) == 0
    assert aside(store) == ["curves-one.parquet"]
    assert len(store.runs()) == 1


def test_a_folder_in_a_part_s_place_is_set_aside(store: Store) -> None:
    fill(store, 1)
    (folder(store) / "two.parquet").mkdir()
    (folder(store) / "two.parquet" / "x").write_text("x")
    with pytest.warns(ResultsWarning, match="no file"):
        assert len(store.runs()) == 1
    assert aside(store) == ["runs-two.parquet"]


def test_what_cannot_be_moved_is_ignored_with_one_warning(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store, 1)
    (folder(store) / "two.parquet").write_text("x")

    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.warns(ResultsWarning, match=r"ignored where it is.*Permission denied") as caught:
        counts = [len(store.runs()), len(store.done())]
    assert counts == [1, 1]
    assert len(caught) == 1


def test_other_files_are_left_alone(store: Store) -> None:
    fill(store, 1)
    for name in (".DS_Store", "README.md", "_SUCCESS", ".hidden.parquet", ".one.parquet.7-ab.tmp"):
        (folder(store) / name).write_text("x")
    assert len(store.runs()) == 1
    assert len(list(folder(store).iterdir())) == 6


def test_a_part_that_somebody_rewrote_is_accepted(store: Store) -> None:
    store.write("one", [row(1), row(2, best_epoch=None, validation_loss=None)], [])
    expected = store.runs()
    path = folder(store) / "one.parquet"
    mine = pd.read_parquet(path)[RUNS.names[::-1]].assign(note="good")
    mine.to_parquet(path)  # other order, another column, no version, best_epoch as float
    pd.testing.assert_frame_equal(store.runs(), expected)
    large = pq.read_table(path)
    for index, field in enumerate(large.schema):
        if field.type == pa.string():
            large = large.set_column(index, field.name, large.column(index).cast(pa.large_string()))
    pq.write_table(large, path)
    pd.testing.assert_frame_equal(store.runs(), expected)
    assert len(store.done()) == 2


def test_a_newer_version_is_never_set_aside(store: Store) -> None:
    newer = to_table([row(1)], RUNS).replace_schema_metadata({schema.VERSION_KEY: b"3"})
    fill(store, 2)
    (folder(store) / "two.parquet").write_bytes(parquet.encode(newer))
    for method in (store.runs, store.done):
        with pytest.raises(StorageError, match=r"two\.parquet was written by a newer version .*upgrade"):
            method()
    assert aside(store) == []


def test_an_older_version_is_migrated(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    old = to_table([row(1)], RUNS).drop_columns(list(schema.ADDED_IN_2))
    old = old.rename_columns([n if n != "root_mean_v" else "rms" for n in old.schema.names])
    fill(store, 2, part="two")
    (folder(store) / "one.parquet").write_bytes(parquet.encode(old.replace_schema_metadata({schema.VERSION_KEY: b"0"})))

    def rename(table: pa.Table) -> pa.Table:
        return table.rename_columns([n if n != "rms" else "root_mean_v" for n in table.schema.names])

    monkeypatch.setitem(schema.MIGRATIONS, 0, rename)
    assert list(store.runs()["root_mean_v"]) == [0.002, 0.002]
    assert len(store.done()) == 2


def test_version_1_gets_the_columns_that_it_lacks(store: Store) -> None:
    fill(store, 1)
    expected, curves = store.runs(), store.curves()
    for table, name in ((RUNS, "runs"), (CURVES, "curves")):
        (part,) = (Path(store.root) / name).glob("*.parquet")
        added = [column for column in schema.ADDED_IN_2 if column in table.names]
        assert added
        old = pq.read_table(part).drop_columns(added).replace_schema_metadata({schema.VERSION_KEY: b"1"})
        part.write_bytes(parquet.encode(old))
    again = Store(store.root)
    pd.testing.assert_frame_equal(again.runs(), expected)
    pd.testing.assert_frame_equal(again.curves(), curves)
    assert again.runs()["hessian_eigenvalues"].isna().all()
