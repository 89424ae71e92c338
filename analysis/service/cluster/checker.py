"""Questions to the process that reads study files, each with a limit of time; see `checker_process`."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import weakref
from typing import Any

LIMIT_S = 10.0
"""A study of the greatest size that a file may have is read in less, unless it was made to take long."""

STARTING_S = 20.0
"""What loading its libraries may take on top."""

WAITING = 4
"""Questions that are answered or wait; further ones are refused."""


class CheckerError(Exception):
    """There is no answer; the text says why."""


class Checker:
    """One process, started at the first question, ended when an answer takes too long; one question at a time."""

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        self._limit_s = limit_s
        self._lock, self._room = threading.Lock(), threading.BoundedSemaphore(WAITING)
        self._process: subprocess.Popen[bytes] | None = None
        self._end: weakref.finalize[..., Checker] | None = None

    def ask(self, what: str, **more: Any) -> dict[str, Any]:
        """Return the answer to a question of `checker_process.ANSWERS`.

        Raises:
            CheckerError: it took too long or too much memory, or others are being answered.
        """
        line = json.dumps({"what": what} | more).encode() + b"\n"
        if not self._room.acquire(blocking=False):  # the service has few threads: most must be left for its pages
            raise CheckerError("other study files are being checked: try again in a moment")
        try:
            with self._lock:
                answer: dict[str, Any] = json.loads(self._answer(line))
        finally:
            self._room.release()
        return answer

    def close(self) -> None:
        """End the process; it ends with this object too."""
        if self._end:
            self._end()
        self._process = self._end = None

    def _answer(self, line: bytes) -> bytes:
        fresh = self._process is None or self._process.poll() is not None
        if fresh:
            self.close()
            self._process = _started()
            self._end = weakref.finalize(self, _ended, self._process)
        found: list[bytes] = []
        asking = threading.Thread(target=_exchange, args=(self._process, line, found), daemon=True)
        asking.start()
        asking.join(self._limit_s + (STARTING_S if fresh else 0.0))
        late = asking.is_alive()
        if late or not found or not found[0]:
            if self._process:
                self._process.kill()  # which ends the waiting for it as well
            asking.join(5.0)
            self.close()
        if late:
            raise CheckerError(f"it was given up after {self._limit_s:.0f} s: no sensible study takes so long to read")
        if not found or not found[0]:
            if not fresh:  # it may have ended by itself in this moment
                return self._answer(line)
            raise CheckerError("reading it ended the process that did")
        return found[0]


def _started() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "analysis.service.cluster.checker_process"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with contextlib.suppress(OSError):  # what it did not read
                pipe.close()


def _exchange(process: subprocess.Popen[bytes], line: bytes, found: list[bytes]) -> None:
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(line)
        process.stdin.flush()
        found.append(process.stdout.readline())
    except OSError:  # it has ended
        found.append(b"")
