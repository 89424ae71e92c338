"""Whole sweeps on real Ray of other studies: grown, sampled, of single runs, and stopped at once."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING

import pandas as pd
import psutil
import pytest

from tests.support.one_ray import Here, started
from tests.support.small_sweep import STUDY, finish, small_study, start, stored, table
from tests.support.studies import replaced
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["small_study", "started"]

pytestmark = [pytest.mark.sweep, pytest.mark.slow]


def test_the_screen_is_ours_alone(tmp_path: Path) -> None:
    few = tmp_path / "few.yaml"
    few.write_text(replaced(replaced(STUDY, "points: 6", "points: 2"), "seeds: 3", "seeds: 1"))
    done = finish(few, tmp_path / "r")
    lines = (done.stdout + done.stderr).strip().splitlines()
    assert all(line.startswith(("small: ", "36 runs trained")) for line in lines), lines


def test_a_second_ctrl_c_stops_at_once(study: Path, tmp_path: Path) -> None:
    slow, said = tmp_path / "slow.yaml", tmp_path / "said"
    text = replaced(STUDY, "epochs: 6", "epochs: 4000")
    slow.write_text(replaced(text, "stack_size: 12", "stack_size: 12, checkpoint: {minutes: null}"))
    with said.open("w") as errors:
        process = start(slow, tmp_path / "r", errors=errors)
    wait_for(lambda: re.search(r" · [1-9]\d* running", said.read_text()), 240)
    # Ray's agents take up to a minute to see that it is gone.
    rays = [each for each in psutil.Process(process.pid).children(recursive=True) if "Agent" not in each.name()]
    os.killpg(process.pid, signal.SIGINT)
    wait_for(lambda: "stopping: up to" in said.read_text())
    assert process.poll() is None, "the first one waits for what is running"
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)  # the stacks themselves would take many minutes
    assert process.returncode == 130
    assert "Traceback" not in said.read_text()
    assert said.read_text().endswith("stopped; what was stored stays, and the same command goes on from there\n")
    assert not (tmp_path / "r" / "small" / "sweep.json").exists(), "a sweep that ended has no claim left"
    assert rays
    assert psutil.wait_procs(rays, timeout=60)[1] == [], "what trains, and Ray itself, ends with it"


def test_a_grid_that_grows_trains_only_its_new_cells(here: Here, tmp_path: Path) -> None:
    smaller = tmp_path / "small.yaml"
    smaller.write_text(replaced(STUDY, "{low: 1e-4, high: 1, points: 6}", "[1e-3, 1e-2]"))
    here.sweep(smaller, tmp_path / "r")
    before = table(tmp_path / "r")
    smaller.write_text(replaced(STUDY, "{low: 1e-4, high: 1, points: 6}", "[1e-3, 3e-3, 1e-2, 3e-2]"))
    done = here.sweep(smaller, tmp_path / "r")
    assert f"{len(before)} runs trained" in done.stdout, "two rates more, as many as there were"
    after = table(tmp_path / "r")
    assert len(after) == 2 * len(before)
    pd.testing.assert_frame_equal(after[after["run_id"].isin(before["run_id"])].reset_index(drop=True), before)


def test_an_optuna_study_interrupted_and_continued_has_exactly_its_cells(here: Here, tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(replaced(STUDY, "resources: {stack_size: 12}", "search: {sampler: tpe, cells: 30}"))
    results = tmp_path / "r"
    process = start(path, results)
    wait_for(lambda: stored(results) >= 2)
    process.kill()
    process.communicate()
    partial = len(table(results))
    assert 0 < partial < 270
    here.sweep(path, results)
    frame = table(results)
    assert len(frame) == frame["run_id"].nunique() == 3 * 30 * 3
    assert frame.groupby("optimizer")["cell_id"].nunique().to_dict() == {"adam": 30, "adams": 30, "adamw": 30}
    assert (frame.groupby("cell_id")["seed"].nunique() == 3).all()
    assert (frame["status"] == "diverged").any(), "the box has cells that diverge"


def test_the_single_engine_on_ray_is_the_plain_loop(here: Here, tmp_path: Path) -> None:
    from robustness import Study
    from robustness.training import train_single

    path = tmp_path / "small.yaml"
    path.write_text(
        STUDY.replace("epochs: 6", "epochs: 2, engine: single")
        .replace("{low: 1e-4, high: 1, points: 6}", "[1e-2]")
        .replace("{low: 1e-4, high: 10, points: 5, zero: true}", "[0, 1e-3]")
        .replace("seeds: 3", "seeds: 1")
    )
    here.sweep(path, tmp_path / "r")
    frame = table(tmp_path / "r").set_index("run_id")
    runs = Study.load(path).grid()
    assert set(frame.index) == {run.run_id for run in runs}
    for run in runs:
        (row,) = train_single(run).rows({})
        assert frame.loc[run.run_id, "engine"] == "single"
        assert frame.loc[run.run_id, "test_loss"] == row["test_loss"]
        assert frame.loc[run.run_id, "weight_norm"] == row["weight_norm"]
