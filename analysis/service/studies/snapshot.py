"""A stored study at one moment: its runs, maps and measures, worked out when they are asked for.

In two stages: what is shown at once (`light`), and all of it (`full`). Each is made once, and finished when it is
handed out: no thread can find it half filled.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from analysis.contents.by_workload import by_workload, slugs
from analysis.contents.gather import fully, lightly
from analysis.service.studies.limits import read_stored
from analysis.service.studies.progress import line_of
from robustness.study.file import MOST

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from analysis.contents.by_workload import WorkloadRuns
    from analysis.contents.gather import Contents
    from analysis.service.base.address import View
    from robustness.results import Following

Value = TypeVar("Value")


class WorkloadNow:
    """One workload of a study.

    Attributes:
        title: What tables and figures call it.
        slug: What an address calls it.
        runs: The runs to show, with the column `label`.
        asked: Runs that the study asks for; None where unknown.
    """

    def __init__(self, snapshot: Snapshot, index: int, slug: str, part: WorkloadRuns) -> None:
        self._snapshot, self._index = snapshot, index
        self.title, self.slug, self.runs, self.asked = part.title, slug, part.runs, part.asked

    @property
    def contents(self) -> Contents:
        """Maps, measures and marks; no comparisons, curves, verdicts or tuning curves, which take long."""
        return self._snapshot.light()[self._index]

    @property
    def full(self) -> Contents:
        """All of it: seconds, and some hundred megabytes, for a large study."""
        return self._snapshot.full()[self._index]


class Snapshot:
    """A study as it was stored when `stamp` was made; safe to share among threads.

    Attributes:
        name: Its folder's.
        stamp: Changes with every write.
        store: Where it lies.
        text: The study file; None without one.
        study: What that file asks; None where it is missing or cannot be read.
        problem: Why `study` is None; None otherwise.
        line: How far it is.
    """

    def __init__(self, following: Following) -> None:
        """Take what was read last."""
        self._following = following
        self.stamp, self.store, self.text = following.stamp, following.store, following.text
        self.name = self.store.name
        self.study, self.problem = read_stored(self.text, following.resolved, self.name)
        if len(self.text or "") > MOST:
            self.text = None  # nobody reads it
        self.stored: pd.DataFrame = following.runs()
        self._workloads = by_workload(self.stored, self.study)
        self.line = line_of(self.name, self._workloads, self.problem)
        self._lock, self._locks, self._made = threading.Lock(), dict[str, threading.RLock](), dict[str, Any]()

    @property
    def workloads(self) -> list[WorkloadNow]:
        """Each workload, at least one."""
        # Made anew: kept, they would hold the snapshot that holds them, and some hundred megabytes with it.
        titles = slugs([part.title for part in self._workloads])
        return [WorkloadNow(self, i, *pair) for i, pair in enumerate(zip(titles, self._workloads, strict=True))]

    def workload(self, view: View) -> WorkloadNow:
        """Return the workload that an address names, else the first."""
        found = self.workloads
        named = view.one_of("workload", [one.slug for one in found])
        return next(one for one in found if one.slug == named)

    def curves(self, run_ids: list[str]) -> pd.DataFrame:
        """Return the curves of these runs.

        Raises:
            robustness.results.StorageError: They cannot be reached.
        """
        return self._following.curves(run_ids)

    def light(self) -> list[Contents]:
        """Return what is known of each workload without curves and verdicts."""
        return self.once("light", partial(lightly, self.name, self.text, self.problem, self._workloads, self.stored))

    def full(self) -> list[Contents]:
        """Return everything about each workload."""
        return self.once("full", lambda: fully(self.light(), self.store.read_provenance(), self._following.curves))

    def once(self, key: str, make: Callable[[], Value]) -> Value:
        """Return what `make` makes: once, however many ask; who asks for something else does not wait for it."""
        with self._lock:
            lock = self._locks.setdefault(key, threading.RLock())
        with lock:
            if key not in self._made:
                self._made[key] = make()
            value: Value = self._made[key]
            return value
