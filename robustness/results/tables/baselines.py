"""The baseline of rows that an older version wrote, from other rows of the same workload."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TASK = ["workload", "workload_options"]


def known_baselines(tables: Iterable[pa.Table]) -> dict[tuple[str, str], float]:
    """Return the baseline of each workload with its options, as far as rows of any of these tables tell it."""
    known: dict[tuple[str, str], float] = {}
    for table in tables:
        groups = table.group_by(TASK).aggregate([("baseline", "max")])
        columns = (groups.column(name).to_pylist() for name in (*TASK, "baseline_max"))
        known |= {(name, options): value for name, options, value in zip(*columns, strict=True) if value is not None}
    return known


def filled(table: pa.Table, known: Mapping[tuple[str, str], float]) -> pa.Table:
    """Return a table of runs whose rows with a result have their workload's baseline wherever it is known."""
    column = table.column("baseline")
    if not column.null_count or not known:
        return table
    rows = zip(*(table.column(name).to_pylist() for name in ("status", *TASK, "baseline")), strict=True)
    values = [
        known.get((name, options)) if value is None and status != "failed" else value
        for status, name, options, value in rows
    ]
    place = table.schema.get_field_index("baseline")
    return table.set_column(place, table.schema.field(place), pa.array(values, column.type))
