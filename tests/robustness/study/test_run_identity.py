from __future__ import annotations

import hashlib
import json
import math
import subprocess
import sys
from typing import Any

import pytest

from robustness.optimizers import OPTIMIZERS
from robustness.schedules import ConstantSchedule, StepSchedule
from robustness.study import Axis, Run, Study
from robustness.study.file import PACKAGED
from robustness.study.run import options_json
from robustness.workloads import Digits, DigitsCNN
from tests.support.studies import ADAM, ADAMS, ADAMW, FILE, ids, make


def reference_id(content: dict[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


CONTENT: dict[str, Any] = {
    "workload": {
        "version": 1,
        "name": "digits",
        "epochs": 20,
        "batch_size": 64,
        "schedule": {"kind": "step", "milestones": [0.4, 0.8], "gamma": 0.1},
        "engine": "stack",
        "train_size": 896,
        "validation_size": 300,
        "label_noise": 0.0,
        "width": 32,
    },
    "optimizer": {"version": 1, "name": "adams", "betas": [0.9, 0.999], "eps": 1e-08, "amsgrad": False},
    "lr": 0.001,
    "weight_decay": 0.0005,
}


def test_run_id_is_the_hash_of_the_canonical_json_of_every_option() -> None:
    run = Run(Digits(), ADAMS, 1e-3, 5e-4, 2)
    assert run.run_id == reference_id(CONTENT | {"seed": 2})
    assert run.cell_id == reference_id(CONTENT)


# A change here turns every stored run into another: it needs a good reason, and a new `version`.
GOLDEN = [
    (Run(Digits(), ADAMS, 1e-3, 5e-4, 0), "4f4886668c618e40", "e9fa6bc4eb9fd724"),
    (Run(Digits(epochs=3, label_noise=0.2), ADAMW, 1, 0, 4294967295), "9c72011e46581dbe", "f801179f36c789e2"),
    (
        Run(DigitsCNN(engine="single", schedule=ConstantSchedule()), ADAM, 0.000464159, 1e-5, 1),
        "a6fdd52de57e1a2d",
        "7f3c63b9a0756760",
    ),
]


@pytest.mark.parametrize(("run", "run_id", "cell_id"), GOLDEN)
def test_identities_stay_what_they_were(run: Run, run_id: str, cell_id: str) -> None:
    assert (run.run_id, run.cell_id) == (run_id, cell_id)


@pytest.mark.slow
def test_identities_are_the_same_in_another_process() -> None:
    code = "from robustness import Study; print(*[run.run_id for run in Study.load('digits').grid()[::97]])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "1234", "PYTHONPATH": str(PACKAGED.parent)},
    )
    assert done.stdout.split() == ids(Study.load("digits"))[::97]


def test_every_run_of_a_grid_has_its_own_id() -> None:
    study = Study.load("digits")
    assert len(set(ids(study))) == len(study.grid())
    cells = {run.cell_id for run in study.grid()}
    assert len(cells) * len(study.seeds) == len(study.grid())
    assert not cells & set(ids(study))


def test_a_grid_that_grows_keeps_its_runs() -> None:
    larger = {"lr": [1e-3, 1e-2, 1e-1], "weight_decay": [0, 1e-4, 1e-3]}
    assert set(ids(make())) < set(ids(make(space=larger, seeds=5, optimizers=["adamw", "adam", "adams"])))


def test_neither_name_nor_label_nor_order_nor_resources_enter_an_identity() -> None:
    other = make(
        name="renamed",
        description="Another.",
        optimizers=[{"name": "adam", "label": "plain"}, {"name": "adams", "label": "stable"}],
        resources={"cpus": 4, "gpus": 0.5, "stack_size": 7, "max_concurrent": 3, "retries": 0},
        space={"lr": [1e-2, 1e-3], "weight_decay": [1e-4, 0]},
    )
    assert set(ids(other)) == set(ids(make()))


def test_a_grid_and_its_list_of_values_have_the_same_runs() -> None:
    axis = Axis(low=1e-5, high=3, points=9)
    by_range = make(space={"lr": axis, "weight_decay": [0]})
    by_list = make(space={"lr": [float(f"{value:.6g}") for value in axis.values], "weight_decay": [0]})
    assert ids(by_range) == ids(by_list)


CHANGES: list[dict[str, Any]] = [
    {"workload": DigitsCNN()},
    *({"workload": Digits(**{key: value})} for key, value in {
        "epochs": 21, "batch_size": 65, "engine": "single", "train_size": 897, "validation_size": 301,
        "label_noise": 0.1, "width": 33, "schedule": ConstantSchedule(),
    }.items()),
    {"workload": Digits(schedule=StepSchedule(gamma=0.2))},
    {"workload": Digits(schedule=StepSchedule(milestones=(0.4,)))},
    {"optimizer": ADAM},
    {"optimizer": ADAMW},
    *({"optimizer": OPTIMIZERS["adams"](**change)} for change in (
        {"betas": (0.9, 0.99)}, {"eps": 1e-7}, {"amsgrad": True},
    )),
    {"lr": 2e-3},
    {"lr": math.nextafter(1e-3, 1)},
    {"weight_decay": 0},
    {"seed": 1},
]  # fmt: skip


def test_any_option_changes_the_identity() -> None:
    base: dict[str, Any] = {
        "workload": Digits(),
        "optimizer": ADAMS,
        "lr": 1e-3,
        "weight_decay": 5e-4,
        "seed": 0,
    }
    identities = {Run(**base | change).run_id for change in [{}, *CHANGES]}
    assert len(identities) == len(CHANGES) + 1


def test_a_version_changes_the_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Run(Digits(epochs=17), ADAMS, 1e-3, 0, 0).run_id
    options_json.cache_clear()
    monkeypatch.setattr(Digits, "version", 2)
    after = Run(Digits(epochs=17), ADAMS, 1e-3, 0, 0).run_id
    options_json.cache_clear()
    assert after != before


def test_whole_numbers_and_signed_zeros_are_the_floats_they_stand_for() -> None:
    whole = Run(Digits(label_noise=0, schedule=StepSchedule(gamma=1)), ADAMS, 1, 0, 0)
    exact = Run(Digits(label_noise=-0.0, schedule=StepSchedule(gamma=1.0)), ADAMS, 1.0, -0.0, 0)
    assert whole.run_id == exact.run_id
    one = Study.parse(FILE.replace("[0.001]", "[1]").replace("[1.0e-4]", "[0]"))
    other = Study.parse(FILE.replace("[0.001]", "[1.0]").replace("[1.0e-4]", "[-0.0]"))
    assert ids(one) == ids(other)


@pytest.mark.parametrize(
    "change",
    [
        {"lr": 0},
        {"lr": -1},
        {"lr": math.inf},
        {"weight_decay": math.nan},
        {"weight_decay": -1e-9},
        {"seed": -1},
    ],
)
def test_a_run_refuses_numbers_that_no_run_can_have(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(change))} must be"):
        Run(**{"workload": Digits(), "optimizer": ADAMS, "lr": 1e-3, "weight_decay": 0, "seed": 0, **change})


def test_native_weight_decay_follows_the_convention() -> None:
    assert Run(Digits(), ADAMW, 1e-3, 5e-4, 0).weight_decay_native == 0.5
    assert Run(Digits(), ADAM, 1e-3, 5e-4, 0).weight_decay_native == 5e-4
    assert Run(Digits(), ADAMS, 1e-3, 5e-4, 0).weight_decay_native == 5e-4


def test_ten_thousand_identities_differ() -> None:
    axis = {"low": 1e-4, "high": 1, "points": 10}
    study = make(optimizers=["adams"], space={"lr": axis, "weight_decay": axis}, seeds=100)
    assert len(set(ids(study))) == 10_000
