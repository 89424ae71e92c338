"""A study in one line: how far it is, how fast it goes, and the best error of each optimizer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from robustness.results import finished
from robustness.results.best import best_errors
from robustness.search.stored_cells import on_one_grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.contents.by_workload import WorkloadRuns
    from robustness.results.checkpoints import Checkpoint

CHECKPOINT_S = 600.0
"""How often a long training is checkpointed, where its study does not say otherwise."""
LIVE_S = 120.0
"""A sweep that has been silent for so many seconds, or `PATIENCE` times its longest gap, is not said to run."""
PATIENCE = 3.0
PACE_S = 600.0
"""The pace is that of the runs that ended within so many seconds of the last one."""
GAPS = 30


@dataclass(frozen=True)
class Training:
    """What checkpoints have of long trainings: of how many runs, the share of their epochs that is done, as of when."""

    runs: int
    share: float
    at: datetime

    @classmethod
    def of(cls, checkpoints: Sequence[Checkpoint]) -> Training | None:
        """Return what the checkpoints of a study say, None if there are none."""
        runs = sum(len(each.run_ids) for each in checkpoints)
        if not runs:
            return None
        share = sum(len(each.run_ids) * each.epoch / max(each.epochs, 1) for each in checkpoints) / runs
        return cls(runs, share, max(each.at for each in checkpoints))


@dataclass(frozen=True, kw_only=True)
class StudyLine:
    """A study in the list of studies.

    Attributes:
        name: Its folder's.
        workloads: What tables call them.
        optimizers: Their labels, in the study's order.
        done: Runs with a result, of those that it asks for.
        asked: Runs that it asks for; None where unknown.
        failed: Runs that could not be trained.
        last: When the last of its runs ended.
        pace: Runs a second, while it ran last; None where unknown.
        gap_s: The longest time between two of its last writes, seconds; None where unknown.
        best: By workload, the test error of the chosen cell of each optimizer that has one, percent.
        problem: Why the study file, or all of the study, cannot be read; None if it can.
        readable: Whether its runs can be read.
        training: What the checkpoints have of its runs; None if there are none.
    """

    name: str
    workloads: tuple[str, ...]
    optimizers: tuple[str, ...]
    done: int
    asked: int | None
    failed: int
    last: datetime | None
    pace: float | None
    gap_s: float | None
    best: dict[str, dict[str, float]]
    problem: str | None = None
    readable: bool = True
    training: Training | None = None

    @property
    def complete(self) -> bool:
        """Whether every run that is asked for has a result."""
        return self.asked is not None and self.done >= self.asked

    def state(self, now: datetime | None = None) -> str:
        """Return what the last write says: "no run yet", "complete", "running" or "interrupted"."""
        if not self.readable:
            return "cannot be read"
        if self.complete:
            return "complete"
        gap_s = max(self.gap_s or 0.0, 0.0 if self.training is None else CHECKPOINT_S)
        times = [at for at in (self.last, self.training.at if self.training else None) if at is not None]
        if not times:
            return "no run yet"
        silent_s = ((now or datetime.now(UTC)) - max(times)).total_seconds()
        return "running" if silent_s < max(LIVE_S, PATIENCE * gap_s) else "interrupted"

    def left_s(self) -> float | None:
        """Return the seconds that the rest takes at the last pace; None where that is unknown."""
        if self.asked is None or not self.pace:
            return None
        return (self.asked - self.done) / self.pace


def unreadable_line(name: str, error: Exception) -> StudyLine:
    """Return the line of a study that cannot be read."""
    return StudyLine(
        name=name,
        workloads=(),
        optimizers=(),
        done=0,
        asked=None,
        failed=0,
        last=None,
        pace=None,
        gap_s=None,
        best={},
        problem=f"cannot be read: {error}",
        readable=False,
    )


def line_of(name: str, parts: Sequence[WorkloadRuns], problem: str | None = None) -> StudyLine:
    """Return the line of a study.

    Args:
        name: Its folder's.
        parts: Its workloads.
        problem: Why its file cannot be read; None if it can.
    """
    asked = [part.asked for part in parts if part.asked is not None]
    ended = [part.runs["finished_at"] for part in parts if len(part.runs)]
    times = np.sort(np.concatenate([times.to_numpy("datetime64[us]") for times in ended])) if ended else None
    pace, gap_s = (None, None) if times is None else _pace(times)
    return StudyLine(
        name=name,
        workloads=tuple(part.title for part in parts),
        optimizers=tuple(dict.fromkeys(str(label) for part in parts for label in part.runs["label"].cat.categories)),
        done=sum(len(finished(part.runs)) for part in parts),
        asked=sum(asked) if len(asked) == len(parts) else None,
        failed=sum(int((part.runs["status"] == "failed").sum()) for part in parts),
        last=None if times is None else times[-1].item().replace(tzinfo=UTC),
        pace=pace,
        gap_s=gap_s,
        best={part.title: _best(part) for part in parts},
        problem=problem,
    )


def _pace(times: np.ndarray[tuple[int], np.dtype[np.datetime64]]) -> tuple[float | None, float | None]:
    """Return the runs a second, and the longest of the last gaps, of ascending times; None of a single moment."""
    seconds = (times - times[-1]).astype(np.int64) / 1e6
    recent = seconds[seconds >= -PACE_S]
    moments = np.unique(recent)
    gaps = np.diff(moments)[-GAPS:]
    if not len(gaps):
        return None, None
    # The runs of the first moment were trained before it.
    after = int((recent > moments[0]).sum())
    return after / float(moments[-1] - moments[0]), float(gaps.max())


def _best(part: WorkloadRuns) -> dict[str, float]:
    """Return the best error of each optimizer that has one, as the report's depth."""
    found = best_errors(part.runs, one_grid=on_one_grid(part.study) if part.study else None)
    return {label: error for label, error in found.items() if error is not None}
