"""A worker needs no Ray: in a process in which nothing of it can be imported, a stack is trained and stored."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pandas as pd
import pytest

if TYPE_CHECKING:
    from pathlib import Path

WITHOUT_RAY = """
import importlib, pkgutil, sys

sys.modules["ray"] = None

import robustness.worker
from robustness.results import Store
from robustness.study import Study
from robustness.study.resources import CheckpointPolicy

for module in pkgutil.walk_packages(robustness.worker.__path__, "robustness.worker."):
    importlib.import_module(module.name)

from robustness.worker.checkpointing import CheckpointKeeper
from robustness.worker.work import work

study = Study(
    name="t",
    workload={"name": "digits", "epochs": 2, "train_size": 64},
    optimizers=["adams", "adamw"],
    space={"lr": [1e-3, 1e-2], "weight_decay": [0]},
    seeds=1,
)
store = Store(sys.argv[1])
keeper = CheckpointKeeper(store, CheckpointPolicy(minutes=None, epochs=1), "me")
report = work(study.grid(), store, sweep_id="me", device="cpu", sampler="grid", retries=0, keeper=keeper)
assert [outcome.status for outcome in report.outcomes] == ["completed"] * 4, report
"""


@pytest.mark.slow
def test_a_stack_is_trained_where_there_is_no_ray(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_RAY, str(tmp_path / "t")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(pd.read_parquet(tmp_path / "t" / "runs")) == 4
