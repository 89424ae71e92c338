"""A followed job on the screen: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.text import Text

from robustness import redaction
from robustness.console import Terminal, err, out
from robustness.sweep.progress import Bar, ProgressLine

if TYPE_CHECKING:
    from typing import Self

    from robustness.jobs.job import Job

_RAYS = re.compile(r".*\bjob_manager\.py:\d+ -- .*|Running entrypoint for job .*")
"""Lines that Ray writes into every job's log."""

_WAITING = "waiting for the cluster to start the job"


class Screen:
    """Shows a job's lines: its progress as `robustness run` does, all others above it or between."""

    def __init__(self, job: Job) -> None:
        self.console = Terminal(stderr=True, highlight=False, emoji=False)
        self._study, self._message = job.study, _WAITING
        self._line: ProgressLine | None = None
        self._bar = Bar(self.console, elapsed_s=job.took_s)
        self._live = Live(self, console=self.console, refresh_per_second=4, transient=False)

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._message = ""
        if self.console.is_terminal:
            self._live.stop()

    def __rich__(self) -> Group:
        """Return what the terminal shows now."""
        below = [Text(self._message, style="dim")] if self._message else []
        return Group(self._bar.show(self._line), *below) if self._line else Group(*below)

    def line(self, text: str) -> None:
        """Show a line that the job printed."""
        if _RAYS.fullmatch(text):
            return
        self._message = ""
        terminal = self.console.is_terminal
        if line := ProgressLine.parse(text):
            self._line = line
            if not terminal:
                self.console.print(redaction.text(text), markup=False, soft_wrap=True)
        elif terminal:
            self.console.print(redaction.text(text), markup=False, soft_wrap=True)
        else:
            out.print(text)

    def say(self, message: str) -> None:
        """Show a word of our own."""
        self._message = message
        if not self.console.is_terminal:
            err.print(message)
