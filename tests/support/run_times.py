"""A study of many cells, and what is known of the time of its runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from robustness.sweep.run_time import RunTime
from tests.support.studies import make

if TYPE_CHECKING:
    from robustness.study import Study

WIDE = {"lr": {"low": 1e-4, "high": 1, "points": 12}, "weight_decay": {"low": 1e-5, "high": 1, "points": 12}}


def wide(**changes: Any) -> Study:
    return make(**{"space": WIDE, "seeds": 3} | changes)


def known(study: Study, seconds: float) -> RunTime:
    """Return a pace that has been told."""
    pace = RunTime(study, stored=pd.DataFrame(columns=["status", "workload", "workload_options", "duration_s"]))
    runs = study.grid()
    pace.learn(runs[:1], seconds)
    return pace


def unknown(study: Study) -> RunTime:
    return RunTime(study, stored=pd.DataFrame(columns=["status", "workload", "workload_options", "duration_s"]))
