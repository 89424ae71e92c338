"""Values that no run can have make a part a broken one, and are not written."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from robustness.results import ResultsWarning, SchemaError, Store, pull
from robustness.results.tables import parquet
from robustness.results.tables.arrow import to_table
from robustness.results.tables.schema import CURVES, RUNS
from tests.support.stored_rows import aside, curve, fill, folder, row

if TYPE_CHECKING:
    from pathlib import Path

IMPOSSIBLE = [
    ("test_error", -1e308),
    ("test_error", float("inf")),
    ("best_validation_error", 100.5),
    ("baseline", -90.0),
    ("duration_s", -1.0),
    ("weight_decay", -1e-4),
    ("lr", float("inf")),
    ("epochs", -1),
    ("seed", -2),
    ("best_epoch", 0),
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results" / "digits")


def put(store: Store, part: str, rows: list[dict[str, object]], name: str, value: object) -> None:
    """Write rows of which the first has a value that our own writers refuse."""
    table = to_table(rows, RUNS)
    values = [value, *table.column(name).to_pylist()[1:]]
    place = table.schema.get_field_index(name)
    table = table.set_column(place, table.schema.field(place), pa.array(values, table.schema.field(place).type))
    store.folder.write(f"runs/{part}.parquet", parquet.encode(table))
    store.folder.write(f"curves/{part}.parquet", parquet.encode(to_table([], CURVES)))


@pytest.mark.parametrize(("name", "value"), IMPOSSIBLE)
def test_an_impossible_value_makes_a_part_a_broken_one(store: Store, name: str, value: float) -> None:
    fill(store, 1)
    put(store, "bad", [row(2), row(3)], name, value)
    said = rf"runs/bad.parquet is not usable: column '{name}' is .* for run 0{{15}}2, not .*\(1 of its 2 rows\)"
    with pytest.warns(ResultsWarning, match=said) as warned:
        assert len(store.runs()) == 1
    assert "moved to set-aside/runs-bad.parquet, its runs count as missing" in str(warned[0].message)
    assert aside(store) == ["runs-bad.parquet"]


@pytest.mark.parametrize(("name", "value"), IMPOSSIBLE)
def test_nor_is_it_written(store: Store, name: str, value: float) -> None:
    with pytest.raises(SchemaError, match=f"column '{name}' is"):
        store.write("one", [row(1, **{name: value})], [])
    assert not folder(store).exists()


def test_nor_in_a_curve(store: Store) -> None:
    fill(store, 1)
    table = to_table(curve(2), CURVES)
    place = table.schema.get_field_index("test_error")
    store.write("two", [row(2)], [])
    table = table.set_column(place, table.schema.field(place), pa.array([1.0, -5.0, 2.0]))
    store.folder.write("curves/two.parquet", parquet.encode(table))
    with pytest.warns(ResultsWarning, match=r"curves/two.parquet is not usable: column 'test_error' is -5.0"):
        assert set(store.curves()["run_id"]) == {row(1)["run_id"]}
    assert len(store.runs()) == 2


def test_losses_may_be_anything(store: Store) -> None:
    losses = {"train_loss": float("inf"), "test_loss": -1e308, "grad_norm_sq": float("inf"), "grad_norm": float("inf")}
    store.write("one", [row(1, **losses, test_error=100.0, train_error=0.0)], [])
    assert len(store.runs()) == 1


def test_pulling_brings_the_good_parts_and_says_which_is_not(store: Store, tmp_path: Path) -> None:
    fill(store, 1)
    put(store, "bad", [row(2)], "test_error", -1e308)
    source, target = Store(store.root, read_only=True), Store(tmp_path / "there")
    with pytest.warns(ResultsWarning, match="runs/bad.parquet is not usable: column 'test_error' is"):
        done = pull(source, target)
    assert (done.runs, done.stored) == (1, 1)
    assert aside(store) == []
    with warnings.catch_warnings(record=True):
        assert set(target.runs()["run_id"]) == {row(1)["run_id"]}
