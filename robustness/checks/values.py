"""Whether the numbers of a part are possible, by themselves and with each other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from robustness.checks.fault import RUN_AGAIN, Fault
from robustness.results.tables.ranges import WITHIN, bounds_of, impossible

if TYPE_CHECKING:
    from collections.abc import Iterator

LOSSES = ("train_loss", "validation_loss", "test_loss")


def faults_of_values(file: str, table: pa.Table) -> Iterator[Fault]:
    """Yield the values of a table of runs or of curves that no run can have."""
    for name in (name for name in WITHIN if name in table.schema.names):
        for row in table.filter(impossible(table, name)).select(list(dict.fromkeys(("run_id", name)))).to_pylist():
            yield _fault(file, row["run_id"], f"{name} is {row[name]}, not {bounds_of(name)}")


def faults_of_states(file: str, runs: pa.Table) -> Iterator[Fault]:
    """Yield the rows whose numbers are not those of their status."""
    completed = pc.equal(runs.column("status"), "completed")
    for name in LOSSES:
        for row in runs.filter(pc.and_(completed, _not_finite(runs, name))).to_pylist():
            yield _fault(file, row["run_id"], f"completed, but its {name} is {row[name]}")
    errors = runs.column("test_error")
    for row in runs.filter(pc.and_(completed, pc.is_null(errors))).to_pylist():
        yield _fault(file, row["run_id"], "completed, but it has no test_error")
    for row in runs.filter(pc.and_(pc.invert(completed), pc.is_valid(errors))).to_pylist():
        yield _fault(file, row["run_id"], f"{row['status']}, but its test_error is {row['test_error']}")
    for status, options, epochs, run in zip(
        *(runs.column(name).to_pylist() for name in ("status", "workload_options", "epochs", "run_id")), strict=True
    ):
        asked = _epochs(options)
        if asked is not None and (epochs > asked or (status == "completed" and epochs != asked)):
            yield _fault(file, run, f"{status} after {epochs} epochs, where its workload has {asked}")


def faults_of_losses(file: str, curves: pa.Table, completed: pa.Array) -> Iterator[Fault]:
    """Yield the epochs of completed runs, whose ids are given, that have a loss which is not finite."""
    among = pc.is_in(curves.column("run_id"), value_set=completed)
    for name in LOSSES:
        for row in curves.filter(pc.and_(among, _not_finite(curves, name))).to_pylist():
            yield _fault(file, row["run_id"], f"completed, but its {name} after epoch {row['epoch']} is {row[name]}")


def _not_finite(table: pa.Table, name: str) -> pa.ChunkedArray:
    return pc.fill_null(pc.invert(pc.is_finite(table.column(name))), fill_value=False)


def _epochs(options: str) -> int | None:
    try:
        found = json.loads(options)
    except ValueError:
        return None
    epochs = found.get("epochs") if isinstance(found, dict) else None
    return epochs if isinstance(epochs, int) else None


def _fault(file: str, run: str, what: str) -> Fault:
    return Fault(file=file, run=run, what=what, advice=RUN_AGAIN)
