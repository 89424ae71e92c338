"""A small file that would take much memory is a broken part; what workers and compactions write never is."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from robustness.results import ResultsWarning, SchemaError, Store
from robustness.results.tables import parquet
from robustness.results.tables.arrow import to_table
from robustness.results.tables.schema import CURVES, RUNS
from tests.support.stored_rows import aside, curve, fill, folder, row

if TYPE_CHECKING:
    from pathlib import Path


def packed(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", **options)
    return sink.getvalue()


def equal_rows(count: int, **changes: Any) -> pa.Table:
    return to_table([row(1, **changes)], RUNS).take(pa.array(np.zeros(count, dtype=np.int64)))


def refused(data: bytes, schema: pa.Schema = RUNS) -> int:
    """Return how many bytes were taken at most until the file was refused."""
    before: int = pa.total_allocated_bytes()
    with pytest.raises(SchemaError, match=r"rows would take more than .* MB of memory"):
        parquet.decode(data, schema)
    after: int = pa.total_allocated_bytes()
    return after - before


def test_equal_rows_are_refused_unread() -> None:
    data = packed(equal_rows(100_000))
    assert len(data) < 100_000
    assert refused(data) < 2**20


def test_a_long_text_that_comes_again_and_again_is_refused() -> None:
    data = packed(equal_rows(2_000, reason=None, workload_options=f'{{"note": "{"x" * 100_000}"}}'))
    assert refused(data) < 2**20


def test_texts_packed_by_their_common_beginnings_are_refused() -> None:
    table = equal_rows(2_000, optimizer_options=f'{{"note": "{"x" * 20_000}"}}')
    assert refused(packed(table, use_dictionary=False, column_encoding={"optimizer_options": "DELTA_BYTE_ARRAY"})) == 0


def test_long_lists_are_refused() -> None:
    assert refused(packed(to_table([row(1, hessian_eigenvalues=[1.0] * 5_000_000)], RUNS))) == 0


def test_curves_likewise() -> None:
    table = to_table(curve(1, 1), CURVES).take(pa.array(np.zeros(1_000_000, dtype=np.int64)))
    assert refused(packed(table, row_group_size=2**20), CURVES) < 2**20


def test_such_a_part_is_set_aside_like_a_broken_one(tmp_path: Path) -> None:
    store = Store(tmp_path / "digits")
    fill(store, 1)
    (folder(store) / "bomb.parquet").write_bytes(packed(equal_rows(100_000)))
    with pytest.warns(ResultsWarning, match="runs/bomb.parquet is not usable: its 100000 rows would take more than"):
        assert len(store.runs()) == 1
    assert aside(store) == ["runs-bomb.parquet"]


@pytest.mark.parametrize("encode", [parquet.encode, parquet.encode_small])
def test_what_is_ours_is_read_however_well_it_packs(encode: Any) -> None:
    runs, epochs = 400, 100
    ids = np.repeat([f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}" for number in range(runs)], epochs)
    # Networks that learn nothing: of each run every epoch is like the first.
    table = to_table(curve(1, 1), CURVES).take(pa.array(np.zeros(len(ids), dtype=np.int64)))
    table = table.set_column(0, CURVES.field(0), pa.array(ids)).set_column(
        1, CURVES.field(1), pa.array(np.tile(np.arange(1, epochs + 1, dtype=np.int32), runs))
    )
    losses = pa.array(np.repeat(np.random.default_rng(0).random(runs), epochs))
    for name in ("train_loss", "test_loss", "grad_norm", "grad_norm_sq", "weight_norm"):
        place = CURVES.get_field_index(name)
        table = table.set_column(place, CURVES.field(place), losses)
    assert table.nbytes > parquet.LARGE
    assert parquet.decode(encode(table), CURVES).equals(table)
