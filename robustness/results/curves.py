"""Reading the curves of some runs from the parts that hold their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from robustness.results.tables.arrow import in_order, to_frame
from robustness.results.tables.optional import is_optional
from robustness.results.tables.schema import CURVES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd

    from robustness.results.index import Index
    from robustness.results.parts import PartReader


def read_curves(
    reader: PartReader,
    index: Index,
    again: Callable[[], Index],
    run_ids: Iterable[str] | None,
    columns: Iterable[str] | None,
) -> pd.DataFrame:
    """Return the curves of these runs, sorted by run and epoch; see `Store.curves`.

    Args:
        reader: Of the store.
        index: Which part holds the row of each run.
        again: Makes the index anew, where a part has vanished.
        run_ids: The runs; None means all.
        columns: Columns besides run_id and epoch; None means all.

    Raises:
        StorageError: The files cannot be reached, or a newer version wrote them.
        ValueError: There is no such column.
    """
    names = _names(columns)
    required = [name for name in CURVES.names if names is None or name in names]
    asked = None if run_ids is None else pa.array(sorted(set(run_ids)), pa.string())
    index = index if asked is None else index.only(index.is_in(asked))
    tables: dict[str, pa.Table] = {}
    while missing := index.holders() - tables.keys():
        tables |= reader.read_named("curves", CURVES, names, missing, only=asked)
        if missing := missing - tables.keys():
            # A compaction has merged them just now: look again. What still holds rows has lost its curves.
            index = again()
            index = index if asked is None else index.only(index.is_in(asked))
            tables |= dict.fromkeys(missing, CURVES.empty_table().select(required))
    table, rows = index.rows(tables, CURVES, names)
    if unknown := set(names or ()) - set(table.schema.names):
        raise ValueError(_no_column(unknown))
    return to_frame(table, in_order(table, rows, ["run_id", "epoch"]))


def _names(columns: Iterable[str] | None) -> list[str] | None:
    """Return the columns to read, in the schema's order, then optional ones; None for all that there are."""
    if columns is None:
        return None
    wanted = {"run_id", "epoch", *columns}
    others = sorted(wanted - set(CURVES.names))
    if unknown := {name for name in others if not is_optional(name, CURVES)}:
        raise ValueError(_no_column(unknown))
    return [name for name in CURVES.names if name in wanted] + others


def _no_column(names: Iterable[str]) -> str:
    return f"curves have no column {', '.join(sorted(names))}"
