"""Conditions on the columns of a runs table, as an address writes them."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from robustness.results.tables.schema import RUNS

if TYPE_CHECKING:
    Value = str | int | float | datetime | None

OPERATORS = ("=", "!=", "<", "<=", ">", ">=")
LONGEST = 2000
"""Characters of a value, which suffices for the options of any workload."""

_COMPARE = {
    "=": pc.equal,
    "!=": pc.not_equal,
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
}
_FILTER = re.compile(r"([a-z_0-9]+)(!=|<=|>=|=|<|>)(.*)", re.DOTALL)


class FilterError(ValueError):
    """A filter or an order cannot be applied; the text says why."""


def is_text(column: str) -> bool:
    """Tell whether a column holds texts, which are alike or not and nothing else."""
    return bool(pa.types.is_string(RUNS.field(column).type))


def is_listed(column: str) -> bool:
    """Tell whether a column can be filtered and sorted by: not where every run has a list of values."""
    return column in RUNS.names and not pa.types.is_list(RUNS.field(column).type)


COLUMNS = tuple(name for name in RUNS.names if is_listed(name))


@dataclass(frozen=True)
class Filter:
    """One condition on a column; the value None stands for what was not recorded."""

    column: str
    operator: str
    value: Value

    @classmethod
    def parse(cls, text: str) -> Filter:
        """Read `<column><operator><value>`.

        Raises:
            FilterError: There is no such column, or its values can't be compared so.
        """
        match = _FILTER.fullmatch(text[:LONGEST])
        if match is None or len(text) > LONGEST:
            raise FilterError("a filter is a column, one of = != < <= > >=, and a value")
        column, operator, value = match.groups()
        if not is_listed(column):
            raise FilterError(f"no column to filter by is called {column}")
        if operator not in ("=", "!=") and is_text(column):
            raise FilterError(f"{column} is text, which can be compared by = and != alone")
        if operator not in ("=", "!=") and not value.strip():
            raise FilterError(f"a value is missing after {operator}")
        return cls(column, operator, _value(column, value.strip()))

    def __str__(self) -> str:
        return f"{self.column}{self.operator}{_written(self.value)}"

    def mask(self, table: pa.Table) -> pa.ChunkedArray:
        """Return which rows of a table of `RUNS` meet it; one without a value differs from every value."""
        column = table.column(self.column)
        if self.value is None:
            return pc.is_null(column) if self.operator == "=" else pc.is_valid(column)
        found = _COMPARE[self.operator](column, pa.scalar(self.value, column.type))
        return pc.fill_null(found, self.operator == "!=")

    def pandas(self) -> str:
        """Return the condition in pandas."""
        column = f"runs[{json.dumps(self.column)}]"
        if self.value is None:
            return f"{column}.isna()" if self.operator == "=" else f"{column}.notna()"
        if isinstance(self.value, datetime):
            value = f"pd.Timestamp({json.dumps(_written(self.value))})"
        else:
            value = json.dumps(self.value, ensure_ascii=False)
        return f"{column} {'==' if self.operator == '=' else self.operator} {value}"

    def sql(self) -> str:
        """Return the condition in DuckDB's SQL."""
        if self.value is None:
            return f"{self.column} is {'' if self.operator == '=' else 'not '}null"
        operator = "is distinct from" if self.operator == "!=" else self.operator
        return f"{self.column} {operator} {_literal(self.value)}"


def _value(column: str, text: str) -> Value:
    kind = RUNS.field(column).type
    if not text:
        return None
    if pa.types.is_string(kind):
        if not text.isprintable():
            raise FilterError(f"the value of {column} has characters that cannot be shown")
        return text
    try:
        if pa.types.is_timestamp(kind):
            moment = datetime.fromisoformat(text)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        if not pa.types.is_integer(kind):
            return _finite(float(text))
        return int(pa.scalar(int(text), kind).as_py())
    except (ValueError, OverflowError, pa.ArrowException) as error:
        raise FilterError(f"{column} takes {_expected(kind)}, not {text[:40]}") from error


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(value)
    return value


def _expected(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "a time as 2026-01-31T12:00"
    return "a whole number" if pa.types.is_integer(kind) else "a number"


def _written(value: Value) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else str(value)


def _literal(value: Value) -> str:
    if isinstance(value, datetime):
        return f"'{_written(value)}'::timestamptz"
    if isinstance(value, str):
        return quoted(value)
    # Without an exponent DuckDB makes a decimal number of it.
    return repr(value) if isinstance(value, int) or "e" in repr(value) else f"{value!r}e0"


def quoted(text: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
