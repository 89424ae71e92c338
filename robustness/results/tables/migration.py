"""Bringing tables of older schema versions to the current one.

A table of runs may need what its runs' curves tell: until version 3 a run that ended no better than chance was stored
as diverged, with the error of chance in place of its own.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from robustness.results.tables.best_epoch import best_epoch
from robustness.results.tables.columns import AT_END, ERRORS
from robustness.results.tables.schema import CURVES, METADATA, RUNS, SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Curves = Callable[[], pa.Table | None]
    """Reads the curves of a table of runs; None where there are none."""

ADDED_IN_2 = ("effective_lr", "hessian_top", "hessian_trace", "hessian_eigenvalues")
SLOW = "no better than chance"
"""Until version 3 why a run whose losses were finite was stored as diverged."""
CLASSES = {"digits": 10, "cifar10": 10, "cifar100": 100, "imagenette": 10, "imagenet": 1000, "treebank": 10_000}
"""Of workloads that came with the package before version 3; of none other can a table's chance be known."""


def migrate(table: pa.Table, found: int, curves: Curves = lambda: None) -> pa.Table:
    """Return a table of schema version `found` as one of the current version.

    Args:
        table: Of runs or of curves.
        found: Its version.
        curves: Reads the curves of a table of runs, of any version.
    """
    for number in range(found, SCHEMA_VERSION):
        table = MIGRATIONS[number](table, curves)
    return table


def _is_runs(table: pa.Table) -> bool:
    return "status" in table.schema.names


def _to_2(table: pa.Table, _curves: Curves) -> pa.Table:
    """Add the columns of version 2, which nobody measured before."""
    schema = RUNS if _is_runs(table) else CURVES
    for name in ADDED_IN_2:
        if name in schema.names:
            table = table.append_column(schema.field(name), pa.nulls(len(table), schema.field(name).type))
    return table.replace_schema_metadata(METADATA)


def _to_3(table: pa.Table, curves: Curves) -> pa.Table:
    """Tell slow learners from runs that diverged, and give to the one their numbers and to the other none."""
    if not _is_runs(table):
        return table.replace_schema_metadata(METADATA)
    rows = table.to_pylist()
    baselines = _baselines(rows)
    lost = {row["run_id"] for row in rows if row["status"] == "diverged"}
    found = _curves_of(curves() if lost else None, lost)
    made = [
        row
        | {"metric": "error", "origin": "sweep", "baseline": baselines.get(_task(row))}
        | (_true_state(row, found.get(row["run_id"])) if row["run_id"] in lost else {})
        for row in rows
    ]
    schema = pa.schema([pa.field(field.name, field.type) for field in RUNS], metadata=METADATA)
    return pa.Table.from_pylist(made, schema=schema)


def _task(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["workload"], row["workload_options"]


def _baselines(rows: list[dict[str, Any]]) -> dict[tuple[str, str], float]:
    """Return the error of chance by workload and options: that of its diverged runs, else that of its classes."""
    known = {_task(row): row["test_error"] for row in rows if row["status"] == "diverged"}
    for task in {_task(row) for row in rows} - known.keys():
        if (classes := _classes(*task)) is not None:
            known[task] = 100 * (1 - 1 / classes)
    return known


def _classes(workload: str, options: str) -> int | None:
    own = json.loads(options).get("classes")
    return own if isinstance(own, int) and own > 1 else CLASSES.get(workload)


def _curves_of(table: pa.Table | None, runs: set[str]) -> dict[str, dict[str, np.ndarray]]:
    """Return the curves of these runs, by run and column, each in the order of its epochs."""
    if table is None:
        return {}
    frame = table.to_pandas()
    frame = frame[frame["run_id"].isin(runs)].sort_values(["run_id", "epoch"])
    return {
        str(run): {name: part[name].to_numpy(dtype=np.float64) for name in part.columns if name != "run_id"}
        for run, part in frame.groupby("run_id")
    }


def _true_state(row: Mapping[str, Any], curve: Mapping[str, np.ndarray] | None) -> dict[str, Any]:
    """Return what changes of a row that was stored as diverged.

    Without its curve, of a slow learner only the state is known; the numbers that chance stood for are null.
    """
    none = np.zeros(0)
    errors = (curve or {}).get("validation_error", none), (curve or {}).get("test_error", none)
    nothing = dict.fromkeys({*AT_END, *ERRORS}) | best_epoch(*errors)
    if row["reason"] != SLOW:
        return nothing
    last = {name: _last(values) for name, values in (curve or {}).items() if name in AT_END}
    return nothing | last | {"status": "completed", "reason": None}


def _last(values: np.ndarray) -> float | None:
    return None if np.isnan(values[-1]) else float(values[-1])


MIGRATIONS: dict[int, Callable[[pa.Table, Curves], pa.Table]] = {1: _to_2, 2: _to_3}
"""From a schema version to the function that turns such a table into one of the next version."""
