"""Merging the many small parts of a store into few large ones, beside readers, sweeps and other compactions.

A batch of parts becomes a new one: its curves are written, then its rows, then a note that says which parts it
replaces; then the rows of these are removed, then their curves. So at every moment the row of each run is there, and
the curves of each row:

- A part is removed only after another with all of its runs was written, by the same compaction. The new name hangs on
  the names that went in, so none is written that is an ancestor of another: what replaces a part can only be replaced
  by something later.
- A reader that lists a folder just then may see neither. It looks at the note before and after, and lists again.
- Where a compaction was killed, the next one reads in the note what was still to be removed. What two of them at once
  leave behind are double rows, which the next one merges, and curves without rows, which go after an hour: a worker
  writes its curves shortly before its rows, and they may be somebody's who is at it.
"""

from __future__ import annotations

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from robustness.results.batches import BATCH_ROWS, PartsGoneError, Ticks, gather, pack
from robustness.results.index import COLUMNS, Index
from robustness.results.parts import NOTE
from robustness.results.renewal import renew
from robustness.results.tables.schema import RUNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from robustness.results.batches import OnProgress
    from robustness.results.store import Store

FAILED = "failed-"
_ROUNDS = 20
_HOUR = 3600.0


@dataclass(frozen=True)
class Compaction:
    """What a compaction did.

    Attributes:
        before: parts with rows at its start.
        after: parts with rows at its end.
        merged: parts that were merged into others.
        bare: parts left as they are because their curves are missing or broken.
        rewritten: parts that an older version wrote, or that lacked a column, and that were written anew first.
    """

    before: int
    after: int
    merged: int
    bare: int
    rewritten: int = 0


def compact(store: Store, on_progress: OnProgress | None = None) -> Compaction:
    """Merge the small parts of a store into few large ones; what is loaded stays the same to the bit.

    It may be interrupted at any point, and run beside readers, sweeps and other compactions.

    Raises:
        StorageError: The files cannot be reached, read or written, or a newer version wrote them.
    """
    return Compactor(store, on_progress).run()


@dataclass
class Compactor:
    """One compaction of a store: the parts known to be without curves, and how many it has merged."""

    store: Store
    on_progress: OnProgress | None
    bare: set[str] = field(default_factory=set)
    merged: int = 0

    def run(self) -> Compaction:
        """Merge what can be merged and remove what is superseded; return what was done."""
        before = len(self.store.reader.names("runs"))
        self.finish()
        renewed = renew(self.store, self.on_progress)
        found = {name: table.select(COLUMNS) for name, table in renewed.runs.items()}
        for _ in range(_ROUNDS):  # more than one where parts vanish or turn out to be bare
            if self._merge_all(plan(found, self.bare)):
                break
            found = self._look()
        self._remove_superseded()
        self._remove_lost_curves()
        self.store.clean()
        return Compaction(before, len(self.store.reader.names("runs")), self.merged, len(self.bare), renewed.rewritten)

    def _merge_all(self, batches: list[dict[str, pa.Table]]) -> bool:
        """Merge these batches of parts; False if some have to be looked at again."""
        whole, tick = True, Ticks(self.on_progress, 4 * sum(map(len, batches)))  # two files a part, read and removed
        for batch in batches:
            whole &= self._merge(batch, tick)
        return whole

    def _look(self) -> dict[str, pa.Table]:
        return self.store.reader.read("runs", RUNS, COLUMNS)

    def _merge(self, tables: dict[str, pa.Table], tick: Ticks) -> bool:
        """Merge these parts; False if they have to be looked at again."""
        index = Index.of(tables)
        try:
            batch = gather(self.store.reader, index, tick)
        except PartsGoneError:
            return False
        if batch.bare:
            self.bare |= batch.bare
            return False
        new = self.store.part_name([*tables, *index.ids.to_pylist()])
        self.store.write(new, batch.runs, batch.curves)
        self._note(new, tables)
        self._remove(tables, tick=tick)
        self._note(new, ())
        self.merged += len(tables)
        return True

    def _note(self, new: str, replaced: Iterable[str]) -> None:
        """Write the note; its id tells each from every other."""
        note = {"id": secrets.token_hex(8), "part": new, "replaces": sorted(replaced)}
        self.store.folder.write(NOTE, json.dumps(note).encode())

    def _remove(
        self, parts: Iterable[str], folders: Iterable[str] = ("runs", "curves"), tick: Ticks | None = None
    ) -> None:
        with ThreadPoolExecutor(self.store.folder.threads) as pool:
            for folder in folders:
                paths = [f"{folder}/{name}.parquet" for name in parts]
                for _ in pool.map(self.store.folder.remove, paths):
                    if tick:
                        tick()

    def finish(self) -> None:
        """Remove what a killed compaction had merged, if what it had merged it into is there."""
        data = self.store.folder.read(NOTE)
        try:
            note: Any = json.loads(data) if data else {}
            new, replaced = str(note["part"]), [str(name) for name in note["replaces"]]
        except (ValueError, TypeError, KeyError):
            return
        if replaced and self.store.reader.read_named("runs", RUNS, COLUMNS, [new]):
            self._remove(replaced)
            self._note(new, ())

    def _remove_superseded(self) -> None:
        """Remove the rows of failed runs that have a result meanwhile."""
        tables = self._look()
        index = Index.of(tables)
        done = index.ids.filter(pa.array(index.finished))
        failed = [name for name in tables if name.startswith(FAILED)]
        superseded = [name for name in failed if pc.all(pc.is_in(tables[name]["run_id"], value_set=done)).as_py()]
        if superseded:
            self._note("", ())
            self._remove(superseded, ("curves", "runs"))  # killed between the two, it finds them again

    def _remove_lost_curves(self) -> None:
        """Remove curves without rows that nobody can be about to write the rows of."""
        reader, folder = self.store.reader, self.store.folder
        for name in sorted(reader.names("curves") - reader.names("runs")):
            age = folder.age(f"curves/{name}.parquet")
            if age is not None and age > _HOUR and folder.read(f"runs/{name}.parquet") is None:
                folder.remove(f"curves/{name}.parquet")


def plan(tables: Mapping[str, pa.Table], bare: set[str]) -> list[dict[str, pa.Table]]:
    """Return the batches of parts to merge.

    Parts that share a run are in one batch, and are merged whatever their size, so that a row goes only where the one
    that beats it is written. Of the others, the small ones are merged.

    Args:
        tables: every part by name, with the columns of an index.
        bare: parts to leave alone.
    """
    rows = {name: len(table) + int(pc.sum(table["epochs"]).as_py() or 0) for name, table in tables.items()}
    groups = [group for group in _groups(tables) if not bare.intersection(group)]
    sizes = [(group, sum(rows[name] for name in group)) for group in groups]
    small = pack((group, size) for group, size in sizes if size <= BATCH_ROWS // 2)
    large = [group for group, size in sizes if size > BATCH_ROWS // 2]
    return [{name: tables[name] for name in batch} for batch in small + large if len(batch) > 1]


def _groups(tables: Mapping[str, pa.Table]) -> list[list[str]]:
    """Return the parts that may be merged, those that share a run together."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names = sorted(name for name in tables if not name.startswith(FAILED))
    if not names:
        return []
    ids = pa.chunked_array([c for name in names for c in tables[name]["run_id"].chunks], pa.string())
    part = np.repeat(np.arange(len(names)), [len(tables[name]) for name in names])
    runs = ids.combine_chunks().dictionary_encode().indices.to_numpy()
    order = np.argsort(runs, kind="stable")
    same = runs[order[1:]] == runs[order[:-1]]
    pairs = part[order[1:]][same], part[order[:-1]][same]
    graph = coo_array((np.ones(len(pairs[0])), pairs), shape=(len(names), len(names)))
    count, label = connected_components(graph, directed=False)
    groups: list[list[str]] = [[] for _ in range(count)]
    for name, group in zip(names, label, strict=True):
        groups[group].append(name)
    return groups
