"""A progress bar of a command that may take long."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from robustness.console import err

if TYPE_CHECKING:
    from collections.abc import Iterator

    from robustness.results.batches import OnProgress

QUIET_S = 2.0
"""A bar appears only where something takes longer than this."""


@contextlib.contextmanager
def bar(doing: str) -> Iterator[OnProgress]:
    """Show on a terminal how far it is, unless it is done soon."""
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
