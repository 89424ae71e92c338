"""The answers of the studies, kept: each takes a bootstrap, a second and some hundred megabytes for a large study."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analysis.contents.summary import summarize
from analysis.report.answer import answer, headline

if TYPE_CHECKING:
    from analysis.contents.gather import Contents
    from analysis.service.studies.snapshot import Snapshot, WorkloadNow

REST = 10.0
"""While runs come in, an answer stands for so many times as long as it took."""
MOST = 32


@dataclass(frozen=True)
class Answer:
    """What a workload's runs answer.

    Attributes:
        stamp: Of the snapshot that it was made of.
        contents: That snapshot's, with basins within the distance asked for.
        first: Which optimizer is the more robust one, HTML; "" where there is nothing to compare.
        detail: The answer in full, HTML.
        until: Time (of `time.monotonic`) until which it stands.
    """

    stamp: str
    contents: Contents
    first: str
    detail: str
    until: float


class Answers:
    """The answers that were asked for last; many threads may ask."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, float], Answer] = {}
        self._making = threading.Lock()  # one at a time, for the memory's sake

    def of(self, snapshot: Snapshot, look: WorkloadNow, delta: float) -> Answer:
        """Return the answer on a workload with basins within `delta` points, perhaps one of a moment ago."""
        key = snapshot.name, look.slug, delta
        kept = self._kept.get(key)
        if kept is not None and (kept.stamp == snapshot.stamp or time.monotonic() < kept.until):
            return kept
        if not self._making.acquire(blocking=kept is None):
            return kept  # type: ignore[return-value]
        try:
            kept = self._kept.get(key)
            if kept is None or kept.stamp != snapshot.stamp:
                kept = self._kept[key] = _made(snapshot.stamp, look.contents, delta)
                for old in list(self._kept)[:-MOST]:
                    del self._kept[old]
            return kept
        finally:
            self._making.release()


def _made(stamp: str, contents: Contents, delta: float) -> Answer:
    started = time.monotonic()
    contents = within(contents, delta)
    first, detail = headline(contents), answer(contents)
    if contents.contrasts is not None:
        contents.contrasts.forget()
    ended = time.monotonic()
    return Answer(stamp, contents, first, detail, ended + REST * (ended - started))


def within(contents: Contents, delta: float) -> Contents:
    """Return the contents with basins within another distance."""
    if delta == contents.delta or contents.contrasts is None:
        return contents
    summaries = [summarize(one, contents.contrasts, delta) for one in contents.maps.values()]
    return replace(contents, summaries=summaries, deltas=(delta, 2 * delta))
