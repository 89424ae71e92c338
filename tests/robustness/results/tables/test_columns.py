"""Every row of the columns: in which table it is, that training fills it and that it comes back with its type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from analysis.figures.base.metrics import METRICS
from analysis.service.pages.study.cell import COLUMNS as OF_CELL
from robustness.results import Store
from robustness.results.tables.columns import AT_END, COLUMNS, PER_EPOCH, REALS
from robustness.results.tables.schema import CURVES, RUNS
from robustness.study import Run
from robustness.worker.attempts import Marks
from robustness.worker.work import work
from robustness.workloads import Digits
from tests.support.named import optimizer

if TYPE_CHECKING:
    import pandas as pd

    from robustness.results.tables.column import Column

ASKED = {"top": 2, "trace": 2, "examples": 32, "every": 1}
KINDS = {pa.string(): "str", pa.float64(): "float64", pa.int32(): "Int32", pa.int64(): "Int64"}


class OwnDigits(Digits):
    """A class of one's own, by its import string: rows of the known ones have no digest of code."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with a run that completed and one that diverged, Hessian and all."""
    workload = OwnDigits(epochs=3, train_size=256, validation_size=64, batch_size=32, width=16, hessian=ASKED)
    runs = [Run(workload, optimizer(name), lr, 1e-4, 0) for name, lr in (("adamw", 1e-2), ("sgd", 1e30))]
    found = Store(tmp_path_factory.mktemp("results") / "columns")
    marks = Marks(labels={runs[0].optimizer: "ours"}, code="0123")
    report = work(runs, found, sweep_id="s", device="cpu", sampler="grid", retries=0, marks=marks)
    assert {outcome.status for outcome in report.outcomes} == {"completed", "diverged"}
    return found


@pytest.fixture(scope="module")
def tables(store: Store) -> tuple[pd.DataFrame, pd.DataFrame]:
    return store.runs(), store.curves()


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_a_training_writes_it_and_it_is_read_back_with_its_type(
    column: Column, tables: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    for description, schema, frame in (
        (column.of_run, RUNS, tables[0]),
        (column.of_epoch, CURVES, tables[1]),
    ):
        assert (column.name in schema.names) == (description is not None) == (column.name in frame)
        if description is None:
            continue
        assert description.endswith(".")
        assert schema.field(column.name) == pa.field(column.name, column.kind, nullable=column.null)
        assert schema.field(column.name).metadata[b"description"].decode() == description
        values = frame[column.name]
        written = values.notna()
        assert written.all() or column.null
        # A column is filled by what completed; why a run did not is told by what did not.
        assert written.any() or column.name == "copied_from", "which training does not fill"
        if column.kind == REALS:
            assert [len(each) for each in values[written]] == [ASKED["top"]]
        elif column.kind in KINDS and column.null:
            assert str(values.dtype) == KINDS[column.kind]


def test_the_flags_of_a_row_agree() -> None:
    for column in COLUMNS:
        assert column.of_run is not None or column.of_epoch is not None
        assert not column.per_epoch or column.of_epoch is not None
        assert not column.at_end or (column.per_epoch and column.of_run is not None)
        assert column.on_maps is None or (column.of_run is not None and pa.types.is_floating(column.kind))
        assert column.of_cell is None or column.of_run is not None
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)
    assert set(CURVES.names) == {"run_id", "epoch", *PER_EPOCH}


def test_the_last_epochs_value_is_the_runs(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    runs, curves = tables
    (done,) = runs[runs["status"] == "completed"].to_dict("records")
    last = curves[curves["run_id"] == done["run_id"]].sort_values("epoch").iloc[-1]
    for name in AT_END:
        np.testing.assert_equal(done[name], last[name], err_msg=name)
    assert done["lr"] == 1e-2


def test_what_maps_and_cells_show_are_the_rows_that_say_so() -> None:
    shown = {column.name: column.on_maps for column in COLUMNS if column.on_maps}
    assert list(METRICS) == sorted(shown, key=lambda name: shown[name].place)
    assert len({each.place for each in shown.values()}) == len(shown)
    for name, metric in METRICS.items():
        assert metric.title == shown[name].title
        assert (metric.kind == "error") == (metric.sign == " %") == name.endswith(("_error", "_at_best"))
    listed = [column.of_cell for column in COLUMNS if column.of_cell]
    assert list(OF_CELL.values()) == [each.head for each in sorted(listed, key=lambda each: each.place)]
    assert len({each.place for each in listed}) == len(listed)
