"""What every command has: the screen, the exit codes, and the arguments that many share."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, NoReturn, Protocol

from rich.console import Console

from robustness import redaction
from robustness.results import Place, StorageError
from robustness.transcription import readable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130
QUIET_S = 2.0
"""A bar appears only where something takes longer than this."""


class Terminal(Console):
    """The screen, where no key of a URI is shown, whatever text has it, and nothing fails that it cannot show."""

    @property
    def file(self) -> IO[str]:
        """The stream that is written to."""
        return readable(super().file)

    @file.setter
    def file(self, new: IO[str]) -> None:
        self._file = new

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does."""
        super().print(*(redaction.text(each) if isinstance(each, str) else each for each in objects), **options)


class Parser(argparse.ArgumentParser):
    """A command line whose errors repeat no key that somebody typed."""

    def error(self, message: str) -> NoReturn:
        """End the program with the usage and what is wrong."""
        super().error(redaction.text(message))


out = Terminal(soft_wrap=True, highlight=False, markup=False, emoji=False)
err = Terminal(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)


STOPPED = "stopped; what was stored stays, and the same command goes on from there"
"""What is said where Ctrl-C ended a command."""


def end_at_once(code: int) -> NoReturn:
    """End this process with an exit code, whatever threads of others still run in it.

    Python's own end takes down what those threads use, and Ray's crash of that.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody reads it any more
            stream.flush()
    os._exit(code)


class Add(Protocol):
    """Adds a command to the command line."""

    def __call__(
        self, name: str, function: Callable[[argparse.Namespace], int], text: str, /
    ) -> argparse.ArgumentParser:
        """Take the command's name, its function (which returns the exit code) and its help; return its parser."""


@contextmanager
def bar(doing: str) -> Iterator[Callable[[int, int], None]]:
    """Show on a terminal how far it is, unless it is done soon; what it gives is told how much is done, of how much."""
    from rich.progress import Progress

    shown = Progress(console=err, transient=True)
    task = shown.add_task(doing, total=None)
    timer = threading.Timer(QUIET_S, shown.start)
    timer.daemon = True
    if err.is_terminal:
        timer.start()
    try:
        yield lambda done, total: shown.update(task, completed=done, total=total)
    finally:
        timer.cancel()
        if shown.live.is_started:
            shown.stop()


def positive(text: str) -> float:
    """Return a finite number above 0 that was given as an argument."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {text}")
    return value


def place(text: str) -> Place:
    """Return the folder or URI that was given as an argument."""
    try:
        return Place(text)
    except StorageError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def takes_results(command: argparse.ArgumentParser) -> None:
    """Add --results."""
    command.add_argument(
        "--results",
        type=place,
        default=os.environ.get("ROBUSTNESS_RESULTS", "results"),
        help="folder or URI of all results (default: $ROBUSTNESS_RESULTS, else results)",
    )


def takes_study(command: argparse.ArgumentParser) -> None:
    """Add one study file."""
    command.add_argument("study", metavar="STUDY", help="a study file, or the name of one in search_spaces")


def takes_stored(command: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Add one stored study, or several, and --results."""
    words = "a stored study's name, its study file, or its folder or URI"
    if several:
        command.add_argument("study", metavar="STUDY", nargs="+", help=words)
    else:
        command.add_argument("study", metavar="STUDY", help=words)
    takes_results(command)
