"""The tables of stored results: their columns with types, meaning and role, pinned and versioned.

`RUNS` has a row a run, `CURVES` a row a run and epoch, both made of the rows in `columns`. Every error is in percent,
every loss in nats. A missing number is null, never NaN, so that DuckDB and pandas agree on what a mean is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from robustness.results.tables.columns import COLUMNS

if TYPE_CHECKING:
    from robustness.results.tables.columns import Column

SCHEMA_VERSION = 3
"""Goes up when a column is added, renamed or changes its meaning; then `migration` gets an entry."""

VERSION_KEY = b"robustness_schema_version"
STATUSES = ("completed", "diverged", "failed")


def _field(column: Column, description: str) -> pa.Field:
    metadata = {"description": description, "role": column.role}
    return pa.field(column.name, column.kind, nullable=column.null, metadata=metadata)


METADATA = {VERSION_KEY: str(SCHEMA_VERSION).encode()}

RUNS = pa.schema([_field(each, each.of_run) for each in COLUMNS if each.of_run], metadata=METADATA)

CURVES = pa.schema([_field(each, each.of_epoch) for each in COLUMNS if each.of_epoch], metadata=METADATA)


def columns(schema: pa.Schema, role: str) -> tuple[str, ...]:
    """Return the names of the columns of one role: identity, outcome or provenance."""
    return tuple(field.name for field in schema if field.metadata[b"role"].decode() == role)


IDENTITY_COLUMNS = columns(RUNS, "identity")
OUTCOME_COLUMNS = columns(RUNS, "outcome")
PROVENANCE_COLUMNS = columns(RUNS, "provenance")


class SchemaError(ValueError):
    """A table is not what the schema says; the text names the column."""


class NewerSchemaError(Exception):
    """A table was written by a newer version of this package."""


def version(schema: pa.Schema) -> int:
    """Return the version in a file's metadata; without one, that which its columns are of.

    Raises:
        NewerSchemaError: The version is above `SCHEMA_VERSION`.
        SchemaError: The version is no known number.
    """
    text = (schema.metadata or {}).get(VERSION_KEY, str(_by_columns(schema)).encode()).decode(errors="replace")
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number > SCHEMA_VERSION:
        raise NewerSchemaError(f"schema version {number}, this one reads up to {SCHEMA_VERSION}")
    if number < 1:
        raise SchemaError(f"unknown schema version {text!r}")
    return number


def _by_columns(schema: pa.Schema) -> int:
    """Return the version of a file that does not tell; the current one of what is no table of ours."""
    if "effective_lr" not in schema.names:
        return 1 if "run_id" in schema.names else SCHEMA_VERSION
    return 2 if "status" in schema.names and "metric" not in schema.names else SCHEMA_VERSION


def documented(schema: pa.Schema) -> list[str]:
    """Return the lines of the columns' table in docs/results.md."""
    return [
        f"| `{field.name}` | {field.type}{' or null' if field.nullable else ''}"
        f" | {field.metadata[b'role'].decode()}"
        f" | {field.metadata[b'description'].decode()} |"
        for field in schema
    ]
