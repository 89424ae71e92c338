"""The stored studies: read again only where something was written since, and no more often than that pays."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING

from analysis.service.snapshot import Snapshot
from robustness.results import Following, Store, child, list_studies
from robustness.results.storage import absolute, shown
from robustness.study.study import NAME

if TYPE_CHECKING:
    from analysis.service.line import Line

CHECK_S = 1.0
"""However many ask, a study is looked at no more often."""
REST = 3.0
"""After reading a study that has changed, it rests for so many times as long as that took."""
KEPT = 8
"""Studies whose runs are kept in memory, those that were asked for last."""


class Studies:
    """The studies below a results folder or URI; many threads may ask.

    Every method raises robustness.results.StorageError or OSError where the results cannot be read.
    """

    def __init__(self, results: str) -> None:
        self.root = absolute(results)
        self._watched: dict[str, _Watched] = {}
        self._lines: dict[str, Line] = {}
        self._lock = threading.Lock()

    @property
    def place(self) -> str:
        """Where the results lie, without the key that a URI may carry."""
        return shown(self.root)

    def names(self) -> list[str]:
        """Return the names of the stored studies."""
        return [name for name in list_studies(self.root) if is_name(name)]

    def snapshot(self, name: str) -> Snapshot | None:
        """Return a study as it is stored now; None if there is no such study, or no study could have that name."""
        if not is_name(name):
            return None
        with self._lock:
            watched = self._watched.pop(name, None) or _Watched(Store(child(self.root, name)))
            self._watched[name] = watched  # the last one was asked for last
            for old in list(self._watched)[:-KEPT]:
                del self._watched[old]
        found = watched.now()
        if found is None:
            with self._lock:
                self._watched.pop(name, None)
        return found

    def lines(self) -> list[Line]:
        """Return the line of each study."""
        found = [self.snapshot(name) for name in self.names()]
        return [one.line for one in found if one is not None]


class _Watched:
    """A study that is looked at, and its last snapshot."""

    def __init__(self, store: Store) -> None:
        self._store, self._following = store, Following(store)
        self._snapshot: Snapshot | None = None
        self._lock = threading.Lock()
        self._not_before = float("-inf")

    def now(self) -> Snapshot | None:
        """Return the study; a snapshot that is seconds old while it is being written."""
        before = self._snapshot
        if before is not None and time.monotonic() < self._not_before:
            return before
        # Whoever comes while it is read gets what was read before.
        if not self._lock.acquire(blocking=before is None):
            return before
        try:
            if self._snapshot is None or time.monotonic() >= self._not_before:
                self._look()
            return self._snapshot
        finally:
            self._lock.release()

    def _look(self) -> None:
        started = time.monotonic()
        if not self._store.exists():
            self._snapshot, self._following = None, Following(self._store)
            return
        if self._following.refresh() or self._snapshot is None:
            self._snapshot = Snapshot(self._following)
        ended = time.monotonic()
        self._not_before = ended + max(CHECK_S, REST * (ended - started))


def is_name(name: str) -> bool:
    """Return whether a study can have that name: no path leads out of the results folder by it."""
    return re.fullmatch(NAME, name) is not None
