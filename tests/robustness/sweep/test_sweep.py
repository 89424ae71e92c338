"""Whole sweeps on real Ray: what survives a kill, a Ctrl-C and a full disk, and that it is the same to the bit."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pandas as pd
import psutil
import pytest

from robustness.results import Store
from tests.support.one_ray import Here, started
from tests.support.small_sweep import RUNS, STACKS, STUDY, command, finish, small_study, start, stored, table
from tests.support.studies import replaced
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["small_study", "started"]

pytestmark = [pytest.mark.sweep, pytest.mark.slow]


@pytest.fixture(scope="module")
def whole(here: Here, study: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, Path]:
    """The table of an uninterrupted sweep, and its folder."""
    results = tmp_path_factory.mktemp("whole")
    done = here.sweep(study, results)
    assert f"{RUNS} runs trained, 0 failed" in done.stdout
    return table(results), results


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
