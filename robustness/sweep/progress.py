"""What is on the screen while a sweep runs: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from robustness.study import Run, Study
    from robustness.sweep.worker import Report

LINE_EVERY_S = 5.0
WAITING = "waiting for the first results"


class Progress:
    """Counts reports and shows them: runs done of all, running, diverged, failed, best errors, time left."""

    def __init__(self, study: Study, *, total: int, done: int, quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet, highlight=False)
        self.total, self.done = total, done
        self.counts: Counter[str] = Counter()
        self.best: dict[str, float] = {}
        self.running = 0
        self._name = study.name
        self._labels = {entry.optimizer: entry.label for entry in study.optimizers}
        # The least error of an optimizer means something on one workload alone.
        self._shows_best = len(study.workloads) == 1
        self._first: tuple[float, int] | None = None
        self._last_line = 0.0
        self._message = ""
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("runs ·"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=self.console,
        )
        self._task = self._bar.add_task(study.name, total=total, completed=done, left="")
        self._live = Live(self, console=self.console, refresh_per_second=4, transient=False)

    @property
    def trained(self) -> int:
        """Runs that came to a result, diverged ones included."""
        return self.counts["completed"] + self.counts["diverged"]

    @property
    def failed(self) -> int:
        """Runs that could not be trained."""
        return self.counts["failed"]

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._message, self._first = "", None
        if self.console.is_terminal:
            self._live.stop()
        else:
            self._line(force=True)

    def __rich__(self) -> Group:
        """Return what the terminal shows now."""
        self._bar.update(self._task, completed=self.done + self.trained + self.failed, left=self._left())
        return Group(self._bar, Text(self._status(), style="dim"))

    def say(self, message: str) -> None:
        """Show what the sweep is waiting for, until something else is said."""
        self._message = message
        if not self.console.is_terminal:
            self._line(force=True)

    def add(self, report: Report, stack: Sequence[Run]) -> None:
        """Count the report of a stack of runs."""
        labels = {run.run_id: self._labels[run.optimizer] for run in stack}
        if report.outcomes and self._message == WAITING:
            self._message = ""
        for outcome in report.outcomes:
            self.counts[outcome.status] += 1
            if outcome.test_error is not None and self._shows_best:
                label = labels[outcome.run_id]
                self.best[label] = min(self.best.get(label, 100.0), outcome.test_error)
        if self._first is None and report.outcomes:
            self._first = (time.monotonic(), self.trained + self.failed)
        if not self.console.is_terminal:
            self._line()

    def stopping(self, running: int) -> None:
        """Say what the first Ctrl-C does."""
        self.say(f"stopping: up to {running} runs are being finished and stored; Ctrl-C again stops now")

    def _left(self) -> str:
        """Estimate the time left from the pace since the first report: what came before was Ray's start."""
        finished = self.trained + self.failed
        remaining = self.total - self.done - finished
        if self._first is None or not remaining or finished == self._first[1]:
            return ""
        seconds = (time.monotonic() - self._first[0]) / (finished - self._first[1]) * remaining
        return f"· {seconds:.0f} s left" if seconds < 100 else f"· {seconds / 60:.0f} min left"

    def _status(self) -> str:
        parts = [f"{self.running} running", f"{self.counts['diverged']} diverged", f"{self.failed} failed"]
        if self.best:
            labels = [label for label in self._labels.values() if label in self.best]
            parts.append("best " + ", ".join(f"{label} {self.best[label]:.2f} %" for label in labels))
        return " · ".join(part for part in [*parts, self._message] if part)

    def _line(self, *, force: bool = False) -> None:
        if not force and time.monotonic() - self._last_line < LINE_EVERY_S:
            return
        self._last_line = time.monotonic()
        count = self.done + self.trained + self.failed
        text = f"{self._name}: {count} of {self.total} runs · {self._status()} {self._left()}"
        self.console.print(text.rstrip(), markup=False, soft_wrap=True)
