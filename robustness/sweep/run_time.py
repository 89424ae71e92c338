"""How long a run takes: from stored runs, then from the stacks of this sweep as they come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness.results import finished
from robustness.study.run import stored_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from robustness.study import Run, Study
    from robustness.workloads import Workload

CHANGED = 1.5
"""A time that differs by this factor from the one that work was divided by is worth dividing it anew."""


class RunTime:
    """Seconds a run of each workload takes in a stack; unknown until one is stored or reported."""

    def __init__(self, study: Study, stored: pd.DataFrame) -> None:
        done = finished(stored)
        self._seconds: dict[Workload, float] = {}
        for workload in study.workloads:
            same = (done["workload"] == workload.name) & (done["workload_options"] == stored_options(workload))
            if same.any():
                self._seconds[workload] = float(done.loc[same, "duration_s"].median())
        self._used = dict(self._seconds)

    def seconds(self, workload: Workload) -> float | None:
        """Return the seconds that a run of `workload` takes, None if nobody knows; work is divided by it."""
        known = self._seconds.get(workload)
        if known is not None:
            self._used[workload] = known
        return known

    def learn(self, stack: Sequence[Run], seconds: float) -> bool:
        """Take in that `stack` took `seconds`; return whether work is better divided anew."""
        workload = stack[0].workload
        now = max(seconds / len(stack), 1e-6)
        self._seconds[workload] = now
        used = self._used.get(workload)
        return used is None or not used / CHANGED <= now <= used * CHANGED
