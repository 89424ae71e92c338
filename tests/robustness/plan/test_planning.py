"""What a plan says of time and money, against sums done by hand; and the paces that it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from robustness import Store, Study
from robustness.plan import Plan, Share, StoredPace, plan
from robustness.plan.plan_text import duration, number, plan_summary
from robustness.plan.stored_pace import stored_paces
from robustness.study import Resources, Run
from robustness.study.run import identity
from tests.support import stored_rows, studies

if TYPE_CHECKING:
    from pathlib import Path

L4 = "NVIDIA L4"


def digits(epochs: int = 20, **changes: Any) -> Study:
    return studies.make(workload={"name": "digits", "epochs": epochs}, **changes)


def store_runs(root: Path, study: Study, runs: list[Run], **columns: Any) -> Store:
    """Store these runs of a study: each took 2 s on an L4, unless `columns` say otherwise."""
    rows = [
        stored_rows.row(n, **identity(run) | {"duration_s": 2.0, "device": L4, "epochs": run.workload.epochs} | columns)
        for n, run in enumerate(runs)
    ]
    store = Store(root / study.name)
    store.write(store.part_name(run.run_id for run in runs), rows, [])
    return store


def given(left: int = 100, epochs: int = 10, gpus: float | str = "auto", **paces: float) -> Plan:
    known = {
        device.replace("_", " "): StoredPace(device.replace("_", " "), seconds, 27) for device, seconds in paces.items()
    }
    resources = Resources(gpus=gpus, cpus=1.5)
    return Plan("t", left + 8, 8, (Share("digits", left, epochs, known),), workers=2, resources=resources)


def test_hours_and_price_are_runs_times_epochs_times_pace() -> None:
    made = given(left=729, epochs=200, NVIDIA_L4=0.21)
    (cost,) = made.costs(gpu=True)
    assert made.hours(cost) == pytest.approx(729 * 200 * 0.21 / 3600)
    assert plan_summary(made, 1.2).splitlines() == [
        "t: 737 runs, 8 stored, 729 to train",
        f"8.51 GPU-hours (0.21 s a run and epoch on {L4}, from 27 runs), 10.2 at 1.2 an hour",
    ]
    assert "at" not in plan_summary(made).splitlines()[1].split("runs)")[1]


@pytest.mark.parametrize(("gpus", "share"), [("auto", 1), (1, 1), (0.5, 0.5), (2, 2)])
def test_a_stack_costs_its_share_of_a_gpu(gpus: float | str, share: float) -> None:
    made = given(gpus=gpus, NVIDIA_L4=3.6)
    assert made.hours(made.costs(gpu=True)[0]) == pytest.approx(share * 1.0)
    assert (f"{share:g} GPU a stack" in plan_summary(made)) == (share != 1)


def test_cores_are_no_gpus() -> None:
    made = given(cpu=3.6)
    assert made.costs(gpu=True) == []
    assert made.seconds == pytest.approx(3600 / 2)
    words = plan_summary(made, 1.2)
    assert "expected time on this machine: 30 min (36 s a run, 2 at a time), and Ray's start" in words
    assert "1.5 core-hours (3.6 s a run and epoch on a CPU core, from 27 runs); these are no GPU-hours" in words
    assert "no price: that takes runs on a GPU" in words
    assert "no price" not in plan_summary(made)


def test_with_both_the_cores_say_only_the_time_here() -> None:
    words = plan_summary(given(cpu=3.6, NVIDIA_L4=0.36), 2)
    assert "0.1 GPU-hours" in words
    assert "0.2 at 2 an hour" in words
    assert "expected time on this machine: 30 min" in words
    assert "core-hours" not in words


def test_each_gpu_has_its_line() -> None:
    lines = plan_summary(given(NVIDIA_L4=3.6, NVIDIA_H100=0.36), 1).splitlines()[1:]
    assert [line.split(" (")[0] for line in lines] == ["0.1 GPU-hours", "1 GPU-hours"]


def two_workloads(*paces: dict[str, StoredPace]) -> Plan:
    parts = tuple(Share(f"w{i}", 100 * (i + 1), 10, dict(each)) for i, each in enumerate(paces))
    return Plan("t", 300, 0, parts, workers=1, resources=Resources())


def pace(device: str, seconds: float, runs: int = 1) -> dict[str, StoredPace]:
    return {device: StoredPace(device, seconds, runs)}


def test_workloads_add_up_and_one_that_is_unknown_is_named() -> None:
    made = two_workloads(pace(L4, 3.6), pace(L4, 7.2, runs=4))
    (cost,) = made.costs(gpu=True)
    assert made.hours(cost) == pytest.approx(1 + 4)
    assert cost.pace == pytest.approx((3.6 + 2 * 7.2) / 3)
    assert cost.runs == 5
    unknown = two_workloads(pace(L4, 3.6), {})
    assert unknown.costs(gpu=True) == []
    assert unknown.seconds is None
    assert "no run of w1 is stored yet, so there is no estimate of the time; --calibrate" in plan_summary(unknown)


def test_workloads_trained_on_different_gpus_add_up_over_both() -> None:
    made = two_workloads(pace("T4", 3.6), pace(L4, 3.6))
    assert "3 GPU-hours (3.6 s a run and epoch on T4 and NVIDIA L4, from 2 runs)" in plan_summary(made)
    assert "there is no estimate" in plan_summary(two_workloads(pace("cpu", 1.0), pace(L4, 1.0)), 1)


def test_a_calibrated_pace_says_so_and_counts_for_its_workload_alone() -> None:
    made = two_workloads(pace(L4, 3.6), {}).calibrated({"w1": StoredPace(L4, 7.2, 91, calibrated=True)})
    assert "5 GPU-hours (6 s a run and epoch on NVIDIA L4, calibrated in a stack of 91)" in plan_summary(made)


def test_a_study_that_takes_no_gpu_gets_no_price() -> None:
    assert "resources.gpus is 0" in plan_summary(given(gpus=0, cpu=1.0), 1)
    assert "no price" not in plan_summary(given(gpus=0, cpu=1.0))


def test_paces_are_durations_by_the_epochs_asked_for(tmp_path: Path) -> None:
    study = digits(epochs=20)
    runs = study.grid()
    store = store_runs(tmp_path, study, runs[:3])
    store_runs(tmp_path, study, runs[3:4], duration_s=1.0, epochs=2, status="diverged")
    store_runs(tmp_path, study, runs[4:5], duration_s=9.0, device="cpu")
    store.write_failed(stored_rows.failed(99, **identity(runs[5])))
    paces = stored_paces(study, store.runs())
    assert paces.keys() == {L4, "cpu"}
    assert paces[L4] == StoredPace(L4, paces[L4].seconds, 4)
    assert paces[L4].seconds == pytest.approx(7.0 / 80)
    assert paces["cpu"].seconds == pytest.approx(9.0 / 20)


def test_runs_of_other_epochs_count_where_there_are_none_of_the_same(tmp_path: Path) -> None:
    other = digits(epochs=5)
    store = store_runs(tmp_path, other, other.grid()[:2])
    asked = digits(epochs=50)
    paces = stored_paces(asked, store.runs())
    assert paces == {L4: StoredPace(L4, paces[L4].seconds, 2)}
    assert paces[L4].seconds == pytest.approx(2 / 5)
    store_runs(tmp_path, asked, asked.grid()[:1])
    store_runs(tmp_path, asked, other.grid()[2:3], device="cpu")
    paces = stored_paces(asked, store.runs())
    assert paces[L4] == StoredPace(L4, paces[L4].seconds, 1)
    assert paces[L4].seconds == pytest.approx(2 / 50), "runs of the same options come first"
    assert paces["cpu"].seconds == pytest.approx(2 / 5)
    wider = studies.make(workload={"name": "digits", "epochs": 5, "batch_size": 32})
    assert stored_paces(wider, store.runs()) == {}


def test_the_cost_of_a_hessian_does_not_go_with_the_epochs(tmp_path: Path) -> None:
    def with_hessian(epochs: int) -> Study:
        return studies.make(workload={"name": "digits", "epochs": epochs, "hessian": {"top": 1}})

    store = store_runs(tmp_path, with_hessian(5), with_hessian(5).grid()[:2])
    assert stored_paces(with_hessian(5), store.runs())[L4].seconds == pytest.approx(2 / 5)
    assert stored_paces(with_hessian(50), store.runs()) == {}


def test_a_plan_counts_what_is_left_and_looks_into_studies_beside_it(tmp_path: Path) -> None:
    study = digits(epochs=20)
    assert plan(study, Store(tmp_path / "results" / "x")).unknown == ["digits"]
    assert not (tmp_path / "results").exists()
    small = digits(epochs=2, name="small")
    store_runs(tmp_path, small, small.grid()[:4])
    made = plan(study, Store(tmp_path / "x"))
    assert (made.total, made.stored, made.left) == (16 * 3 // 2, 0, 24)
    assert made.hours(made.costs(gpu=True)[0]) == pytest.approx(24 * 20 * 1.0 / 3600)
    store_runs(tmp_path, study, study.grid()[:4])
    made = plan(study, Store(tmp_path / "x"))
    assert made.left == 20
    assert made.hours(made.costs(gpu=True)[0]) == pytest.approx(20 * 2.0 / 3600)
    store_runs(tmp_path, study, study.grid()[4:])
    made = plan(study, Store(tmp_path / "x"))
    assert made.seconds == 0.0
    assert plan_summary(made, 1.2).splitlines()[1:] == ["nothing to train"]


def test_gpu_runs_say_nothing_of_a_study_that_takes_none(tmp_path: Path) -> None:
    study = digits(resources={"gpus": 0})
    store = store_runs(tmp_path, study, study.grid()[:1])
    assert plan(study, store).unknown == ["digits"]


@pytest.mark.parametrize(("sampler", "ahead"), [("tpe", True), ("cmaes", True), ("qmc", False)])
def test_a_sampled_study_says_how_it_goes_through_its_cells(tmp_path: Path, sampler: str, ahead: bool) -> None:
    made = plan(digits(search={"sampler": sampler, "cells": 3}), Store(tmp_path / "x"))
    assert made.total == 2 * 3 * 3, "optimizers, cells and seeds"
    line = plan_summary(made).splitlines()[1]
    assert line.startswith(f"{sampler}: 3 cells an optimizer, 3 seeds each")
    assert ("; 3 cells an optimizer are asked ahead" in line) == ahead


@pytest.mark.parametrize(
    ("value", "words"),
    [(102.4, "102"), (85.24, "85.2"), (0.0123, "0.0123"), (0.0001, "less than 0.001"), (0, "0"), (102529, "102529")],
)
def test_numbers_have_three_digits(value: float, words: str) -> None:
    assert number(value) == words


def test_a_time_has_a_unit_that_suits_it() -> None:
    assert [duration(each) for each in (5, 600, 36000, 3.6e6)] == ["5 s", "10 min", "10 h", "1000 h"]
