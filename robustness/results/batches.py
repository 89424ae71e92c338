"""Rows of many small parts as few large ones: what compaction and pulling share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa

from robustness.results.tables.arrow import in_order, join, to_frame, winners
from robustness.results.tables.baselines import filled, known_baselines
from robustness.results.tables.schema import CURVES, RUNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from robustness.results.index import Index
    from robustness.results.parts import PartReader

ORDER = ("workload", "optimizer", "lr", "weight_decay", "seed")
"""What a table of runs is sorted by."""

BATCH_ROWS = 500_000
"""Rows of a large part, those of the curves included: some 60 MB."""


class OnProgress(Protocol):
    """Hears how far a long job is."""

    def __call__(self, done: int, total: int, /) -> None:
        """Take how many files are done, of how many."""


class Ticks:
    """Counts files, and passes the number on."""

    def __init__(self, on_progress: OnProgress | None, total: int) -> None:
        self._on_progress, self._done, self._total = on_progress, 0, total

    def __call__(self) -> None:
        """Count one more."""
        self._done += 1
        if self._on_progress:
            self._on_progress(self._done, self._total)


class PartsGoneError(Exception):
    """Parts vanished before they were read: another compaction has merged them. Look again."""


@dataclass(frozen=True)
class Batch:
    """Full rows of some runs.

    Attributes:
        runs: a row a run, of `RUNS`.
        curves: a row a run and epoch, of `CURVES`.
        bare: parts whose curves are not there or broken; their runs are in `runs` all the same.
    """

    runs: pa.Table
    curves: pa.Table
    bare: frozenset[str]


def runs_of(parts: Mapping[str, pa.Table]) -> pd.DataFrame:
    """Return one row a run of parts of runs, by name, as `Store.runs` does."""
    table, part = join(parts, RUNS)
    table = filled(table, known_baselines([table]))
    return to_frame(table, in_order(table, winners(table, part), ORDER, last="run_id"))


def pack(sizes: Iterable[tuple[list[str], int]]) -> list[list[str]]:
    """Join groups of parts, each with its rows, into batches of at most `BATCH_ROWS`; a larger group stays alone."""
    batches: list[list[str]] = []
    room = 0
    for group, size in sizes:
        if not batches or size > room:
            batches.append([])
            room = BATCH_ROWS
        batches[-1] += group
        room -= size
    return batches


def gather(reader: PartReader, index: Index, tick: Ticks) -> Batch:
    """Read the rows and curves of the runs of `index` in full; `tick` counts both of each part.

    Raises:
        PartsGoneError: A part that holds rows is not there any more.
        StorageError: The files cannot be reached, or a newer version wrote them.
    """
    holders = index.holders()
    parts = reader.read_named("runs", RUNS, None, holders, tick)
    curves = reader.read_named("curves", CURVES, None, holders, tick)
    # A compaction removes the rows of a part before its curves. So where curves are missing and the rows are still
    # there, they are missing for good.
    bare = holders - curves.keys()
    there = reader.read_named("runs", RUNS, ["run_id"], bare)
    # Of a part with an impossible value the index has the runs, for it was made of a few columns; they are left out.
    broken = {name for name in holders if f"runs/{name}.parquet" in reader.left_out}
    if holders - parts.keys() - broken or bare - there.keys():
        raise PartsGoneError
    runs, own = _taken(*index.rows(parts, RUNS))
    runs, _ = _taken(runs, in_order(runs, winners(runs, own), ORDER, last="run_id"))
    epochs, own = index.rows(curves, CURVES)
    epochs, _ = _taken(epochs, in_order(epochs, own, ["run_id", "epoch"]))
    return Batch(runs, epochs, frozenset(bare))


def _taken(table: pa.Table, rows: NDArray[np.int64]) -> tuple[pa.Table, NDArray[np.int64]]:
    """Return these rows of a table, and of each (n,) the number 0: that of the only part there is now."""
    return table.combine_chunks().take(pa.array(rows)), np.zeros(len(rows), dtype=np.int64)
