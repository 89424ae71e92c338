"""Following a job to its end, over a connection that may break."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from robustness.jobs.errors import MissingJobError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from robustness.jobs.cluster import Cluster
    from robustness.jobs.job import Job

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 15.0
GIVE_UP_S = 1800.0
"""Without an answer for so long, whoever follows is let go; the job itself needs nobody who follows it."""


class Viewer(Protocol):
    """Whom a job's lines are shown to."""

    def line(self, text: str) -> None:
        """Take a line that the job printed."""

    def say(self, message: str) -> None:
        """Take a word on the connection."""


class LogLines:
    """The lines of a log that each connection sends from its start: each line once."""

    def __init__(self, seen: int = 0) -> None:
        """`seen` characters at the start are left out."""
        self._seen, self._at, self._rest = seen, 0, ""

    def restart(self) -> None:
        """Take what comes next as the log's start."""
        self._at = 0

    def feed(self, piece: str) -> list[str]:
        """Take the next piece; return the lines that are whole and new."""
        new = piece[max(0, self._seen - self._at) :]
        self._at += len(piece)
        self._seen = max(self._seen, self._at)
        *lines, self._rest = (self._rest + new).split("\n")
        return lines

    def rest(self) -> list[str]:
        """Return what came after the last end of a line."""
        rest, self._rest = self._rest, ""
        return [rest] if rest else []


def follow(cluster: Cluster, job_id: str, viewer: Viewer, *, seen: int = 0) -> Job:
    """Show what a job prints until it has ended; return it as it is then.

    Args:
        cluster: where it runs.
        job_id: its id.
        viewer: whom to show it to.
        seen: characters at the start of its log that need not be shown.

    Raises:
        MissingJobError: the cluster no longer knows the job: its head was started anew.
        UnreachableError: the cluster did not answer for GIVE_UP_S seconds.
        JobsError: the cluster refuses.
    """
    lines, patience, tried = LogLines(seen), _Patience(viewer), False
    while True:
        try:
            job = cluster.job(job_id)
            patience.answered()
            if tried and not job.ended:  # the server hung up, or the log was silent for long
                patience.pause()
            tried = True
            _show(lines, [cluster.log(job_id)] if job.ended else cluster.tail(job_id), viewer, patience)
        except UnreachableError as error:
            patience.failed(error)
            patience.pause()
            continue
        except MissingJobError as error:
            again = "If its head was started anew, submit the study again: what is stored stays"
            raise MissingJobError(f"{error}. {again}") from error
        if job.ended:
            for line in lines.rest():
                viewer.line(line)
            return job


def _show(lines: LogLines, pieces: Iterable[str], viewer: Viewer, patience: _Patience) -> None:
    """Show what is new in a log that is sent from its start."""
    lines.restart()
    for piece in pieces:
        for line in lines.feed(piece):
            patience.reset()
            viewer.line(line)


class _Patience:
    """How long to wait before the next try, and when to give up."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._pause_s, self._lost_at = FIRST_PAUSE_S, 0.0

    def answered(self) -> None:
        """Take note that the cluster is there."""
        if self._lost_at:
            self._viewer.say("connected again")
        self._lost_at = 0.0

    def reset(self) -> None:
        """Begin with short pauses again: something new came."""
        self._pause_s = FIRST_PAUSE_S

    def failed(self, error: UnreachableError) -> None:
        """Say it once; give up when it has lasted too long."""
        if not self._lost_at:
            self._lost_at = time.monotonic()
            self._viewer.say(f"{error}; trying again")
        elif time.monotonic() - self._lost_at > GIVE_UP_S:
            raise error

    def pause(self) -> None:
        """Wait, longer each time."""
        time.sleep(self._pause_s)
        self._pause_s = min(LONGEST_PAUSE_S, self._pause_s * 2)
