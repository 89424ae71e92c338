"""Whole sweeps on real Ray: what survives a kill, a Ctrl-C and a full disk, and that it is the same to the bit."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pandas as pd
import psutil
import pytest

from robustness.results import Store
from robustness.results.tables.schema import IDENTITY_COLUMNS, OUTCOME_COLUMNS
from tests.support.one_ray import Here, started
from tests.support.studies import replaced
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["started"]

pytestmark = [pytest.mark.sweep, pytest.mark.slow]

STUDY = """
name: small
workload: {name: digits, epochs: 6}
optimizers: [adams, adamw, adam]
space:
  lr: {low: 1e-4, high: 1, points: 6}
  weight_decay: {low: 1e-4, high: 10, points: 5, zero: true}
seeds: 3
resources: {stack_size: 12}
"""
RUNS = 3 * 6 * 6 * 3
STACKS = RUNS / 12
COLUMNS = [*IDENTITY_COLUMNS, *OUTCOME_COLUMNS]


def command(study: Path, results: Path, *more: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "robustness.cli",
        "run",
        str(study),
        "--results",
        str(results),
        "--no-report",
        *more,
    ]


def start(study: Path, results: Path, *more: str, errors: int | IO[str] = subprocess.PIPE) -> subprocess.Popen[str]:
    """Start the command as a terminal would: leader of a process group of its own."""
    return subprocess.Popen(
        command(study, results, *more),
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        start_new_session=True,
    )


def finish(study: Path, results: Path, *more: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command(study, results, *more), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done


def table(results: Path, name: str = "small") -> pd.DataFrame:
    """Return the outcomes as pandas reads them, without any help of ours."""
    frame = pd.read_parquet(Path(results) / name / "runs")[COLUMNS]
    return frame.sort_values("run_id").reset_index(drop=True)


def stored(results: Path) -> int:
    folder = Path(results) / "small" / "runs"
    return len(list(folder.glob("*.parquet"))) if folder.exists() else 0


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "small.yaml"
    path.write_text(STUDY)
    return path


@pytest.fixture(scope="module")
def whole(here: Here, study: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, Path]:
    """The table of an uninterrupted sweep, and its folder."""
    results = tmp_path_factory.mktemp("whole")
    done = here.sweep(study, results)
    assert f"{RUNS} runs trained, 0 failed" in done.stdout
    return table(results), results


def test_the_screen_is_ours_alone(tmp_path: Path) -> None:
    few = tmp_path / "few.yaml"
    few.write_text(replaced(replaced(STUDY, "points: 6", "points: 2"), "seeds: 3", "seeds: 1"))
    done = finish(few, tmp_path / "r")
    lines = (done.stdout + done.stderr).strip().splitlines()
    assert all(line.startswith(("small: ", "36 runs trained")) for line in lines), lines


def test_a_sweep_is_complete_and_curves_are_whole(whole: tuple[pd.DataFrame, Path]) -> None:
    frame, results = whole
    assert len(frame) == RUNS == frame["run_id"].nunique()
    assert set(frame["status"]) == {"completed", "diverged"}
    store = Store(results / "small")
    curves = store.curves()
    assert len(curves) == frame["epochs"].sum()
    assert store.read_study() == STUDY
    assert len(list((results / "small" / "provenance").glob("*.json"))) == 1


def test_the_same_command_again_trains_nothing(study: Path, whole: tuple[pd.DataFrame, Path]) -> None:
    _, results = whole
    done = finish(study, results)
    assert "0 runs trained" in done.stdout
    assert "starting Ray" not in done.stderr
    assert len(list((results / "small" / "provenance").glob("*.json"))) == 1, "nothing ran, so there is no record"


def test_a_driver_killed_five_times_ends_in_the_same_table(
    here: Here, study: Path, whole: tuple[pd.DataFrame, Path], tmp_path: Path
) -> None:
    expected, _ = whole
    moments = random.Random(20231210)
    counts = [0]
    for attempt in range(5):
        process = start(study, tmp_path)
        if attempt:  # the first one dies at any moment at all, the others while stacks come in
            wait_for(lambda: stored(tmp_path) > counts[-1])
        time.sleep(moments.uniform(0, 0.2) if attempt else moments.uniform(0, 2))
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL, "it was killed, not finished"
        if stored(tmp_path):
            pd.read_parquet(tmp_path / "small" / "runs")
        counts.append(stored(tmp_path))
        if counts[-1] == STACKS:  # workers outlive their driver, by enough at times to finish what they hold
            break
    assert counts == sorted(counts), "nothing stored is ever lost"
    assert sum(0 < count < STACKS for count in counts) >= 2, "it was killed while stacks came in"
    here.sweep(study, tmp_path)
    pd.testing.assert_frame_equal(table(tmp_path), expected)


def test_a_killed_worker_costs_nothing_but_time(study: Path, whole: tuple[pd.DataFrame, Path], tmp_path: Path) -> None:
    expected, _ = whole
    process = start(study, tmp_path)
    wait_for(lambda: stored(tmp_path) >= 2)
    workers = [
        p for p in psutil.Process(process.pid).children(recursive=True) if "ImplicitFunc" in " ".join(p.cmdline())
    ]
    assert workers
    workers[0].kill()
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    assert "a worker process died with 12 runs" in errors
    assert "a node died" not in errors
    pd.testing.assert_frame_equal(table(tmp_path), expected)


def test_of_several_drivers_the_latest_goes_on_and_nothing_is_stored_twice(
    whole: tuple[pd.DataFrame, Path], tmp_path: Path
) -> None:
    expected, _ = whole
    many = tmp_path / "small.yaml"
    many.write_text(replaced(STUDY, "stack_size: 12", "stack_size: 4"))  # so that the first are still at it
    both = [start(many, tmp_path) for _ in range(2)]  # at once
    wait_for(lambda: stored(tmp_path) >= 1)
    latest = start(many, tmp_path)
    ends = [(process, process.communicate(timeout=240)[1]) for process in (*both, latest)]
    for process, errors in ends[:2]:
        assert process.returncode == 1, errors
        assert "another sweep of this study has started and goes on in place of this one: process" in errors
    _, errors = ends[2]
    assert latest.returncode == 0, errors
    assert any(f"taking over from a sweep of process {process.pid} on " in errors for process in both)
    assert any(f"goes on in place of this one: process {latest.pid} on " in errors for _, errors in ends[:2])
    assert not (tmp_path / "small" / "sweep.json").exists(), "a sweep that ended has no claim left"
    pd.testing.assert_frame_equal(table(tmp_path), expected)


def test_ctrl_c_finishes_and_stores_what_is_running(
    here: Here, study: Path, whole: tuple[pd.DataFrame, Path], tmp_path: Path
) -> None:
    expected, _ = whole
    process = start(study, tmp_path)
    wait_for(lambda: stored(tmp_path) >= 2)
    os.killpg(process.pid, signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "stopping" in errors
    assert "goes on from there" in errors
    assert "Traceback" not in errors
    frame = table(tmp_path)
    assert 24 <= len(frame) < RUNS
    assert f"{len(frame)} runs trained" in out, "what was running was finished and stored"
    here.sweep(study, tmp_path)
    pd.testing.assert_frame_equal(table(tmp_path), expected)


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


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"a small disk can't be mounted: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_a_clear_error_and_the_next_run_resumes(
    here: Here, study: Path, whole: tuple[pd.DataFrame, Path], small_disk: Path
) -> None:
    expected, _ = whole
    done = subprocess.run(command(study, small_disk), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert str(small_disk) in done.stderr
    assert "Traceback" not in done.stderr
    kept = table(small_disk)
    assert 0 < len(kept) < RUNS
    subprocess.run(["mount", "-o", "remount,size=40m", str(small_disk)], check=True)
    here.sweep(study, small_disk)
    pd.testing.assert_frame_equal(table(small_disk), expected)


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


def test_a_sweep_joins_a_cluster_of_two_nodes(study: Path, whole: tuple[pd.DataFrame, Path], tmp_path: Path) -> None:
    import ray
    from ray.cluster_utils import Cluster

    expected, _ = whole
    ray.shutdown()  # the Ray that the tests above share: nodes are started from a process that is in no cluster
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1)
        finish(study, tmp_path, "--address", cluster.address)
    finally:
        cluster.shutdown()
    pd.testing.assert_frame_equal(table(tmp_path), expected)
