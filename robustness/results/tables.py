"""Between Python values, tables of the pinned schema and pandas frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from robustness.results.schema import STATUSES, SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterable

_INTEGERS = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int32Dtype()}


def conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return `table` with exactly the columns of `schema`, in its order; other columns are dropped.

    Args:
        table: What a file holds; its columns may stand in any order and be of a lossless relative's type
            (large strings, other integer widths, floats that are whole numbers), as rewriting leaves them.
        schema: `RUNS` or `CURVES`, or a part of one.

    Raises:
        SchemaError: A column is missing, of another type, null where it must not be, or twice there.
    """
    arrays = [_cast(table.column(_index(table, field.name)), field) for field in schema]
    return check(pa.Table.from_arrays(arrays, schema=schema))


def check(table: pa.Table) -> pa.Table:
    """Return `table`, whose columns are those of the schema, if their values are as they must be.

    Raises:
        SchemaError: A value is null where it must not be, or a status is unknown.
    """
    for field, column in zip(table.schema, table.columns, strict=True):
        if not field.nullable and column.null_count:
            raise SchemaError(f"column {field.name!r} has no value in {column.null_count} rows")
        if field.name == "status" and (other := set(column.unique().to_pylist()) - set(STATUSES)):
            raise SchemaError(f"column 'status' holds {', '.join(sorted(other))}, not {', '.join(STATUSES)}")
    return table


def _index(table: pa.Table, name: str) -> int:
    found = [index for index, other in enumerate(table.schema.names) if other == name]
    if len(found) != 1:
        raise SchemaError(f"column {name!r} is {'there twice' if found else 'missing'}")
    return found[0]


def _cast(array: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    have, want = array.type, field.type
    if have == want:
        return array
    related = (
        pa.types.is_null(have)
        or (pa.types.is_string(want) and (pa.types.is_large_string(have) or pa.types.is_string_view(have)))
        or (
            pa.types.is_string(want)
            and pa.types.is_dictionary(have)
            and have.value_type in {pa.string(), pa.large_string()}
        )
        or (pa.types.is_integer(want) and (pa.types.is_integer(have) or have == pa.float64()))
        or (pa.types.is_timestamp(want) and pa.types.is_timestamp(have) and have.tz is not None)
    )
    if not related:
        raise SchemaError(f"column {field.name!r} is {have}, not {want}")
    try:
        return array.cast(want)
    except pa.ArrowInvalid as error:
        raise SchemaError(f"column {field.name!r}: {error}") from error


def to_table(rows: pa.Table | Iterable[Mapping[str, Any]] | Mapping[str, Iterable[Any]], schema: pa.Schema) -> pa.Table:
    """Turn records, or columns, into a table of exactly `schema`; NaN becomes null.

    A nullable column may be left out.

    Raises:
        SchemaError: An unknown column, a missing one, or a value of the wrong type.
    """
    try:
        if isinstance(rows, pa.Table):
            table = rows
        elif isinstance(rows, Mapping):
            table = pa.table({name: _array(values, schema, name) for name, values in rows.items()})
        else:
            table = _from_records(list(rows), schema)
    except (pa.ArrowException, TypeError, OverflowError) as error:
        raise SchemaError(str(error)) from error
    unknown = set(table.schema.names) - set(schema.names)
    if unknown:
        raise SchemaError(f"unknown columns: {', '.join(sorted(unknown))}")
    for field in schema:
        if field.nullable and field.name not in table.schema.names:
            table = table.append_column(field, pa.nulls(len(table), field.type))
    return _nan_to_null(conform(table, schema))


def _array(values: Iterable[Any], schema: pa.Schema, name: str) -> pa.Array:
    # Told to make integers, pyarrow cuts 1.5 down to 1; so let it find the type, and cast with care.
    known = name in schema.names and not pa.types.is_integer(schema.field(name).type)
    return pa.array(list(values), schema.field(name).type if known else None, from_pandas=True)


def _from_records(rows: list[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    names = list(dict.fromkeys(name for row in rows for name in row)) if rows else schema.names
    arrays = [_array((row.get(name) for row in rows), schema, name) for name in names]
    return pa.Table.from_arrays(arrays, names=names)


def _nan_to_null(table: pa.Table) -> pa.Table:
    for index, field in enumerate(table.schema):
        if pa.types.is_floating(field.type) and pc.any(pc.is_nan(table.column(index))).as_py():
            if not field.nullable:
                raise SchemaError(f"column {field.name!r} is NaN")
            column = table.column(index)
            table = table.set_column(index, field, pc.if_else(pc.is_nan(column), None, column))
    return table


def finished(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the runs that came to a result and need no training: completed or diverged."""
    return runs[runs["status"] != "failed"]


def to_frame(parts: dict[str, pa.Table], schema: pa.Schema, names: list[str]) -> pd.DataFrame:
    """Return all rows with the part that each one is from."""
    none = pa.schema([schema.field(name) for name in names]).empty_table()
    frame = _to_pandas(pa.concat_tables([none, *parts.values()]))
    frame["part"] = np.repeat(np.array(list(parts), dtype=object), [len(part) for part in parts.values()])
    return frame


def _to_pandas(table: pa.Table) -> pd.DataFrame:
    nullable = [f.name for f in table.schema if f.nullable and pa.types.is_integer(f.type)]
    table = table.combine_chunks()
    frame: pd.DataFrame = table.to_pandas()
    frame[nullable] = table.select(nullable).to_pandas(types_mapper=_INTEGERS.get)
    return frame
