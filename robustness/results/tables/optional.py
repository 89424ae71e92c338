"""Columns that a table may have beyond its schema: an error's kin of a split, and what a user adds.

They need no rise of the schema's version: some parts have them and others don't, and readers take the union. What one
is stands in its field's metadata: description, unit, direction, role.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAME = re.compile(r"(train|validation|test)_[a-z0-9_]+|x_.+")


def is_optional(name: str, schema: pa.Schema) -> bool:
    """Tell whether a column that is none of `schema` may be there: `<split>_<metric>`, or a user's `x_<name>`."""
    return _NAME.fullmatch(name) is not None and name not in schema.names


def optional(found: pa.Schema, schema: pa.Schema) -> list[pa.Field]:
    """Return the optional columns of a file, sorted by name, each of the type that it is kept in.

    Only texts, numbers and truth values are kept, and of a name that is there twice nothing.

    Args:
        found: The file's.
        schema: `RUNS` or `CURVES`.
    """
    names = found.names
    if len(names) == len(schema) and names == schema.names:  # the usual part
        return []
    extra = sorted(name for name in set(names) - set(schema.names) if is_optional(name, schema))
    fields = [found.field(name) for name in extra if names.count(name) == 1]
    kinds = [_kind(field.type) for field in fields]
    return [_field(field, kind) for field, kind in zip(fields, kinds, strict=True) if kind is not None]


def united(schemas: Iterable[pa.Schema], schema: pa.Schema) -> list[pa.Field]:
    """Return the optional columns of several tables, sorted by name: of a kind that holds the values of each.

    Of metadata the first that there are stand.
    """
    found: dict[str, pa.Field] = {}
    for field in (field for each in schemas for field in optional(each, schema)):
        before = found.setdefault(field.name, field)
        both = _field(before if before.metadata else field, _common(before.type, field.type))
        if not both.equals(before, check_metadata=True):
            found[field.name] = both
    return [found[name] for name in sorted(found)]


def lacks(table: pa.Table, fields: list[pa.Field]) -> bool:
    """Tell whether a table has one of these optional columns not, or of another type."""
    return any(
        field.name not in table.schema.names or table.schema.field(field.name).type != field.type for field in fields
    )


def completed(table: pa.Table, schema: pa.Schema, fields: list[pa.Field]) -> pa.Table:
    """Return the columns of a table that are of `schema`, and these optional ones: null where it has none."""
    kept = table.select([name for name in table.schema.names if name in schema.names])
    for field in fields:
        there = field.name in table.schema.names
        values = cast(table.column(field.name), field.type) if there else pa.nulls(len(table), field.type)
        kept = kept.append_column(field, values)
    return kept


def cast(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Return the values of an optional column as `kind`, of which `optional` or `united` says that it holds them."""
    return values if values.type == kind else values.cast(kind, safe=False)


def _field(field: pa.Field, kind: pa.DataType) -> pa.Field:
    return pa.field(field.name, kind, nullable=True, metadata=field.metadata)


def _kind(found: pa.DataType) -> pa.DataType | None:
    value = found.value_type if pa.types.is_dictionary(found) else found
    if pa.types.is_string(value) or pa.types.is_large_string(value) or pa.types.is_string_view(value):
        return pa.string()
    if pa.types.is_integer(found):
        return pa.int64() if found != pa.uint64() else pa.float64()
    if pa.types.is_floating(found):
        return pa.float64()
    return found if pa.types.is_boolean(found) else None


def _common(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    if one == other:
        return one
    return pa.float64() if {one, other} == {pa.int64(), pa.float64()} else pa.string()
