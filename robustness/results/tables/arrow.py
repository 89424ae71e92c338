"""Between Python values, tables of the pinned schema and pandas frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from robustness.results.tables.optional import cast, completed, is_optional, optional, united
from robustness.results.tables.ranges import refuse_impossible
from robustness.results.tables.schema import STATUSES, SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

_INTEGERS = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int32Dtype()}


def conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return `table` with the columns of `schema`, in its order, then its optional ones; other columns are dropped.

    Args:
        table: What a file holds; its columns may stand in any order and be of a lossless relative's type
            (large strings, other integer widths, floats that are whole numbers), as rewriting leaves them.
        schema: `RUNS` or `CURVES`, or a part of one.

    Raises:
        SchemaError: A column is missing, of another type, null where it must not be, or twice there.
    """
    extra = optional(table.schema, schema)
    arrays = [_cast(table.column(_index(table, field.name)), field) for field in schema]
    arrays += [cast(table.column(field.name), field.type) for field in extra]
    return check(pa.Table.from_arrays(arrays, schema=pa.schema([*schema, *extra], metadata=schema.metadata)))


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
    """Turn records, or columns, into a table of `schema` and what optional columns they have; NaN becomes null.

    A nullable column may be left out; an optional one without any value is.

    Raises:
        SchemaError: An unknown column, a missing one, or a value of the wrong type, or one that no run can have.
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
    kept = {field.name for field in optional(table.schema, schema)}
    kept |= {f.name for f in table.schema if pa.types.is_null(f.type) and is_optional(f.name, schema)}
    if unknown := set(table.schema.names) - set(schema.names) - kept:
        raise SchemaError(f"unknown columns: {', '.join(sorted(unknown))}")
    for field in schema:
        if field.nullable and field.name not in table.schema.names:
            table = table.append_column(field, pa.nulls(len(table), field.type))
    made = _nan_to_null(conform(table, schema))
    refuse_impossible(made)
    return made


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


def join(
    parts: Mapping[str, pa.Table], schema: pa.Schema, names: list[str] | None = None
) -> tuple[pa.Table, NDArray[np.int64]]:
    """Return the rows of all parts, uncopied, and of each row (n,) the rank of its part by name.

    They have the columns `names` of `schema`, by default all, and the optional ones that any of them has.
    """
    extra = united([parts[name].schema for name in sorted(parts)], schema)
    fields = [schema.field(name) for name in names or schema.names if name in schema.names]
    none = pa.schema([*fields, *extra]).empty_table()
    tables = [completed(part, schema, extra) for part in parts.values()] if extra else parts.values()
    ranks = np.argsort(np.argsort(np.array(list(parts), dtype=object)))
    return pa.concat_tables([none, *tables]), np.repeat(ranks, [len(part) for part in parts.values()])


def winners(table: pa.Table, part: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places of the rows that stand for their run, one a run, in no order.

    A result beats a failure, then the earliest wins, then the part that is first by name.

    Args:
        table: Rows with run_id, status and finished_at.
        part: (n,) rank of each row's part.
    """
    runs = _ranks(table.column("run_id"), sort=False)
    if not len(runs) or runs.max() == len(runs) - 1:  # the usual store: no run is there twice
        return np.arange(len(runs))
    failed = pc.equal(table.column("status"), "failed").to_numpy()
    order = np.lexsort((part, table.column("finished_at").cast(pa.int64()).to_numpy(), failed))
    return np.asarray(order[np.unique(runs[order], return_index=True)[1]])


def in_order(table: pa.Table, rows: NDArray[np.int64], keys: Sequence[str], last: str = "") -> NDArray[np.int64]:
    """Return `rows`, places in `table`, sorted by these columns; ties by the column `last`, which costs only then."""
    ranks = [_ranks(table.column(key))[rows] for key in keys]
    order = np.lexsort(ranks[::-1])
    if last and np.all([rank[order[1:]] == rank[order[:-1]] for rank in ranks], axis=0).any():
        order = np.lexsort([_ranks(table.column(last))[rows], *ranks[::-1]])
    return np.asarray(rows[order])


def _ranks(column: pa.ChunkedArray, *, sort: bool = True) -> NDArray[Any]:
    """Return numbers (n,) that order as the column does; of texts, with `sort` off, numbers that tell them apart."""
    if not pa.types.is_string(column.type):
        return np.asarray(column.to_numpy())
    codes = column.combine_chunks().dictionary_encode()
    numbers = np.asarray(codes.indices.to_numpy())
    if not sort:
        return numbers
    ranks = np.empty(len(codes.dictionary), dtype=np.int64)
    ranks[pc.array_sort_indices(codes.dictionary).to_numpy()] = np.arange(len(ranks))
    return np.asarray(ranks[numbers])


def to_frame(table: pa.Table, rows: NDArray[np.int64]) -> pd.DataFrame:
    """Return these rows of a table, in this order, as a pandas frame."""
    # A column at a time: two copies of the table are too much memory.
    columns = [_take(column, pa.array(rows)) for column in table.columns]
    nullable = {f.name for f in table.schema if f.nullable and pa.types.is_integer(f.type)}
    taken = pa.Table.from_arrays(columns, schema=table.schema)
    frame: pd.DataFrame = taken.drop_columns(list(nullable)).to_pandas()
    whole = taken.select([name for name in table.schema.names if name in nullable])
    frame[whole.schema.names] = whole.to_pandas(types_mapper=_INTEGERS.get)
    ordered: pd.DataFrame = frame[table.schema.names]
    return ordered


def _take(column: pa.ChunkedArray, places: pa.Array) -> pa.Array:
    """Return the values at these places; texts that repeat are moved as numbers, which takes half the time."""
    longest = max(column.chunks, key=len, default=pa.array([], column.type))
    if not pa.types.is_string(column.type) or 4 * len(longest.unique()) > len(longest) or not len(longest):
        return column.combine_chunks().take(places)
    codes = column.dictionary_encode().combine_chunks()
    return codes.dictionary.take(codes.indices.take(places))
