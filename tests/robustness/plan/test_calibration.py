"""The pace that `--calibrate` measures, on workloads whose batches take a time that the test sets."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

import pytest

from robustness import Store, Study
from robustness.cli import main
from robustness.plan import Plan, calibration, plan
from robustness.plan.calibration import CalibrationError, calibrate, middle_runs, stack_size
from robustness.plan.clock import Clock
from robustness.plan.plan_text import plan_summary
from robustness.search.make import make_source
from robustness.sweep.in_process import run_here
from robustness.sweep.stacks import cut
from robustness.workloads import DataError, Digits
from tests.support import studies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from robustness.study import Run

TINY = {"name": "digits", "epochs": 4, "train_size": 100}


def small(**changes: Any) -> Study:
    return studies.make(**{"workload": TINY, "seeds": 1} | changes)


def calibrated(study: Study, root: Path) -> tuple[Plan, list[str]]:
    store = Store(root / study.name)
    said: list[str] = []
    made = plan(study, store)
    return made.calibrated(calibrate(study, made, store.runs(), said.append)), said


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, float], Iterator[Any]]:
    """A clock that only the test's batches move."""
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    def batches(count: int, seconds: float) -> Iterator[int]:
        for batch in range(count):
            now[0] += seconds
            yield batch

    return batches


def test_a_whole_pass_takes_what_it_takes_and_the_first_one_does_not_count(
    clock: Callable[[int, float], Iterator[Any]],
) -> None:
    timing = Clock(budget=100)
    first: list[object] = [*timing.timed("train", clock(5, 9.0), 5)]
    assert first == list(range(5))
    list(timing.timed("test", clock(2, 1.0)))
    list(timing.timed("train", clock(5, 3.0), 5))
    list(timing.timed("test", clock(2, 0.5)))
    assert timing.epoch == 5 * 3.0 + 2 * 0.5


def test_a_pass_that_takes_too_long_is_cut_short_and_scaled_up(clock: Callable[[int, float], Iterator[Any]]) -> None:
    timing = Clock(budget=10)
    assert len(list(timing.timed("train", clock(50, 3.0), 50))) == 3
    assert len(list(timing.timed("test", clock(40, 4.0)))) == 2
    again: list[object] = [*timing.timed("train", clock(50, 2.0), 50)]
    assert again == [0, 1, 2], "as many as the first time"
    list(timing.timed("test", clock(40, 2.0)))
    assert timing.whole == {"train": 50, "test": 40}
    assert timing.epoch == pytest.approx(50 * 2.0 + 40 * 2.0)


def test_a_first_batch_that_warms_up_leaves_time_for_others(clock: Callable[[int, float], Iterator[Any]]) -> None:
    timing = Clock(budget=10)
    slow = itertools.chain(clock(1, 60.0), clock(40, 1.0))
    assert len(list(timing.timed("train", slow, 41))) >= 3


def test_what_is_trained_is_a_stack_as_the_sweep_cuts_it(tmp_path: Path) -> None:
    study = small(resources={"stack_size": 3})
    made, said = calibrated(study, tmp_path)
    pace = made.shares[0].paces["cpu"]
    assert (pace.device, pace.runs, pace.calibrated) == ("cpu", 3, True)
    assert said[-1] == "calibrating digits: a stack of 3"
    assert f"{pace.seconds:.3g} s a run and epoch on a CPU core, calibrated in a stack of 3" in plan_summary(made)
    assert made.seconds == pytest.approx(made.left * 4 * pace.seconds / made.workers)
    assert not list(tmp_path.iterdir()), "nothing is stored"


def test_the_size_is_that_of_the_sweeps_largest_stack() -> None:
    study = small(seeds=2)
    stored = Store("absent").runs()
    largest = max(len(stack) for stack in cut(make_source(study, stored).next(), plan(study, Store("absent")).workers))
    assert stack_size(study, stored, "cpu") == largest
    assert stack_size(small(resources={"stack_size": 2}), stored, "cpu") == 2
    assert stack_size(small(workload=TINY | {"engine": "single"}), stored, "cpu") == 1
    assert stack_size(small(search={"sampler": "tpe", "cells": 3}), stored, "cpu") >= 2


def test_the_runs_are_the_optimizers_middle_cells() -> None:
    study = studies.make(space={"lr": [1e-4, 1e-3, 1e-2], "weight_decay": {"low": 1e-4, "high": 1e-2, "points": 9}})
    runs = middle_runs(study, 5)
    assert [run.optimizer.name for run in runs] == ["adams", "adam", "adams", "adam", "adams"]
    assert {(run.lr, run.weight_decay, run.seed) for run in runs} == {(1e-3, 1e-3, 0)}


def test_a_stack_grows_while_the_minute_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    sizes = []

    def epoch(runs: list[Run], device: str, budget: float) -> float:
        sizes.append(len(runs))
        now[0] += 1.0 + len(runs)
        return 1.0 + 0.1 * len(runs)

    monkeypatch.setattr(calibration, "epoch_seconds", epoch)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(calibration, "stack_size", lambda *_: 128)
    made, _ = calibrated(small(), tmp_path)
    assert sizes == [2, 16, 37]
    assert made.shares[0].paces["cpu"].seconds == pytest.approx(4.7 / 37)


def test_a_stack_is_no_larger_than_a_sweep_would_let_it_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "epoch_seconds", lambda runs, *_: 20.0 * len(runs))
    monkeypatch.setattr(calibration, "stack_size", lambda *_: 128)
    made, said = calibrated(small(), tmp_path)
    assert said == ["calibrating digits: a stack of 2", "calibrating digits: a stack of 3"], "of 80 s, 300 s at most"
    assert made.shares[0].paces["cpu"].runs == 3


def test_runs_of_the_engine_single_are_trained_one_by_one(tmp_path: Path) -> None:
    made, said = calibrated(small(workload=TINY | {"engine": "single"}), tmp_path)
    assert said == ["calibrating digits: 2 runs, one by one"]
    assert made.shares[0].paces["cpu"].runs == 1
    assert made.seconds
    assert made.seconds > 0


def test_workloads_that_are_known_are_not_trained(tmp_path: Path) -> None:
    study = small(workload=[TINY, {"name": "digits-cnn", "epochs": 1, "train_size": 100, "channels": 2}])
    run_here(study.parts[0], tmp_path, quiet=True)
    made, said = calibrated(study, tmp_path)
    assert {line.split(":")[0] for line in said} == {"calibrating digits-cnn"}
    assert not made.shares[0].paces["cpu"].calibrated
    assert made.seconds


def test_absent_data_are_a_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(self: Digits) -> None:
        raise DataError("the digits are not there; put them there yourself")

    monkeypatch.setattr(Digits, "fetch", absent)
    assert main(["plan", "digits", "--calibrate", "--results", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "error: the digits are not there; put them there yourself\n"


def test_what_cannot_be_trained_names_the_workload_and_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Digits) -> None:
        raise ValueError("no such layer")

    monkeypatch.setattr(Digits, "model", broken)
    with pytest.raises(CalibrationError, match="digits cannot be trained here: ValueError: no such layer"):
        calibrated(small(), tmp_path)


@pytest.mark.slow
def test_plan_calibrates_only_when_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(studies.FILE)
    arguments = ["plan", str(file), "--results", str(tmp_path / "results"), "--gpu-hour-price", "1.2"]
    assert main(arguments) == 0
    assert "--calibrate trains a little here" in capsys.readouterr().out
    assert main([*arguments, "--calibrate"]) == 0
    assert "core-hours" in capsys.readouterr().out
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("price", ["0", "-1", "x", "nan", "inf"])
def test_a_price_is_a_number_above_zero(price: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["plan", "digits", f"--gpu-hour-price={price}"])
    assert stopped.value.code == 2
    assert f"must be a number above 0, got {price}" in capsys.readouterr().err
