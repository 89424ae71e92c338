"""Rewriting parts that an older version wrote, so that no folder holds two kinds of parts.

Who reads a folder by itself, as pandas does, takes the columns of the first part for those of all: where an old one
sorts first, newer columns would be missing without a word. So whatever adds parts to a folder renews it first. A part
keeps its name, and what is read from it stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from robustness.results.batches import Ticks
from robustness.results.tables.baselines import filled, known_baselines
from robustness.results.tables.optional import completed, lacks, united
from robustness.results.tables.parquet import encode
from robustness.results.tables.schema import CURVES, METADATA, RUNS, SCHEMA_VERSION, version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robustness.results.batches import OnProgress
    from robustness.results.store import Store


@dataclass(frozen=True)
class Renewal:
    """What a renewal did.

    Attributes:
        rewritten: How many parts were written anew.
        runs: The rows of every part as they are now, by its name.
    """

    rewritten: int
    runs: Mapping[str, pa.Table]


def renew(store: Store, on_progress: OnProgress | None = None) -> Renewal:
    """Rewrite the parts that are of an older version, or lack a column that another part has.

    It may be interrupted at any point, and run beside readers. Published results are left as they are, and so is a
    store that was opened to be read only: they are migrated by whoever reads them, in memory.

    Raises:
        StorageError: The files cannot be reached, read or written, or a newer version wrote them.
    """
    before = store.reader.read("runs", RUNS, None)
    if store.reader.leaves_files():
        return Renewal(0, before)
    now = _evened(before)
    names = [name for name in sorted(before) if _differs(before[name], now[name])]
    lost = sorted(store.reader.names("curves") - before.keys())  # a worker was killed before it wrote their rows
    tick = Ticks(on_progress, len(names))
    extra = _optional_of_curves(store, before) if names else []
    for name in names:
        _rewrite_curves(store, name, extra, even_new=True)
        store.folder.write(f"runs/{name}.parquet", encode(now[name]))
        tick()
    for name in lost:
        _rewrite_curves(store, name, [], even_new=False)
    return Renewal(len(names), now)


def _evened(parts: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Return parts of runs with the same columns, and what one tells of chance in all."""
    extra = united([parts[name].schema for name in sorted(parts)], RUNS)
    known = known_baselines(parts.values())
    return {
        name: filled(completed(part, RUNS, extra) if lacks(part, extra) else part, known).replace_schema_metadata(
            METADATA
        )
        for name, part in parts.items()
    }


def _differs(before: pa.Table, now: pa.Table) -> bool:
    """Tell whether a part is to be rewritten; `before` is as it was read."""
    return (
        version(before.schema) != SCHEMA_VERSION
        or lacks(before, united([now.schema], RUNS))
        or before.column("baseline").null_count != now.column("baseline").null_count
    )


def _optional_of_curves(store: Store, parts: Mapping[str, pa.Table]) -> list[pa.Field]:
    """Return the optional columns of the curves: one part is looked at for each set of columns that rows have."""
    alike = {tuple(part.schema.names): name for name, part in sorted(parts.items()) if len(part)}
    tables = store.reader.read_named("curves", CURVES, None, alike.values())
    return united([table.schema for table in tables.values()], CURVES)


def _rewrite_curves(store: Store, name: str, extra: list[pa.Field], *, even_new: bool) -> None:
    """Write curves anew, if they are there, and of an older version or `even_new`."""
    found = store.reader.read_named("curves", CURVES, None, [name]).get(name)
    if found is None or not (even_new or version(found.schema) != SCHEMA_VERSION):
        return
    fields = united([found.schema, pa.schema([*CURVES, *extra])], CURVES)
    store.folder.write(
        f"curves/{name}.parquet", encode(completed(found, CURVES, fields).replace_schema_metadata(METADATA))
    )
