"""What does not belong in a store is noticed, set aside, and stops nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from robustness.results import ResultsWarning, StorageError, Store
from robustness.results.tables import migration, parquet, schema
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
    newer = to_table([row(1)], RUNS).replace_schema_metadata({schema.VERSION_KEY: b"4"})
    fill(store, 2)
    (folder(store) / "two.parquet").write_bytes(parquet.encode(newer))
    for method in (store.runs, store.done):
        with pytest.raises(StorageError, match=r"two\.parquet was written by a newer version .*upgrade"):
            method()
    assert aside(store) == []


NEW_IN_3 = ("label", "baseline", "metric", "code", "origin", "copied_from", "arithmetic")


def write_version_2(store: Store, runs: list[dict[str, Any]], curves: list[dict[str, Any]]) -> None:
    """Write a part as version 2 did: without the columns of version 3."""
    store.write("old", [row(99) | each for each in runs], curves)
    for name, dropped in (("runs", NEW_IN_3), ("curves", ())):
        part = Path(store.root) / name / "old.parquet"
        old = pq.read_table(part).drop_columns(list(dropped)).replace_schema_metadata({schema.VERSION_KEY: b"2"})
        part.write_bytes(parquet.encode(old))


def test_version_2_called_slow_learners_diverged(store: Store) -> None:
    chance: dict[str, Any] = {"status": "diverged", "test_error": 90.0, "validation_error": 90.0, "train_error": 90.0}
    chance |= {"best_test_error": 90.0, "test_error_at_best": 90.0, "best_validation_error": 90.0, "best_epoch": None}
    chance |= {"test_loss": None, "grad_norm": None, "weight_norm": None}
    slow = chance | {"run_id": "slow", "reason": "no better than chance", "epochs": 3}
    lost = chance | {"run_id": "lost", "reason": "the loss was not finite in epoch 3", "epochs": 2}
    never = chance | {"run_id": "never", "reason": "the loss was not finite in epoch 1", "epochs": 0}
    good = {"run_id": "good", "status": "completed", "reason": None}
    errors = {"slow": [95.0, 89.0, 91.5], "lost": [60.0, 50.0]}
    curves = [
        {**point, "run_id": run, "test_error": error, "validation_error": error + 1, "test_loss": error / 10}
        for run, values in errors.items()
        for point, error in zip(curve(99, len(values)), values, strict=True)
    ]
    write_version_2(store, [slow, lost, never, good], curves)
    found = store.runs().set_index("run_id")
    assert (found["baseline"] == 90).all()
    assert found["status"].to_dict() == {
        "slow": "completed", "lost": "diverged", "never": "diverged", "good": "completed"
    }  # fmt: skip
    one = found.loc["slow"]
    assert (one["test_error"], one["validation_error"], one["test_loss"], one["grad_norm"]) == (91.5, 92.5, 9.15, 0.5)
    assert (one["best_epoch"], one["best_test_error"], one["best_validation_error"]) == (2, 89.0, 90.0)
    assert pd.isna(one["reason"])
    other = found.loc["lost"]
    assert other[["test_error", "validation_error", "train_error", "test_loss"]].isna().all()
    assert (other["best_epoch"], other["best_test_error"], other["test_error_at_best"]) == (2, 50.0, 50.0)
    assert found.loc["never", ["test_error", "best_test_error", "best_epoch"]].isna().all()
    assert set(found["metric"]) == {"error"}
    assert set(found["origin"]) == {"sweep"}
    assert found[["label", "code", "copied_from", "arithmetic"]].isna().all(axis=None)
    assert store.done() == {"slow", "lost", "never", "good"}


def test_version_1_gets_the_columns_that_it_lacks(store: Store) -> None:
    fill(store, 1)
    # Nobody knows what the study called it then, nor how it was computed.
    expected, curves = store.runs().drop(columns=["label", "arithmetic"]), store.curves()
    for table, name in ((RUNS, "runs"), (CURVES, "curves")):
        (part,) = (Path(store.root) / name).glob("*.parquet")
        added = [column for column in migration.ADDED_IN_2 if column in table.names]
        assert added
        old = (
            pq.read_table(part)
            .drop_columns([*added, *(NEW_IN_3 if name == "runs" else ())])
            .replace_schema_metadata({schema.VERSION_KEY: b"1"})
        )
        part.write_bytes(parquet.encode(old))
    again = Store(store.root)
    pd.testing.assert_frame_equal(again.runs()[expected.columns], expected)
    assert again.runs()[["label", "arithmetic"]].isna().all(axis=None)
    pd.testing.assert_frame_equal(again.curves(), curves)
    assert again.runs()["hessian_eigenvalues"].isna().all()
