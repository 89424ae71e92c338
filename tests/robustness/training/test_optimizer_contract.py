"""What every optimizer must hold to: both engines agree under every schedule; what was killed goes on to the bit."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest
import torch

from robustness.optimizers import OPTIMIZERS
from robustness.optimizers.registry import ROWS
from robustness.schedules import CosineRestartsSchedule, Schedule, StepSchedule
from robustness.study import Run
from robustness.training import train, train_single, train_stack
from robustness.training.history import METRICS
from robustness.workloads import Digits
from tests.support.checkpoints import KilledError, Memory, curves, rows
from tests.support.reference_optimizers import Group, Parameter, Reference
from tests.support.rule_cases import GRID, SIZE, gradient_of, padded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from robustness.schedules import WarmedUp
    from robustness.training import History

EPOCHS = 6
SMALL: dict[str, Any] = {"epochs": EPOCHS, "train_size": 40, "validation_size": 20, "batch_size": 20, "width": 4}
KINDS = {kind.model_fields["kind"].default: kind for kind in get_args(get_args(Schedule)[0])}
OWN: dict[str, dict[str, Any]] = {"cosine_restarts": {"t0": 2, "t_mult": 1, "floor": 0.1}, "cosine": {"floor": 0.05}}
SCHEDULES = [kind(**OWN.get(name, {}), warmup=warmup) for name, kind in KINDS.items() for warmup in (0, 2)]
NAMES = [*OPTIMIZERS.own]
EACH_SCHEDULE = pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda each: f"{each.kind}-{each.warmup}")
EACH_OPTIMIZER = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Networks so small are trained faster by one."""
    torch.set_num_threads(1)


def runs_of(workload: Digits, lrs: Sequence[float] = (1e-2,)) -> list[Run]:
    """Return runs of every optimizer."""
    return [Run(workload, row.options(), lr, 1e-3, 1) for row in ROWS for lr in lrs]  # type: ignore[call-arg]


@pytest.mark.slow
@EACH_SCHEDULE
def test_stack_and_single_agree_to_rounding_under_every_schedule(schedule: WarmedUp) -> None:
    stack = train_stack(runs_of(Digits(schedule=schedule, **SMALL)), dtype=torch.float64)
    assert sorted(run.optimizer.name for run in stack.runs) == sorted(NAMES)
    for place, run in enumerate(stack.runs):
        single = train_single(run, dtype=torch.float64)
        assert single.epochs[0] == stack.epochs[place] == EPOCHS
        for name in METRICS:
            mine, theirs = stack.values[name][place], single.values[name][0]
            np.testing.assert_allclose(mine, theirs, rtol=1e-7, atol=1e-9, err_msg=f"{name} of {run}")


@EACH_SCHEDULE
@pytest.mark.parametrize("kind", ["adam", "adamw", "adams"])
def test_rules_equal_numpy_under_every_schedule(kind: Any, schedule: WarmedUp) -> None:
    weights = padded(len(GRID))
    cells = list(zip(weights.clone(), GRID, strict=True))
    references = [Reference(kind, [Group([Parameter(row[:SIZE].numpy())], lr, decay)]) for row, (lr, decay) in cells]
    base, decays = (torch.tensor(column, dtype=torch.float64) for column in zip(*GRID, strict=True))
    rule = OPTIMIZERS[kind]().rule(weights, decays, SIZE)  # type: ignore[call-arg]
    for step in range(12):
        factor = schedule.factor(step // 2, EPOCHS)
        gradients = gradient_of(weights, step)
        for reference, (lr, _), gradient in zip(references, GRID, gradients, strict=True):
            reference.groups[0].lr = factor * lr
            reference.step([[gradient[:SIZE].numpy().copy()]])
        rule.step(gradients, base * factor)
    expected = np.stack([reference.groups[0].parameters[0].value for reference in references])
    np.testing.assert_allclose(weights[:, :SIZE].numpy(), expected, rtol=1e-10, atol=1e-10)


@pytest.fixture(scope="module", params=[StepSchedule(), CosineRestartsSchedule(t0=2, warmup=2)], ids=lambda s: s.kind)
def histories(request: pytest.FixtureRequest) -> tuple[list[History], list[History], str]:
    """Return what became of all runs in one stack, of the same killed and gone on with in others, and when and how."""
    # So wide that no kernel of this machine computes a batch of few networks otherwise than one of many.
    workload = Digits(schedule=request.param, **SMALL | {"train_size": 64, "batch_size": 32, "width": 32})
    runs = runs_of(workload, (1e-3, 1e-2))
    whole = train(runs, device="cpu")
    memory = Memory(random.randint(1, EPOCHS - 1))
    with pytest.raises(KilledError):
        train(runs, device="cpu", keeper=memory)
    shuffled = random.sample(runs, len(runs))
    parts = [shuffled[:1], shuffled[1:3], shuffled[3:8], shuffled[8:]]
    resumed = []
    for part in parts:
        keeper = Memory()
        keeper.saved = memory.saved
        resumed += train(part, device="cpu", keeper=keeper)
        assert (keeper.loaded, keeper.refused) == (memory.kill, [])
        assert keeper.heard[0] == (memory.kill + 1, EPOCHS)
    order = [(run.optimizer.name, run.lr) for run in shuffled]
    return whole, resumed, f"killed after {memory.kill}, went on as {order}"


@EACH_OPTIMIZER
def test_what_was_killed_goes_on_in_another_stack_to_equal_rows(
    name: str, histories: tuple[list[History], list[History], str]
) -> None:
    whole, resumed, how = histories
    mine = {run_id: row for run_id, row in rows(resumed).items() if row["optimizer"] == name}
    theirs = {run_id: row for run_id, row in rows(whole).items() if row["optimizer"] == name}
    assert mine == theirs, how
    assert len(mine) == 2
    for run_id in mine:
        np.testing.assert_array_equal(curves(resumed)[run_id], curves(whole)[run_id], err_msg=how)


@EACH_OPTIMIZER
def test_a_single_run_goes_on_under_a_warm_up(name: str) -> None:
    workload = Digits(schedule=KINDS["cosine"](warmup=2), engine="single", **SMALL)
    run = Run(workload, OPTIMIZERS[name](), 1e-2, 1e-3, 1)  # type: ignore[call-arg]
    memory = Memory(random.randint(1, EPOCHS - 1))
    with pytest.raises(KilledError):
        train([run], device="cpu", keeper=memory)
    kill, memory.kill = memory.kill, 0
    resumed, whole = train([run], device="cpu", keeper=memory), train([run], device="cpu")
    assert memory.loaded == kill
    assert rows(resumed) == rows(whole), f"killed after {kill}"
