"""How long a run takes: by what is stored, then by what comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness import Store
from robustness.sweep.run_time import RunTime
from robustness.worker.attempts import lost_row
from tests.support.run_times import unknown
from tests.support.studies import make

if TYPE_CHECKING:
    from pathlib import Path


class TestRunTime:
    def test_it_begins_with_what_is_stored(self, tmp_path: Path) -> None:
        study, other = make(), make(workload={"name": "digits", "epochs": 3})
        store = Store(tmp_path / "x")
        for run, seconds in zip(study.grid()[:3], (1.0, 2.0, 9.0), strict=True):
            row = lost_row(run, "", "grid") | {"status": "completed", "reason": None, "duration_s": seconds}
            store.write(run.run_id, [row], [])
        assert RunTime(study, store.runs()).seconds(study.workload) == 2.0
        assert RunTime(other, store.runs()).seconds(other.workload) is None

    def test_what_differs_little_changes_nothing(self) -> None:
        study = make()
        run_time = unknown(study)
        stack = study.grid()[:4]
        assert run_time.learn(stack, 8.0), "nothing was known"
        assert run_time.seconds(study.workload) == 2.0
        assert not run_time.learn(stack, 10.0)
        assert run_time.learn(stack, 40.0)
