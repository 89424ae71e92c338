"""The stored studies: read again only where something was written since, and no more often than that pays."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from analysis.service.studies.progress import Training, unreadable_line
from analysis.service.studies.snapshot import Snapshot
from robustness.results import Following, StorageError, Store, child
from robustness.results.checkpoints import Checkpoints
from robustness.results.files.errors import Unreachable
from robustness.results.files.opening import open_folder
from robustness.results.files.place import Place
from robustness.study.study import NAME

if TYPE_CHECKING:
    from analysis.service.studies.progress import StudyLine

CHECK_S = 1.0
"""However many ask, a study is looked at no more often."""
REST = 3.0
"""After reading a study that has changed, it rests for so many times as long as that took."""
KEPT = 8
"""Studies whose runs are kept in memory, those that were asked for last."""
LINE_S = 30.0
"""The line of a study that is not kept is that old at most, or `REST` times what reading all of it takes."""


class Studies:
    """The studies below a results folder or URI; many threads may ask.

    No name leads out of the folder, nor does a link in it, unless links are to be followed: see
    `robustness.results.files.links`.

    Every method raises robustness.results.StorageError or OSError where the results cannot be read.
    """

    def __init__(self, results: str | Place) -> None:
        self.root = Place(results)
        self._watched: dict[str, _Watched] = {}
        self._lines: dict[str, tuple[StudyLine, float]] = {}
        self._lock, self._listing = threading.Lock(), threading.Lock()

    @property
    def place(self) -> str:
        """Where the results lie, without the key that a URI may carry."""
        return str(self.root)

    def names(self) -> list[str]:
        """Return the names of the stored studies."""
        folders = [entry.name for entry in open_folder(self.root).entries() if not entry.is_file]
        return [name for name in folders if is_name(name) and self._is_stored(name)]

    def snapshot(self, name: str) -> Snapshot | None:
        """Return a study as it is stored now; None if there is no such study, or no study could have that name."""
        if not is_name(name):
            return None
        place = child(self.root, name)  # a link may have come in the place of a study that is watched
        with self._lock:
            watched = self._watched.pop(name, None) or _Watched(Store(place, read_only=True))
            self._watched[name] = watched  # the last one was asked for last
            for old in list(self._watched)[:-KEPT]:
                del self._watched[old]
        found = watched.now()
        if found is None:
            with self._lock:
                self._watched.pop(name, None)
        return found

    def lines(self) -> list[StudyLine]:
        """Return the line of each study, also of one that cannot be read."""
        names = self.names()
        self._lines = {name: line for name, line in self._lines.items() if name in names}
        return [line for name in names if (line := self._line(name)) is not None]

    def _is_stored(self, name: str) -> bool:
        try:
            return Store(child(self.root, name), read_only=True).exists()
        except Unreachable:
            raise
        except StorageError:  # it is there, and its line says what is the matter
            return True

    def _line(self, name: str) -> StudyLine | None:
        try:
            with self._lock:
                kept = name in self._watched or len(self._watched) < KEPT
            found = self.snapshot(name) if kept else None
            return found.line if found else self._line_only(name)
        except Unreachable:
            raise
        except (StorageError, OSError) as error:
            return unreadable_line(name, error)

    def _line_only(self, name: str) -> StudyLine | None:
        """Return the line of a study without keeping its runs: a list must not push out what is looked at."""
        with self._listing:
            line, until = self._lines.get(name, (None, 0.0))
            now = time.monotonic()
            if line is None or now >= until:
                found = _Watched(Store(child(self.root, name), read_only=True)).now()
                if found is None:
                    return None
                ended = time.monotonic()
                line = found.line
                self._lines[name] = (line, ended + max(LINE_S, REST * (ended - now)))
            return line


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
        self._snapshot.line = replace(self._snapshot.line, training=Training.of(Checkpoints(self._store).listed()))
        ended = time.monotonic()
        self._not_before = ended + max(CHECK_S, REST * (ended - started))


def is_name(name: str) -> bool:
    """Return whether a study can have that name: no path leads out of the results folder by it."""
    return re.fullmatch(NAME, name) is not None
