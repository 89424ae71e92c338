"""Copying a stored study from one store to another: what is missing there, as few large parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from robustness.results.batches import PartsGoneError, Ticks, gather, pack
from robustness.results.files.errors import StorageError
from robustness.results.index import COLUMNS, Index
from robustness.results.renewal import renew
from robustness.results.tables.schema import RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from robustness.results.batches import OnProgress
    from robustness.results.store import Store

_ROUNDS = 20


@dataclass(frozen=True)
class Pulled:
    """What was copied.

    Attributes:
        runs: runs with a result.
        failed: failed runs.
        stored: runs that the target has now.
    """

    runs: int
    failed: int
    stored: int


def pull(source: Store, target: Store, on_progress: OnProgress | None = None) -> Pulled:
    """Copy the runs that `target` lacks, their curves, the study file and the records of its sweeps.

    A run that `target` has a result of stays as it is there, but that its part is rewritten if an older version wrote
    it. It may be interrupted and repeated.

    Raises:
        StorageError: One of the two cannot be reached, read or written.
    """
    renew(target)
    before = _index(target)
    for _ in range(_ROUNDS):
        index, have = _index(source), _index(target)
        missing = np.where(
            index.finished, ~index.is_in(have.ids.filter(pa.array(have.finished))), ~index.is_in(have.ids)
        )
        try:
            _copy(source, target, index.only(missing), on_progress)
            break
        except PartsGoneError:  # what was copied before that is not missing in the next round
            continue
    else:
        raise StorageError(f"{source.root}: its parts are merged faster than they can be copied; try again later")
    _copy_files(source, target)
    renew(target)  # what came may tell more of what was there, and the other way round
    after = _index(target)
    target.remove_failed(after.ids.filter(pa.array(after.finished)).to_pylist())
    return Pulled(
        runs=int(after.finished.sum() - before.finished.sum()),
        failed=int((~after.only(~after.is_in(before.ids)).finished).sum()),
        stored=len(after.ids),
    )


def _index(store: Store) -> Index:
    return Index.of(store.reader.read("runs", RUNS, COLUMNS))


def _copy(source: Store, target: Store, index: Index, on_progress: OnProgress | None) -> None:
    results = index.only(index.finished)
    rows = np.bincount(results.place, weights=results.epochs + 1, minlength=len(index.parts)).astype(int)
    batches = pack(([name], int(size)) for name, size in zip(index.parts, rows, strict=True) if size)
    failed = index.only(~index.finished)
    tick = Ticks(on_progress, 2 * (sum(map(len, batches)) + len(failed.holders())))
    for names in batches:
        batch = gather(source.reader, results.within(names), tick)
        target.write(target.part_name(batch.runs["run_id"].to_pylist()), batch.runs, batch.curves)
    for row in _each(gather(source.reader, failed, tick).runs):
        target.write_failed(row)


def _each(runs: pa.Table) -> Iterator[pa.Table]:
    """Return a table of one row for each."""
    return (runs.slice(place, 1) for place in range(len(runs)))


def _copy_files(source: Store, target: Store) -> None:
    if (text := source.read_study()) is not None:
        target.write_study(text)
    if (resolved := source.read_resolved()) is not None:
        target.write_resolved(resolved)
    there = {entry.name for entry in target.folder.entries("provenance")}
    for entry in source.folder.entries("provenance"):
        path = f"provenance/{entry.name}"
        if entry.is_file and entry.name not in there and (data := source.folder.read(path)) is not None:
            target.folder.write(path, data)
