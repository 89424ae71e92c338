"""What a study will cost before it is run: runs, stored runs, and time from what earlier runs took."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from robustness.results import finished
from robustness.search import make_source
from robustness.study.run import stored_options

if TYPE_CHECKING:
    import pandas as pd

    from robustness.results import Store
    from robustness.study import Study


@dataclass(frozen=True)
class Plan:
    """How much of a study is left.

    Attributes:
        total: runs of the study.
        stored: runs that need no training.
        seconds_a_run: expected of those left, by the mean over stored runs of the same workload; None where a workload
            has none.
        workers: stacks at a time on this machine.
    """

    study: str
    total: int
    stored: int
    seconds_a_run: float | None
    workers: int

    @property
    def seconds(self) -> float | None:
        """Expected time for the rest on this machine, without Ray's start."""
        if self.seconds_a_run is None:
            return None
        return (self.total - self.stored) * self.seconds_a_run / self.workers

    def text(self) -> str:
        """Return the plan as a person reads it."""
        left = self.total - self.stored
        lines = [f"{self.study}: {self.total} runs, {self.stored} stored, {left} to train"]
        if not left:
            lines.append("nothing to train")
        elif self.seconds is None or self.seconds_a_run is None:
            lines.append("no run of this workload is stored yet, so there is no estimate of the time")
        else:
            each = f"{self.seconds_a_run:.3g} s a run, {self.workers} at a time"
            lines.append(f"expected time on this machine: {_duration(self.seconds)} ({each}), and Ray's start")
        return "\n".join(lines)


def plan(study: Study, store: Store) -> Plan:
    """Return the plan of `study`, whose results are in `store`."""
    stored = store.runs()
    done = finished(stored)
    sources = [make_source(part, stored) for part in study.parts]
    total, known = sum(each.total for each in sources), sum(each.done for each in sources)
    times = [_seconds_a_run(part, done) for part in study.parts]
    left = [each.total - each.done for each in sources] if known < total else [1] * len(sources)
    spent = [None if time is None else time * count for time, count in zip(times, left, strict=True) if count]
    seconds = None if None in spent else sum(each for each in spent if each is not None) / sum(left)
    workers = max(1, int((os.cpu_count() or 1) / study.resources.cpus))
    return Plan(
        study.name,
        total,
        known,
        seconds,
        min(workers, study.resources.max_concurrent or workers),
    )


def _seconds_a_run(study: Study, done: pd.DataFrame) -> float | None:
    """Return the mean time of the stored runs of a study's only workload."""
    workload = study.workload
    alike = done[(done["workload"] == workload.name) & (done["workload_options"] == stored_options(workload))]
    return float(alike["duration_s"].mean()) if len(alike) else None


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
