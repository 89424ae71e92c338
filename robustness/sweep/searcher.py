"""How a study feeds Ray Tune: a Searcher whose every suggestion is one stack."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

from ray.tune.search import Searcher

from robustness.errors import ClusterError
from robustness.results import StorageError
from robustness.results.files.retrying import patiently
from robustness.search.source import RunOutcome
from robustness.sweep.stacks import by_checkpoint, cut
from robustness.sweep.trial import REPORT, REPORT_SHARE, RUNS
from robustness.worker.attempts import lost_row
from robustness.worker.report import Report, encode
from robustness.worker.work import taken_over

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from robustness.results import Store
    from robustness.results.checkpoints import Checkpoint
    from robustness.search.source import Source
    from robustness.study import Run, Study
    from robustness.sweep.capacity import Room
    from robustness.sweep.progress import Progress
    from robustness.sweep.run_time import RunTime

LOOK_EVERY_S = 5.0
"""How often the cluster is asked for its room and the store for its claim."""

NODES_LOST = 10
"""Nodes that may die under a stack before it is taken for what kills them."""

DRIVER_PATIENCE_S = 60.0
"""How long the driver waits for a store that is away: meanwhile it hands out nothing."""

GROWN = 1.5
"""Room that grew by this factor is worth dividing the work anew."""


class StackSearcher(Searcher):
    """Hands out stacks and takes their reports; what a dead node or worker had comes again.

    Attributes:
        error: what the sweep had to end with: results could not be written, or a worker cannot work at all.
    """

    def __init__(
        self,
        *,
        study: Study,
        source: Source,
        store: Store,
        progress: Progress,
        room: Callable[[], Room],
        run_time: RunTime | None = None,
        sweep_id: str = "",
        checkpoints: Sequence[Checkpoint] = (),
    ) -> None:
        super().__init__(metric=None, mode=None)
        self.error: str | None = None
        self._study, self._source, self._store, self._progress = study, source, store, progress
        self._look, self._run_time, self._sweep_id = room, run_time, sweep_id
        self._room = room()
        self._divided_by, self._looked = self._room.slots, time.monotonic()
        self._queue: deque[list[Run]] = deque()
        self._retries: deque[list[Run]] = deque()
        self._given: dict[str, list[Run]] = {}
        self._lock = threading.Lock()
        self._lost: Counter[tuple[str, ...]] = Counter()
        self._nodes_lost: set[str] = set()
        self._stopped = False
        self._checkpoints = checkpoints

    def __getstate__(self) -> dict[str, Any]:
        """Leave everything behind: Tune pickles a searcher for a restore that nobody makes."""
        return {}

    @property
    def running(self) -> int:
        """Runs that are in training: those of the stacks handed out first, as many as there is room for."""
        with self._lock:  # whoever stops the sweep asks from a thread of its own
            return sum(len(stack) for stack in islice(self._given.values(), self._room.running))

    def stop(self) -> None:
        """Hand out nothing more."""
        self._stopped = True

    def suggest(self, trial_id: str) -> Any:
        """Return the next stack, None to be asked again, or `Searcher.FINISHED`."""
        self._look_around()
        if self._stopped:
            return str(Searcher.FINISHED)
        if len(self._given) >= self._room.ahead:
            return None
        if not self._retries and not self._queue:
            begun, new = by_checkpoint(self._source.next(), self._checkpoints)
            self._retries.extend(begun)
            if begun:
                self._progress.note(f"{sum(map(len, begun))} runs go on from where they were set down")
            self._divide(new)
        if queue := self._retries or self._queue:
            stack = queue.popleft()
            with self._lock:
                self._given[trial_id] = stack
            self._progress.running = self.running
            return {RUNS: encode(self._study, stack)}
        return None if self._given else str(Searcher.FINISHED)

    def node_died(self, trial_id: str) -> None:
        """Learn, before `on_trial_complete`, that it was the node of this trial that died."""
        self._nodes_lost.add(trial_id)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Pass a stack's report on; without one its worker or node died."""
        with self._lock:
            stack = self._given.pop(trial_id, None)
        if stack is None:
            return
        text = None if error or not result else result.get(REPORT)
        report = self._again(trial_id, stack) if text is None else Report.from_json(text)
        if report.error:
            self._end(report.error)
        self._source.tell(report.outcomes)
        self._progress.running = self.running
        self._progress.part(trial_id, stack, 0.0)
        self._progress.add(report, stack)
        if self._run_time and report.outcomes and self._run_time.learn(stack, report.seconds):
            self._divide()

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Hear how far a stack is that takes long; what it came to it reports at its end."""
        if REPORT_SHARE in result and trial_id in self._given:
            self._progress.part(trial_id, self._given[trial_id], float(result[REPORT_SHARE]))

    def save(self, checkpoint_path: str) -> None:
        """Do nothing: the Parquet is the state."""

    def restore(self, checkpoint_path: str) -> None:
        """Do nothing: the Parquet is the state."""

    def _divide(self, more: list[Run] | None = None) -> None:
        """Cut what is not handed out, and `more`, into stacks for the room and the time of a run as they are now."""
        runs = [run for stack in self._queue for run in stack] + (more or [])
        size = self._study.resources.stack_size
        self._divided_by = self._room.slots
        self._queue = deque(cut(runs, self._divided_by, None if size == "auto" else int(size), self._run_time))

    def _look_around(self) -> None:
        """See from time to time what room there is, and whether another sweep has taken over."""
        if time.monotonic() - self._looked < LOOK_EVERY_S:
            return
        self._looked = time.monotonic()
        with suppress(ClusterError):  # all nodes are away: they may come back
            self._room = self._look()
        if self._room.slots > GROWN * self._divided_by:
            self._divide()
        with suppress(StorageError):  # a store that is away for a while is the workers' to wait for
            if not self._store.claimed_by(self._sweep_id):
                self._end(taken_over(self._store))

    def _end(self, error: str) -> None:
        self.error = self.error or error
        self.stop()

    def _again(self, trial_id: str, stack: list[Run]) -> Report:
        """Queue a stack whose node or worker died: whole, then in halves; a single run fails in the end.

        A lost node says nothing against the runs, a dead worker does.
        """
        key = tuple(run.run_id for run in stack)
        nodes, workers = ("node", *key), ("worker", *key)
        if trial_id in self._nodes_lost and self._lost[nodes] < NODES_LOST:
            self._lost[nodes] += 1
            self._retries.append(stack)
            self._progress.note(f"a node died: its {len(stack)} runs are trained again")
            return Report()
        self._lost[workers] += 1
        self._progress.note(f"a worker process died with {len(stack)} runs")
        if self._lost[workers] <= self._study.resources.retries:
            self._retries.append(stack)
            return Report()
        if len(stack) > 1:
            middle = len(stack) // 2
            self._retries.extend([stack[:middle], stack[middle:]])
            return Report()
        row = lost_row(stack[0], "the worker process died, out of memory or killed", self._study.search.sampler)
        try:
            patiently(lambda: self._store.write_failed(row), patience_s=DRIVER_PATIENCE_S)
        except StorageError as error:
            return Report(error=str(error))
        return Report(outcomes=(RunOutcome(row["run_id"], "failed", None, None),))
