"""What is on the screen while a sweep runs: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress
from rich.text import Text

from robustness.console import Terminal
from robustness.study.study import NAME
from robustness.sweep.bests import Bests

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    import pandas as pd
    from rich.console import Console

    from robustness.study import Run, Study
    from robustness.worker.report import Report

LINE_EVERY_S = 5.0
WAITING = "waiting for the first results"

# A log in ASCII has a bar for the dot.
_LINE = re.compile(rf"({NAME}): (\d+) of (\d+) runs [·|] (.*?)(?: [·|] (\d+ (?:s|min) left))?")

_TRAINING = re.compile(r"(\d+) running, (\d+) % through")


@dataclass(frozen=True)
class ProgressLine:
    """How far a sweep is, in one line: printed where there is no terminal, and read back by who follows it.

    Attributes:
        study: the study's name.
        done: runs that are stored or failed.
        total: runs of the study.
        status: what is running, what failed, the best errors, what is waited for.
        left: an estimate of the time left; None if there is none.
        begun: what is done of the runs in training, in runs; it moves the bar, and the text has it in percent.
    """

    study: str
    done: int
    total: int
    status: str
    left: str | None = None
    begun: float = 0.0

    def __str__(self) -> str:
        """Return the line; `parse` reads it."""
        parts = (f"{self.study}: {self.done} of {self.total} runs", self.status, self.left)
        return " · ".join(part for part in parts if part)

    @classmethod
    def parse(cls, text: str) -> ProgressLine | None:
        """Read what `str` wrote; None if it is another line."""
        match = _LINE.fullmatch(text)
        if not match:
            return None
        training = _TRAINING.match(match[4])
        begun = int(training[1]) * int(training[2]) / 100 if training else 0.0
        return cls(match[1], int(match[2]), int(match[3]), match[4], match[5], begun)


class Bar:
    """A line as a bar with its status below, for a terminal."""

    def __init__(self, console: Console, *, elapsed_s: float = 0.0) -> None:
        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("runs ·"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
        )
        self._task = self._bar.add_task("", left="")
        self._bar.tasks[0].start_time = self._bar.get_time() - elapsed_s

    def show(self, line: ProgressLine) -> Group:
        """Return what the terminal shows now."""
        left = f"· {line.left}" if line.left else ""
        self._bar.update(
            self._task, description=line.study, total=line.total, completed=line.done + line.begun, left=left
        )
        return Group(self._bar, Text(line.status, style="dim"))


class Progress:
    """Counts reports and shows them: runs done of all, running, diverged, failed, best errors, time left."""

    def __init__(
        self, study: Study, *, total: int, done: int, stored: pd.DataFrame | None = None, quiet: bool = False
    ) -> None:
        """Show the sweep of `study`, of whose `total` runs `done` are among the `stored` ones."""
        self.console = Terminal(stderr=True, quiet=quiet, highlight=False, emoji=False)
        self.total, self.done = total, done
        self.counts: Counter[str] = Counter()
        self.bests = Bests(study, stored)
        self._running = 0
        self._parts: dict[str, tuple[int, float]] = {}
        self._name = study.name
        self._first: tuple[float, float] | None = None
        self._last_line = float("-inf")
        self._due: threading.Timer | None = None
        self._lock = threading.RLock()
        self._message = ""
        self._bar = Bar(self.console)
        self._live = Live(self, console=self.console, refresh_per_second=4, transient=False)

    @property
    def trained(self) -> int:
        """Runs that came to a result, diverged ones included."""
        return self.counts["completed"] + self.counts["diverged"]

    @property
    def failed(self) -> int:
        """Runs that could not be trained."""
        return self.counts["failed"]

    @property
    def running(self) -> int:
        """Runs in training."""
        return self._running

    @running.setter
    def running(self, count: int) -> None:
        changed = count != self._running
        self._running = count
        if changed and not self.console.is_terminal:
            self._print()

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._message, self._first = "", None
        if self.console.is_terminal:
            self._live.stop()
        else:
            self._print(force=True)

    def __rich__(self) -> Group:
        """Return what the terminal shows now."""
        return self._bar.show(self.line())

    def line(self) -> ProgressLine:
        """Return how far the sweep is now."""
        done = self.done + self.trained + self.failed
        return ProgressLine(self._name, done, self.total, self._status(), self._left(), self._begun)

    def say(self, message: str) -> None:
        """Show what the sweep is waiting for, until something else is said."""
        self._message = message
        if not self.console.is_terminal:
            self._print(force=True)

    def note(self, words: str) -> None:
        """Print a line that stays, above the bar where there is one."""
        self.console.print(words, markup=False, soft_wrap=True)

    def add(self, report: Report, stack: Sequence[Run]) -> None:
        """Count the report of a stack of runs."""
        if report.suspended:
            self.note(f"{report.suspended} runs are set down: the next sweep goes on with them")
        if report.outcomes and self._message == WAITING:
            self._message = ""
        for outcome in report.outcomes:
            self.counts[outcome.status] += 1
        with self._lock:
            self.bests.add(stack, report.outcomes)
        if self._first is None and report.outcomes:
            self._first = (time.monotonic(), self.trained + self.failed)
        if not self.console.is_terminal:
            self._print()

    def part(self, key: str, stack: Sequence[Run], share: float) -> None:
        """Show that `share` of the training of a stack is done, 0 to 1; `key` names it from one time to the next."""
        with self._lock:
            if not share:
                self._parts.pop(key, None)
                return
            self._parts[key] = (len(stack), share)
        self._first = self._first or (time.monotonic(), self.trained + self.failed + self._begun)
        if not self.console.is_terminal:
            self._print()

    @property
    def _begun(self) -> float:
        with self._lock:  # a bar draws itself, and a sweep is stopped, from threads of their own
            return sum((runs * share for runs, share in self._parts.values()), start=0.0)

    def stopping(self, running: int) -> None:
        """Say what the first Ctrl-C does, or the end of a job that was asked to stop, whose driver has no keyboard."""
        now = "; Ctrl-C again stops now" if self.console.is_terminal else ""
        self.say(f"stopping: up to {running} runs are being finished and stored, or set down{now}")

    def _left(self) -> str | None:
        """Estimate the time left from the pace since the first report: what came before was Ray's start."""
        finished = self.trained + self.failed + self._begun
        remaining = self.total - self.done - finished
        if self._first is None or not remaining or finished <= self._first[1]:
            return None
        seconds = (time.monotonic() - self._first[0]) / (finished - self._first[1]) * remaining
        return f"{seconds:.0f} s left" if seconds < 100 else f"{seconds / 60:.0f} min left"

    def _status(self) -> str:
        running = f"{self.running} running"
        if self._parts and self.running:
            running += f", {100 * min(1.0, self._begun / self.running):.0f} % through"
        parts = [running, f"{self.counts['diverged']} diverged", f"{self.failed} failed"]
        with self._lock:
            if best := self.bests.now():
                parts.append("best " + ", ".join(f"{label} {error:.2f} %" for label, error in best.items()))
        return " · ".join(part for part in [*parts, self._message] if part)

    def _print(self, *, force: bool = False) -> None:
        """Print the line, now or, if one has just been printed, once for all that changes until it is time again."""
        with self._lock:
            wait_s = 0.0 if force else self._last_line + LINE_EVERY_S - time.monotonic()
            if wait_s <= 0:
                self._print_now()
            elif self._due is None:
                self._due = threading.Timer(wait_s, self._print_due)
                self._due.daemon = True
                self._due.start()

    def _print_due(self) -> None:
        with self._lock:
            if self._due is not None:
                self._print_now()

    def _print_now(self) -> None:
        if self._due is not None:
            self._due.cancel()
        self._due, self._last_line = None, time.monotonic()
        self.console.print(str(self.line()), markup=False, soft_wrap=True)
