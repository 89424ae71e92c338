"""The store on a local disk: what goes in comes out, once."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robustness.results import Store
from robustness.results.tables import parquet
from robustness.results.tables.arrow import to_table
from robustness.results.tables.schema import CURVES, RUNS, SchemaError
from tests.support.stored_rows import FINISHED, curve, failed, fill, folder, row


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results" / "digits")


def test_an_empty_store_has_typed_empty_tables(store: Store) -> None:
    assert list(store.runs().columns) == RUNS.names
    assert list(store.curves().columns) == CURVES.names
    assert len(store.runs()) == len(store.curves()) == 0
    fill(store, 1)
    assert (Store(f"{store.root}-none").runs().dtypes == store.runs().dtypes).all()
    assert store.done() == {f"{1:016x}"}
    assert not Store(f"{store.root}-none").exists()


def test_every_type_comes_back_to_the_bit(store: Store) -> None:
    odd = row(
        2, lr=-0.0, train_loss=float("inf"), test_loss=float("-inf"), grad_norm=5e-324, reason='a "line"\nñ☃\0',
        validation_loss=None, best_epoch=None, root_mean_v=float("nan"), seed=2**62, steps=2**53 + 1,
    )  # fmt: skip
    store.write("one", [row(1), odd], [])
    table = store.runs().set_index("run_id")
    back = table.loc[odd["run_id"]]
    for name, value in odd.items():
        if name == "run_id":
            continue
        if pd.isna(value):
            assert pd.isna(back[name]), name
        else:
            assert back[name] == value, name
    assert np.signbit(back["lr"])
    assert table["steps"].dtype == "Int64"
    assert table["best_epoch"].dtype == "Int32"
    assert back["finished_at"] == pd.Timestamp(FINISHED)
    raw = pq.read_table(folder(store) / "one.parquet")
    assert raw.column("root_mean_v").null_count == 1  # NaN is stored as null
    assert raw.schema.remove_metadata().equals(RUNS.remove_metadata())


finite_or_not = st.one_of(st.none(), st.floats(width=64))


@settings(max_examples=40, deadline=None)
@given(
    data=st.lists(
        st.fixed_dictionaries(
            {
                "lr": st.floats(0, allow_nan=False, allow_infinity=False),
                "seed": st.integers(0, 2**63 - 1),
                "reason": st.one_of(st.none(), st.text()),
                "test_loss": finite_or_not,
                "best_epoch": st.one_of(st.none(), st.integers(1, 2**31 - 1)),
                "finished_at": st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
            }
        ),
        min_size=1,
        max_size=5,
    )
)
def test_any_row_survives_encoding(data: list[dict[str, Any]]) -> None:
    rows = [row(i, **changes) for i, changes in enumerate(data)]
    back = parquet.decode(parquet.encode(to_table(rows, RUNS)), RUNS, RUNS.names).to_pylist()
    for sent, got in zip(rows, back, strict=True):
        for name in sent:
            value = None if isinstance(sent[name], float) and np.isnan(sent[name]) else sent[name]
            assert got[name] == value, name
            if isinstance(value, float):
                assert np.signbit(got[name]) == np.signbit(value)


@pytest.mark.parametrize("form", ["records", "columns", "arrays", "table"])
def test_curves_may_come_in_any_form(store: Store, form: str) -> None:
    records = curve(1)
    columns = {name: [r[name] for r in records] for name in records[0]}
    arrays = {n: np.array(c, float) if n not in {"run_id", "epoch"} else c for n, c in columns.items()}
    made: dict[str, Any] = {
        "records": records, "columns": columns, "arrays": arrays, "table": pa.Table.from_pylist(records, CURVES)
    }  # fmt: skip
    store.write("one", [row(1)], made[form])
    expected = pd.DataFrame(records).astype(store.curves().dtypes)
    pd.testing.assert_frame_equal(store.curves(), expected)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"colour": 1}, "colour"),
        ({"lr": "0.1"}, "0.1"),
        ({"lr": None}, "lr"),
        ({"lr": float("nan")}, "lr"),
        ({"epochs": 1.5}, "1.5"),
        ({"status": "done"}, "status"),
        ({"run_id": None}, "run_id"),
    ],
)
def test_a_wrong_row_is_refused_and_nothing_written(store: Store, changes: dict[str, Any], word: str) -> None:
    with pytest.raises(SchemaError, match=word):
        store.write("one", [row(1, **changes)], [])
    assert not Path(store.root).exists()


@pytest.mark.parametrize("part", ["", "../x", ".x", "a/b", "x\n"])
def test_a_part_name_cannot_leave_the_folder(store: Store, part: str) -> None:
    with pytest.raises(ValueError, match="part's name"):
        store.write(part, [row(1)], [])


def test_part_name_depends_on_the_set_of_runs_alone() -> None:
    assert Store.part_name(["b", "a"]) == Store.part_name(iter("ab"))
    assert Store.part_name(["ab"]) != Store.part_name(["a", "b"])
    assert re.fullmatch("[0-9a-f]{24}", Store.part_name([]))


def test_writing_again_changes_nothing(store: Store) -> None:
    fill(store, 1, 2)
    before = (folder(store) / "one.parquet").read_bytes(), store.runs(), store.curves()
    fill(store, 1, 2)
    assert (folder(store) / "one.parquet").read_bytes() == before[0]
    pd.testing.assert_frame_equal(store.runs(), before[1])
    pd.testing.assert_frame_equal(store.curves(), before[2])


def test_pandas_reads_the_folder(store: Store) -> None:
    fill(store, 1, part="one")
    store.write("two", [row(2, validation_error=None, best_epoch=None, reason="loss is nan")], [])
    store.write_failed(failed(3))
    (folder(store) / ".two.parquet.1-ab.tmp").write_bytes(b"PAR1 torn")
    table = pd.read_parquet(folder(store))
    assert list(table.columns) == RUNS.names
    assert sorted(table["status"]) == ["completed", "completed", "failed"]
    assert len(pd.read_parquet(folder(store, "curves"))) == 3


def test_order_of_rows_does_not_depend_on_order_of_writing(store: Store) -> None:
    for number in (5, 3, 8, 1):
        fill(store, number, part=f"p{number}")
    other = Store(f"{store.root}-2")
    for number in (8, 1, 3, 5):
        fill(other, number, part=f"q{9 - number}")
    pd.testing.assert_frame_equal(store.runs(), other.runs())
    pd.testing.assert_frame_equal(store.curves(), other.curves())
    keys = store.runs()[["workload", "optimizer", "lr", "weight_decay", "seed"]].apply(tuple, axis=1)
    assert list(keys) == sorted(keys)


def test_a_result_beats_a_failure_whatever_the_order(store: Store) -> None:
    early, late = FINISHED - timedelta(hours=1), FINISHED + timedelta(hours=1)
    store.write_failed(failed(1, finished_at=early))
    store.write("a", [row(1)], curve(1))
    store.write("b", [row(2, status="diverged", reason="loss is nan")], [])
    store.write_failed(failed(2, finished_at=late))
    store.write_failed(failed(3))
    assert dict(store.runs()[["run_id", "status"]].to_numpy()) == {
        f"{1:016x}": "completed", f"{2:016x}": "diverged", f"{3:016x}": "failed"
    }  # fmt: skip
    assert store.done() == {f"{1:016x}", f"{2:016x}"}
    store.remove_failed([f"{1:016x}", f"{2:016x}", "unknown"])
    assert sorted(p.name for p in folder(store).iterdir()) == [
        "a.parquet", "b.parquet", f"failed-{3:016x}.parquet"
    ]  # fmt: skip
    assert len(list(folder(store, "curves").iterdir())) == 3


def test_of_two_results_the_earliest_and_its_curve_win(store: Store) -> None:
    store.write("z", [row(1, test_error=1.0), row(2)], [*curve(1, test_error=1.0), *curve(2)])
    late = FINISHED + timedelta(microseconds=1)
    store.write("a", [row(1, test_error=9.0, finished_at=late)], curve(1, epochs=5, test_error=9.0))
    store.write("y", [row(2, host="other")], curve(2, epochs=1))
    table = store.runs().set_index("run_id")
    assert table.loc[f"{1:016x}", "test_error"] == 1.0
    assert table.loc[f"{2:016x}", "host"] == "other"  # finished at the same time: the part's name decides
    curves = store.curves()
    assert list(curves.loc[curves["run_id"] == f"{1:016x}", "test_error"]) == [1.0] * 3
    assert list(curves["epoch"]) == [1, 2, 3, 1]
    assert set(store.curves([f"{2:016x}", "unknown"])["run_id"]) == {f"{2:016x}"}
    assert len(store.curves([])) == 0


def test_curves_without_a_row_are_left_out(store: Store) -> None:
    fill(store, 1)
    fill(store, 2, part="two")
    (folder(store) / "two.parquet").unlink()  # as a crash between the two writes leaves it
    assert set(store.curves()["run_id"]) == {f"{1:016x}"}
    assert store.done() == {f"{1:016x}"}
