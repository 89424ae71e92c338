"""What the pages know of the stored studies: read again only where something was written since."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from analysis.asked import stored_study
from analysis.contents import METRIC, gather_all
from analysis.parts import parts
from robustness.results import Store, child, finished, list_studies
from robustness.results.storage import absolute, open_folder, shown
from robustness.study.study import NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from analysis.contents import Contents

Value = TypeVar("Value")


@dataclass(frozen=True)
class Line:
    """A study in the list of studies.

    Attributes:
        name: Its folder's.
        workloads: What tables call them.
        done: Runs with a result, of those that it asks for.
        asked: Runs that it asks for; None where unknown.
        failed: Runs that could not be trained.
        last: When the last of its runs ended.
        best: By workload, the least mean error over the seeds of a cell of each optimizer, percent.
    """

    name: str
    workloads: tuple[str, ...]
    done: int
    asked: int | None
    failed: int
    last: datetime | None
    best: dict[str, dict[str, float]]


class Studies:
    """The studies below a results folder or URI.

    Every method raises robustness.results.StorageError where the results cannot be read.
    """

    def __init__(self, results: str) -> None:
        self._root = absolute(results)
        self._kept: dict[tuple[str, str], tuple[str, Any]] = {}
        self._lock = threading.Lock()

    @property
    def place(self) -> str:
        """Where the results lie, without the key that a URI may carry."""
        return shown(self._root)

    def names(self) -> list[str]:
        """Return the names of the stored studies."""
        return [name for name in list_studies(self._root) if is_name(name)]

    def store(self, name: str) -> Store | None:
        """Return the results of a study; None if there is no such study, or no study could have that name."""
        if not is_name(name):
            return None
        store = Store(child(self._root, name))
        return store if store.exists() else None

    def line(self, store: Store) -> Line:
        """Return a study as the list shows it."""
        return self._fresh("line", store, line)[1]

    def contents(self, store: Store) -> tuple[str, list[Contents]]:
        """Return everything about a study, and what changes when something is written."""
        return self._fresh("contents", store, gather_all)

    def _fresh(self, kind: str, store: Store, read: Callable[[Store], Value]) -> tuple[str, Value]:
        """Return what `read` makes of a store, and the stamp of the store that it was made of."""
        with self._lock:  # two pages that ask at once read it once
            stamp = _stamp(store)
            kept = self._kept.get((kind, store.root))
            if kept is None or kept[0] != stamp:
                kept = self._kept[kind, store.root] = stamp, read(store)
            return kept


def is_name(name: str) -> bool:
    """Return whether a study can have that name: no path leads out of the results folder by it."""
    return re.fullmatch(NAME, name) is not None


def _stamp(store: Store) -> str:
    """Return what changes with every write: a part never changes under its name."""
    names = [entry.name for entry in open_folder(store.root).entries("runs")]
    return f"{hash((tuple(names), store.read_study())):x}"


def line(store: Store) -> Line:
    """Return a study as the list shows it, read anew."""
    study, _ = stored_study(store.read_study(), store.name)
    stored = store.runs()
    found = parts(stored, study)
    asked = [part.asked for part in found if part.asked is not None]
    return Line(
        store.name,
        tuple(part.title for part in found),
        sum(len(finished(part.runs)) for part in found),
        sum(asked) if len(asked) == len(found) else None,
        sum(int((part.runs["status"] == "failed").sum()) for part in found),
        stored["finished_at"].max().to_pydatetime() if len(stored) else None,
        {part.title: _best(part.runs) for part in found},
    )


def _best(runs: pd.DataFrame) -> dict[str, float]:
    results = finished(runs)
    cells = results.groupby(["label", "cell_id"], observed=True)[METRIC].mean()
    least = cells.groupby("label", observed=True).min().dropna()
    return {str(label): float(value) for label, value in least.items()}


def ago(then: datetime, now: datetime | None = None) -> str:
    """Return how long ago a moment is."""
    seconds = ((now or datetime.now(UTC)) - then).total_seconds()
    for limit, size, unit in ((90, 1, "s"), (5400, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{max(seconds, 0) / size:.0f} {unit} ago"
    return f"{seconds / 86400:.0f} days ago"
