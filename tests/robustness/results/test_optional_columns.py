"""Columns beyond the schema: kept, united, and never lost where a part without them comes first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from robustness.results import Store, compact, load, pull
from robustness.results.tables.optional import united
from robustness.results.tables.schema import CURVES, RUNS
from tests.support.stored_rows import failed, fill
from tests.support.stored_versions import STORES, sweep

if TYPE_CHECKING:
    from collections.abc import Callable

ADDED = pa.field("x_mood", pa.string(), metadata={"description": "How it felt.", "role": "outcome"})
METRIC = pa.field("test_accuracy", pa.float64(), metadata={"unit": "%", "direction": "up", "role": "outcome"})


def with_optional(store: Store) -> None:
    """Write two parts, the first by name without optional columns, the other with some in rows and curves."""
    fill(store, 1, part="a")
    fill(store, 2, part="b")
    for name in ("runs", "curves"):
        path = Path(store.root) / name / "b.parquet"
        table = pq.read_table(path)
        table = table.append_column(METRIC, pa.array([97.5] * len(table)))
        if name == "runs":
            table = table.append_column(ADDED, pa.array(["good"])).append_column("other", pa.array([1]))
        pq.write_table(table, path)


@pytest.mark.parametrize("writes", [sweep, compact, None])
def test_optional_columns_are_kept_with_what_is_said_of_them(
    writes: Callable[[Store], object] | None, tmp_path: Path
) -> None:
    store = Store(tmp_path / "far" / "small")
    with_optional(store)
    store.write_failed(failed(3))
    store.write_study((STORES / "schema-3" / "small" / "study.yaml").read_text())
    if writes is None:
        target = Store(tmp_path / "near" / "small")
        fill(target, 9, part="0")
        pull(store, target)
        store = target
    else:
        writes(store)
    results = load(store.root)
    runs: Any = results.runs.set_index("run_id")
    assert runs.columns[-2:].tolist() == ["test_accuracy", "x_mood"], "any other column is not ours to keep"
    assert runs.loc[f"{2:016x}", ["test_accuracy", "x_mood"]].tolist() == [97.5, "good"]
    assert runs.loc[f"{1:016x}", ["test_accuracy", "x_mood"]].isna().all()
    curves: Any = results.curves.set_index("run_id")
    assert (curves.loc[f"{2:016x}", "test_accuracy"] == 97.5).all()
    assert curves.loc[f"{1:016x}", "test_accuracy"].isna().all()
    assert store.curves([f"{2:016x}"], ["test_accuracy"]).columns.tolist() == ["run_id", "epoch", "test_accuracy"]
    for name, schema, fields in (("runs", RUNS, [METRIC, ADDED]), ("curves", CURVES, [METRIC])):
        for path in (Path(store.root) / name).iterdir():
            found = pq.read_schema(path)
            names = [name for name in found.names if name != "other"]  # of a part that needs no rewriting, it stays
            assert names == [*schema.names, *(field.name for field in fields)], "for who reads the folder alone"
            assert all(found.field(field.name).equals(field, check_metadata=True) for field in fields)


def test_a_column_that_no_part_has_is_an_error(tmp_path: Path) -> None:
    store = Store(tmp_path / "small")
    with_optional(store)
    with pytest.raises(ValueError, match="curves have no column x_mood"):
        store.curves(columns=["x_mood"])


def test_kinds_that_differ_are_united() -> None:
    kinds = [pa.int32(), pa.float32(), pa.large_string(), pa.dictionary(pa.int8(), pa.string()), pa.list_(pa.int8())]
    schemas = [pa.schema([("x_a", kind)]) for kind in kinds]
    expected = [pa.int64(), pa.float64(), pa.string(), pa.string()]
    assert [united([schema], RUNS)[0].type for schema in schemas[:-1]] == expected
    assert united(schemas[-1:], RUNS) == []
    assert united(schemas[:2], RUNS)[0].type == pa.float64()
    assert united(schemas, RUNS)[0].type == pa.string()
