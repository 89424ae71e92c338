"""A study in one line: how far it is, how fast it goes, and the least error of each optimizer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions import METRIC
from robustness.results import finished

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from analysis.contents.by_workload import WorkloadRuns
    from robustness.results.checkpoints import Held

CHECKPOINT_S = 600.0
"""How often a long training is set down, where its study does not say otherwise."""
LIVE_S = 120.0
"""A sweep that has been silent for so many seconds, or `PATIENCE` times its longest gap, is not said to run."""
PATIENCE = 3.0
PACE_S = 600.0
"""The pace is that of the runs that ended within so many seconds of the last one."""
GAPS = 30


@dataclass(frozen=True)
class Training:
    """What long trainings have set down: of how many runs, which share of their epochs is done, and when it was."""

    runs: int
    share: float
    at: datetime

    @classmethod
    def of(cls, held: Sequence[Held]) -> Training | None:
        """Return what the checkpoints of a study say, None if there are none."""
        runs = sum(len(each.run_ids) for each in held)
        if not runs:
            return None
        share = sum(len(each.run_ids) * each.epoch / max(each.epochs, 1) for each in held) / runs
        return cls(runs, share, max(each.at for each in held))


@dataclass(frozen=True)
class Line:
    """A study in the list of studies.

    Attributes:
        name: Its folder's.
        workloads: What tables call them.
        optimizers: Their labels, in the study's order.
        done: Runs with a result, of those that it asks for.
        asked: Runs that it asks for; None where unknown.
        failed: Runs that could not be trained.
        last: When the last of its runs ended.
        pace: Runs a second, while it ran last; NaN where unknown.
        gap_s: The longest time between two of its last writes, seconds; 0 where unknown.
        best: By workload, the least mean error over the seeds of a cell of each optimizer, percent.
        problem: Why the study file, or all of the study, cannot be read; "" if it can.
        readable: Whether its runs can be read.
        training: What is set down of its runs; None if nothing is.
    """

    name: str
    workloads: tuple[str, ...]
    optimizers: tuple[str, ...]
    done: int
    asked: int | None
    failed: int
    last: datetime | None
    pace: float
    gap_s: float
    best: dict[str, dict[str, float]]
    problem: str = ""
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
        gap_s = self.gap_s if self.training is None else max(self.gap_s, CHECKPOINT_S)
        times = [at for at in (self.last, self.training.at if self.training else None) if at is not None]
        if not times:
            return "no run yet"
        silent_s = ((now or datetime.now(UTC)) - max(times)).total_seconds()
        return "running" if silent_s < max(LIVE_S, PATIENCE * gap_s) else "interrupted"

    def left_s(self) -> float:
        """Return the seconds that the rest takes at the last pace; NaN where that is unknown."""
        if self.asked is None or not self.pace > 0:
            return float("nan")
        return (self.asked - self.done) / self.pace


def unreadable_line(name: str, error: Exception) -> Line:
    """Return the line of a study that cannot be read."""
    return Line(name, (), (), 0, None, 0, None, float("nan"), 0.0, {}, f"cannot be read: {error}", readable=False)


def line_of(name: str, parts: Sequence[WorkloadRuns], problem: str = "") -> Line:
    """Return the line of a study that is taken apart."""
    asked = [part.asked for part in parts if part.asked is not None]
    ended = [part.runs["finished_at"] for part in parts if len(part.runs)]
    times = np.sort(np.concatenate([times.to_numpy("datetime64[us]") for times in ended])) if ended else None
    pace, gap_s = (float("nan"), 0.0) if times is None else _pace(times)
    return Line(
        name,
        tuple(part.title for part in parts),
        tuple(dict.fromkeys(str(label) for part in parts for label in part.runs["label"].cat.categories)),
        sum(len(finished(part.runs)) for part in parts),
        sum(asked) if len(asked) == len(parts) else None,
        sum(int((part.runs["status"] == "failed").sum()) for part in parts),
        None if times is None else times[-1].item().replace(tzinfo=UTC),
        pace,
        gap_s,
        {part.title: _best(part.runs) for part in parts},
        problem,
    )


def _pace(times: np.ndarray[tuple[int], np.dtype[np.datetime64]]) -> tuple[float, float]:
    """Return the runs a second, and the longest of the last gaps, of ascending times."""
    seconds = (times - times[-1]).astype(np.int64) / 1e6
    recent = seconds[seconds >= -PACE_S]
    moments = np.unique(recent)
    gaps = np.diff(moments)[-GAPS:]
    if not len(gaps):
        return float("nan"), 0.0
    # The runs of the first moment were trained before it.
    after = int((recent > moments[0]).sum())
    return after / float(moments[-1] - moments[0]), float(gaps.max())


def _best(runs: pd.DataFrame) -> dict[str, float]:
    results = finished(runs)
    cells = results.groupby(["label", "cell_id"], observed=True)[METRIC].mean()
    least = cells.groupby("label", observed=True).min().dropna()
    return {str(label): float(value) for label, value in least.items()}
