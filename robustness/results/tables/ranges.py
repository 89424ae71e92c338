"""Values that no run can have: an error of -1e308 percent, a negative number of epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from robustness.results.tables.columns import COLUMNS, PERCENT
from robustness.results.tables.schema import SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

WITHIN = {column.name: column.within for column in COLUMNS if column.within is not None}
"""The least and the greatest value of the columns that have one."""
SMALL = 1000
"""Rows of a chunk below which to copy it is faster than to look at it by itself."""
ROUNDING = 1e-3
"""By so much an error that is a mean of single precision may go beyond."""


def all_within(tables: Sequence[pa.Table]) -> bool:
    """Tell whether every value of these tables, which have the same columns but for optional ones, is a possible one.

    All at once, uncopied: a look at each of many small tables would cost as much as reading it.
    """
    if not tables:
        return True
    try:
        whole = pa.concat_tables(tables)
    except pa.ArrowInvalid:  # some have optional columns, or those of another kind
        names = [name for name in WITHIN if name in tables[0].schema.names]
        whole = pa.concat_tables([table.select(names) for table in tables])
    return all(_is_within(whole.column(name), name) for name in WITHIN if name in whole.schema.names)


def impossible(table: pa.Table, name: str) -> pa.Array:
    """Return for each row (n,) whether its value in the column `name` is beyond what is possible; null is not."""
    least, most = _limits(name)
    column = table.column(name)
    return pc.fill_null(pc.or_(pc.less(column, least), pc.greater(column, most)), fill_value=False)


def bounds_of(name: str) -> str:
    """Return what values a column may have, in words."""
    least, most = WITHIN[name]
    return f"a finite number of at least {least:g}" if most >= 1e300 else f"from {least:g} to {most:g}"


def refuse_impossible(table: pa.Table) -> None:
    """Refuse a table with a value that no run can have.

    Raises:
        SchemaError: There is one; the text names the column, the value, a run and how many rows there are.
    """
    for name in (name for name in WITHIN if name in table.schema.names):
        if _is_within(table.column(name), name):
            continue
        rows = table.filter(impossible(table, name))
        run = f" for run {rows.column('run_id')[0].as_py()}" if "run_id" in rows.schema.names else ""
        raise SchemaError(
            f"column {name!r} is {rows.column(name)[0].as_py()}{run}, not {bounds_of(name)}"
            f" ({len(rows)} of its {len(table)} rows)"
        )


def _limits(name: str) -> tuple[float, float]:
    least, most = WITHIN[name]
    return (least - ROUNDING, most + ROUNDING) if (least, most) == PERCENT else (least, most)


def _is_within(column: pa.ChunkedArray, name: str) -> bool:
    small = len(column) < SMALL * column.num_chunks
    found = pc.min_max(column.combine_chunks() if small else column).as_py()
    least, most = _limits(name)
    return found["min"] is None or (found["min"] >= least and found["max"] <= most)
