"""How a study feeds Ray Tune: a Searcher whose every suggestion is one stack."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any

from ray.tune.search import Searcher

from robustness.results import StorageError
from robustness.search import Outcome
from robustness.sweep.stacks import cut
from robustness.sweep.worker import Report, encode, lost_row

if TYPE_CHECKING:
    from robustness.results import Store
    from robustness.search import Source
    from robustness.study import Run, Study
    from robustness.sweep.progress import Progress

REPORT = "report"
RUNS = "runs"


class StackSearcher(Searcher):
    """Hands out stacks, takes their reports, and gives a dead worker's stack out again in halves.

    Attributes:
        error: what the sweep had to end with: results could not be written, or a worker cannot work at all.
    """

    def __init__(self, study: Study, source: Source, store: Store, slots: int, progress: Progress) -> None:
        super().__init__(metric=None, mode=None)
        self.error: str | None = None
        self._study, self._source, self._store, self._progress = study, source, store, progress
        self._slots = slots
        self._queue: deque[list[Run]] = deque()
        self._given: dict[str, list[Run]] = {}
        self._stopped = False

    def __getstate__(self) -> dict[str, Any]:
        """Leave everything behind: Tune pickles a searcher for a restore that nobody makes."""
        return {}

    @property
    def running(self) -> int:
        """Runs that are in training: those of the stacks handed out first, as many as there are slots."""
        return sum(len(stack) for stack in islice(self._given.values(), self._slots))

    def stop(self) -> None:
        """Hand out nothing more."""
        self._stopped = True

    def suggest(self, trial_id: str) -> Any:
        """Return the next stack, None to be asked again, or `Searcher.FINISHED`."""
        if self._stopped:
            return str(Searcher.FINISHED)
        if len(self._given) >= 2 * self._slots:
            return None
        if not self._queue:
            size = self._study.resources.stack_size
            self._queue.extend(cut(self._source.next(), self._slots, None if size == "auto" else int(size)))
        if self._queue:
            self._given[trial_id] = self._queue.popleft()
            self._progress.running = self.running
            return {RUNS: encode(self._study, self._given[trial_id])}
        return None if self._given else str(Searcher.FINISHED)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Pass a stack's report on; without one its worker died as often as is allowed."""
        stack = self._given.pop(trial_id, None)
        if stack is None:
            return
        text = None if error or not result else result.get(REPORT)
        report = self._lost(stack) if text is None else Report.from_json(text)
        if report.error:
            self.error = report.error
            self.stop()
        self._source.tell(report.outcomes)
        self._progress.running = self.running
        self._progress.add(report, stack)

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Do nothing: a stack reports once, at its end."""

    def save(self, checkpoint_path: str) -> None:
        """Do nothing: the Parquet is the state."""

    def restore(self, checkpoint_path: str) -> None:
        """Do nothing: the Parquet is the state."""

    def _lost(self, stack: list[Run]) -> Report:
        if len(stack) > 1:
            middle = len(stack) // 2
            self._queue.extend([stack[:middle], stack[middle:]])
            return Report()
        row = lost_row(stack[0], "the worker process died, out of memory or killed", self._study.search.sampler)
        try:
            self._store.write_failed(row)
        except StorageError as error:
            return Report(error=str(error))
        return Report(outcomes=(Outcome(row["run_id"], "failed", None, None),))
