"""Runs that take long on real Ray: how far they are, and that a killed worker and a Ctrl-C cost them an epoch."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pandas as pd
import psutil
import pytest

from robustness.results.tables.schema import IDENTITY_COLUMNS, OUTCOME_COLUMNS
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.sweep, pytest.mark.slow]

EPOCHS = 150
# Digits whose epochs take some time where they are told to.
MODULE = """
import os, time
from robustness.workloads.digits import Digits

class Slow(Digits):
    def feed(self, seed, device, dtype):
        feed = super().feed(seed, device, dtype)
        train = feed.train

        def slowly():
            time.sleep(float(os.environ.get("EPOCH_S", 0)))
            return train()

        feed.train = slowly
        return feed
"""
STUDY = f"""
name: long
workload: {{name: "slowly:Slow", epochs: {EPOCHS}, train_size: 100, width: 8}}
optimizers: [adams, adam]
space: {{lr: [1e-3, 1e-2], weight_decay: [1e-3]}}
seeds: 1
resources: {{checkpoint: {{epochs: 2}}, max_concurrent: 1}}
"""


def start(folder: Path, results: str, epoch_s: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "robustness.cli", "run", str(folder / "long.yaml")]
    command += ["--results", str(folder / results)]
    with (folder / "said").open("w") as said:
        return subprocess.Popen(
            [*command, "--no-report"],
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            env={**os.environ, "EPOCH_S": str(epoch_s)},
            start_new_session=True,
        )


def epoch(folder: Path) -> int:
    """Return the epoch of the checkpoint, 0 without one."""
    files = [*(folder / "long" / "checkpoints").glob("*.json")]
    assert len(files) <= 1
    return int(json.loads(files[0].read_text())["epoch"]) if files else 0


def table(folder: Path) -> pd.DataFrame:
    frame = pd.read_parquet(folder / "long" / "runs")
    return frame[[*IDENTITY_COLUMNS, *OUTCOME_COLUMNS]].sort_values("run_id").reset_index(drop=True)


def worker(driver: int) -> psutil.Process:
    return next(
        each for each in psutil.Process(driver).children(recursive=True) if "ImplicitFunc" in "".join(each.cmdline())
    )


def test_a_killed_worker_and_a_ctrl_c_cost_an_epoch_each(tmp_path: Path) -> None:
    (tmp_path / "slowly.py").write_text(MODULE)
    (tmp_path / "long.yaml").write_text(STUDY)
    sweep = start(tmp_path, "results", epoch_s=0.4)
    said, results = tmp_path / "said", tmp_path / "results"
    try:
        wait_for(lambda: re.search(r"4 running, \d+ % through", said.read_text()) and epoch(results))
        worker(sweep.pid).kill()
        before = epoch(results)
        wait_for(lambda: "a worker process died with 4 runs" in said.read_text())
        wait_for(lambda: epoch(results) != before)
        assert 0 < before < epoch(results) <= before + 4, "it went on from its checkpoint, not from the start"
        os.kill(sweep.pid, signal.SIGINT)
        assert sweep.wait(60) == 130
    finally:
        sweep.kill()
        sweep.communicate()
    assert "4 runs are set down: the next sweep goes on with them" in said.read_text()
    assert not [*(results / "long").glob("runs/*")]
    left = epoch(results)
    assert left > before

    again = start(tmp_path, "results", epoch_s=0)
    assert "4 runs trained, 0 failed" in again.communicate(timeout=120)[0]
    assert "4 runs go on from where they were set down" in said.read_text()
    assert epoch(results) == 0, "nothing is left of it"
    whole = start(tmp_path, "whole", epoch_s=0)
    assert "4 runs trained, 0 failed" in whole.communicate(timeout=120)[0]
    pd.testing.assert_frame_equal(table(results), table(tmp_path / "whole"), check_exact=True)
