"""Curves of some runs, and some of their columns: no more of a large part is read than that takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from robustness.results import Following, ResultsWarning, Store, compact
from robustness.results.files.local import LocalFolder
from robustness.results.tables import parquet
from tests.support.stored_compact import mixture
from tests.support.stored_rows import fill, folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results" / "digits")


def ids(*numbers: int) -> list[str]:
    return [f"{number:016x}" for number in numbers]


def test_columns(store: Store) -> None:
    mixture(store)
    whole = store.curves()
    some = store.curves(columns=["test_loss", "epoch", "lr"])
    pd.testing.assert_frame_equal(some, whole[["run_id", "epoch", "lr", "test_loss"]], check_exact=True)
    assert list(store.curves([], columns=[]).columns) == ["run_id", "epoch"]
    with pytest.raises(ValueError, match="curves have no column nope"):
        store.curves(columns=["nope"])


@pytest.fixture(name="large")
def make_large(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """One part of 40 runs with 3 epochs, of which each row group holds 6 runs."""
    monkeypatch.setattr(parquet, "LARGE", 0)
    monkeypatch.setattr(parquet, "ROW_GROUP", 18)
    for number in range(0, 40, 4):
        fill(store, *range(number, number + 4), part=f"p{number}")
    compact(store)
    return store


def test_a_large_part_is_read_by_row_groups(large: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = large.curves()
    groups: list[int] = []
    plain = pq.ParquetFile.read_row_groups

    def recording(self: pq.ParquetFile, places: list[int], *rest: Any, **options: Any) -> Any:
        groups.extend(places)
        return plain(self, places, *rest, **options)

    def never(_self: LocalFolder, path: str) -> bytes | None:
        assert not path.startswith("curves"), "no more of a local file is read than that takes"
        return (Path(large.root) / path).read_bytes() if (Path(large.root) / path).exists() else None

    following = Following(large)
    following.refresh()
    monkeypatch.setattr(LocalFolder, "read", never)
    monkeypatch.setattr(pq.ParquetFile, "read_row_groups", recording)
    found = following.curves(ids(7, 6, 39))
    assert groups == [1, 6]
    some = whole[whole["run_id"].isin(ids(6, 7, 39))].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, some, check_exact=True)


@pytest.mark.parametrize("options", [{"write_statistics": False}, {"row_group_size": 7}, {"use_dictionary": False}])
def test_large_parts_of_other_writers(large: Store, options: dict[str, Any]) -> None:
    whole = large.curves()
    (path,) = folder(large, "curves").iterdir()
    table = pq.read_table(path)
    column = table.schema.names.index("run_id")
    if "use_dictionary" in options:
        table = table.set_column(column, "run_id", table["run_id"].cast("large_string"))
    pq.write_table(table.take(np.random.default_rng(0).permutation(len(table))), path, **options)
    for some in (ids(7, 6, 39), ids(0), ids(99), ids(*range(40))):
        expected = whole[whole["run_id"].isin(some)].reset_index(drop=True)
        pd.testing.assert_frame_equal(large.curves(some), expected, check_exact=True)
        assert list(large.curves(some, ["lr"]).columns) == ["run_id", "epoch", "lr"]


def test_a_damaged_large_part_is_set_aside_as_ever(large: Store) -> None:
    (path,) = folder(large, "curves").iterdir()
    data = bytearray(path.read_bytes())
    file = pq.ParquetFile(path)
    start = file.metadata.row_group(0).column(3).data_page_offset
    data[start + 25 : start + 60] = bytes(35)
    path.write_bytes(data)
    assert len(large.curves(ids(39))) == 3, "another row group is whole"
    with pytest.warns(ResultsWarning, match="it is damaged"):
        assert len(large.curves(ids(0))) == 0
    assert not path.exists()
