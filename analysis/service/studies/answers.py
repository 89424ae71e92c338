"""The answers of the studies, kept: each takes a bootstrap, a second and some hundred megabytes for a large study.

What is kept is words and a few numbers: neither the runs nor the maps of a study live on because it was answered.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.contents.gather import against, answered, within
from analysis.report.answer import answer, headline
from analysis.report.notes import notes

if TYPE_CHECKING:
    from analysis.contents.gather import Contents
    from analysis.contents.summary import Summary
    from analysis.service.studies.snapshot import Snapshot, WorkloadNow

REST = 10.0
"""While runs come in, an answer stands for so many times as long as it took."""
MOST = 32


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a workload's runs answer.

    Attributes:
        stamp: Of the snapshot that it was made of.
        delta: Points of error that bound the basins.
        runs: How many those are.
        slots: label -> slot of its look.
        summaries: A line per optimizer, with basins of that distance.
        first: Which optimizer is the more robust one, HTML; None where there is nothing to compare.
        detail: The answer in full, HTML.
        notes: What a reader must know before trusting it, in plain sentences.
        until: Time (of `time.monotonic`) until which it stands.
    """

    stamp: str
    delta: float
    runs: int
    slots: dict[str, int]
    summaries: tuple[Summary, ...]
    first: str | None
    detail: str
    notes: tuple[str, ...]
    until: float


class Answers:
    """The answers that were asked for last; many threads may ask."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, float, str | None], Answer] = {}
        self._making = threading.Lock()  # one at a time, for the memory's sake

    def of(self, snapshot: Snapshot, look: WorkloadNow, delta: float, reference: str | None = None) -> Answer:
        """Return the answer on a workload with basins within `delta` points, perhaps one of a moment ago.

        Args:
            snapshot: The study.
            look: The workload.
            delta: Points of error that bound the basins.
            reference: Label of the optimizer that the others are compared with; None: as the study has it.
        """
        key = snapshot.name, look.slug, delta, reference
        kept = self._kept.get(key)
        if kept is not None and (kept.stamp == snapshot.stamp or time.monotonic() < kept.until):
            return kept
        if not self._making.acquire(blocking=kept is None):
            return kept  # type: ignore[return-value]
        try:
            kept = self._kept.get(key)
            if kept is None or kept.stamp != snapshot.stamp:
                kept = self._kept[key] = _made(snapshot.stamp, against(look.contents, reference), delta)
                for old in list(self._kept)[:-MOST]:
                    del self._kept[old]
            return kept
        finally:
            self._making.release()


def _made(stamp: str, light: Contents, delta: float) -> Answer:
    started = time.monotonic()
    contents = answered(within(light, delta))
    first, detail = headline(contents), answer(contents)
    ended = time.monotonic()
    return Answer(
        stamp=stamp,
        delta=delta,
        runs=len(contents.runs),
        slots=contents.slots,
        summaries=tuple(contents.summaries),
        first=first,
        detail=detail,
        notes=tuple(notes(contents)),
        until=ended + REST * (ended - started),
    )
