"""A store that grows, read again only where something was written since."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from robustness.results.batches import runs_of
from robustness.results.compaction import FAILED
from robustness.results.curves import read_curves
from robustness.results.index import COLUMNS, Index
from robustness.results.tables.schema import RUNS

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    import pyarrow as pa

    from robustness.results.store import Store


@dataclass(frozen=True)
class _Found:
    """What a look at a store found: swapped as a whole, so that readers need no lock."""

    text: str | None
    resolved: str | None
    stamp: str
    tables: dict[str, pa.Table]
    index: Index

    @classmethod
    def of(cls, text: str | None, resolved: str | None, tables: dict[str, pa.Table]) -> _Found:
        index = Index.of({name: table.select(COLUMNS) for name, table in tables.items()})
        return cls(text, resolved, _stamp(text, resolved, tables), tables, index)


class Following:
    """The runs of a store and its study file, as they were when it was looked at last; many threads may ask.

    The rows of all runs are kept in memory, curves are not.
    """

    def __init__(self, store: Store) -> None:
        """Read nothing yet."""
        self.store = store
        self._found, self._told = _Found.of(None, None, {}), ""
        self._looking = threading.Lock()

    @property
    def text(self) -> str | None:
        """The study file; None if there is none."""
        return self._found.text

    @property
    def resolved(self) -> str | None:
        """What the study file resolved to, JSON; None if it was not stored."""
        return self._found.resolved

    @property
    def stamp(self) -> str:
        """Changes with everything that is written; the same for whoever has read the same."""
        return self._found.stamp

    def refresh(self) -> bool:
        """Read what was written since the last look; return whether there was anything since the last `refresh`.

        The first time there always is. A part never changes under its name, but that of a failed run, which holds its
        last failure: those few are read each time.

        Raises:
            StorageError: The files cannot be reached, or a newer version wrote them; all is as it was before.
        """
        with self._looking:
            stamp = self._look().stamp
            changed, self._told = stamp != self._told, stamp
            return changed

    def runs(self) -> pd.DataFrame:
        """Return one row a run, as `Store.runs` did at the last look."""
        return runs_of(self._found.tables)

    def curves(self, run_ids: Iterable[str] | None = None, columns: Iterable[str] | None = None) -> pd.DataFrame:
        """Return the curves of these runs (default: of all), as `Store.curves` does, from the parts that hold them.

        Where a compaction has merged such a part, it looks at the store again.

        Raises:
            StorageError: The files cannot be reached, or a newer version wrote them.
            ValueError: There is no such column.
        """
        return read_curves(self.store.reader, self._found.index, self._index_anew, run_ids, columns)

    def _index_anew(self) -> Index:
        with self._looking:
            return self._look().index

    def _look(self) -> _Found:
        before = self._found
        text, resolved = self.store.read_study(), self.store.read_resolved()
        known = {name: table for name, table in before.tables.items() if not name.startswith(FAILED)}
        tables = self.store.reader.read("runs", RUNS, None, known)
        if (text, _stamp(text, resolved, tables)) != (before.text, before.stamp):
            self._found = _Found.of(text, resolved, tables)
        return self._found


def _stamp(text: str | None, resolved: str | None, tables: dict[str, pa.Table]) -> str:
    """Return a hash of the study file, what it resolved to, the parts' names, and what those of failed runs hold."""
    found = hashlib.sha256(repr((text, resolved)).encode())
    for name in sorted(tables):
        found.update(f"\n{name}".encode())
        if name.startswith(FAILED):
            found.update(repr(tables[name].to_pylist()).encode())
    return found.hexdigest()[:16]
