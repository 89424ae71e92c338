"""The baseline of rows that an older version wrote, from other rows of the same workload."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

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
    lacking = pc.and_(column.is_null(), pc.not_equal(table.column("status"), "failed")).combine_chunks()
    if not known or not pc.any(lacking, min_count=0).as_py():
        return table
    tasks = zip(*(table.column(name).filter(lacking).to_pylist() for name in TASK), strict=True)
    found = pa.array([known.get(task) for task in tasks], column.type)
    place = table.schema.get_field_index("baseline")
    return table.set_column(place, table.schema.field(place), pc.replace_with_mask(column, lacking, found))
