"""Schedules: torch's own values in every epoch, the paper's cycles, refused options."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import torch
from pydantic import ValidationError
from torch.optim import lr_scheduler

from robustness.options import Model
from robustness.schedules import (
    ConstantSchedule,
    CosineRestartsSchedule,
    CosineSchedule,
    Schedule,
    StepSchedule,
)
from robustness.validation.problems import build

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = (ConstantSchedule, StepSchedule, CosineSchedule, CosineRestartsSchedule)


class Holder(Model):
    schedule: Schedule = StepSchedule()


def factors(schedule: Any, epochs: int) -> list[float]:
    return [schedule.factor(epoch, epochs) for epoch in range(epochs)]


def of_torch(
    scheduler: Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler], epochs: int, warmup: int = 0
) -> list[float]:
    """Return the rates of a torch scheduler over a base rate of 1, stepped once an epoch, after torch's own warm-up."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    rates = []
    if warmup:
        ramp = lr_scheduler.LinearLR(optimizer, 1 / (warmup + 1), total_iters=warmup)
        for _ in range(warmup):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            ramp.step()
        assert optimizer.param_groups[0]["lr"] == pytest.approx(1)
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    running = scheduler(optimizer)
    for _ in range(epochs - warmup):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        running.step()
    return rates


@pytest.mark.parametrize("warmup", [0, 1, 5])
@pytest.mark.parametrize("epochs", [7, 30])
@pytest.mark.parametrize("floor", [0.0, 0.1])
def test_cosine_is_torchs(epochs: int, warmup: int, floor: float) -> None:
    def scheduler(optimizer: torch.optim.Optimizer) -> lr_scheduler.LRScheduler:
        return lr_scheduler.CosineAnnealingLR(optimizer, epochs - warmup, eta_min=floor)

    schedule = CosineSchedule(floor=floor, warmup=warmup)
    assert factors(schedule, epochs) == pytest.approx(of_torch(scheduler, epochs, warmup), abs=1e-12)


@pytest.mark.parametrize("warmup", [0, 3])
@pytest.mark.parametrize(("t0", "t_mult"), [(14, 2), (1, 1), (5, 1), (1, 2), (4, 3), (500, 2)])
@pytest.mark.parametrize("floor", [0.0, 0.25])
def test_restarts_are_torchs(t0: int, t_mult: int, warmup: int, floor: float) -> None:
    def scheduler(optimizer: torch.optim.Optimizer) -> lr_scheduler.LRScheduler:
        return lr_scheduler.CosineAnnealingWarmRestarts(optimizer, t0, t_mult, eta_min=floor)

    schedule = CosineRestartsSchedule(t0=t0, t_mult=t_mult, floor=floor, warmup=warmup)
    assert factors(schedule, 215) == pytest.approx(of_torch(scheduler, 215, warmup), abs=1e-12)


@pytest.mark.parametrize("warmup", [0, 6])
def test_step_is_torchs_and_its_milestones_do_not_move(warmup: int) -> None:
    def scheduler(optimizer: torch.optim.Optimizer) -> lr_scheduler.LRScheduler:
        return lr_scheduler.MultiStepLR(optimizer, [80 - warmup, 160 - warmup], gamma=0.1)

    schedule = StepSchedule(warmup=warmup)
    assert factors(schedule, 200) == pytest.approx(of_torch(scheduler, 200, warmup), abs=1e-12)


def test_step_counts_epochs_exactly() -> None:
    steps = factors(StepSchedule(), 200)
    assert [epoch for epoch, (a, b) in enumerate(pairwise(steps), 1) if a != b] == [80, 160]
    assert sorted(set(steps), reverse=True) == [1.0, 0.1, 0.1**2]
    for percent in range(1, 100):
        halved = factors(StepSchedule(milestones=(percent / 100,), gamma=0.5), 100)
        assert halved.index(0.5) == percent, "0.07 * 100 is more than 7 in floating point"


def test_a_milestone_within_the_warm_up_is_past_when_that_ends() -> None:
    assert factors(StepSchedule(milestones=(0.2,), warmup=4), 10) == pytest.approx([0.2, 0.4, 0.6, 0.8] + [0.1] * 6)


def test_constant() -> None:
    assert factors(ConstantSchedule(), 5) == [1.0] * 5
    assert factors(ConstantSchedule(warmup=3), 5) == [0.25, 0.5, 0.75, 1.0, 1.0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_warm_up_as_long_as_the_training_is_all_there_is(kind: Any) -> None:
    for epochs in (4, 3):
        assert factors(kind(warmup=4), epochs) == pytest.approx([0.2, 0.4, 0.6, 0.8][:epochs])


@pytest.mark.parametrize("kind", KINDS)
def test_a_schedule_starts_at_the_base_rate_where_its_warm_up_ends(kind: Any) -> None:
    for warmup in (0, 1, 4):
        assert kind(warmup=warmup).factor(warmup, 100) == 1.0


def test_the_papers_210_epochs_are_four_whole_cycles() -> None:
    rates = factors(CosineRestartsSchedule(), 210)
    assert [epoch for epoch, rate in enumerate(rates) if rate == 1.0] == [0, 14, 42, 98]
    assert [epoch for epoch, (a, b) in enumerate(pairwise(rates), 1) if b > a] == [14, 42, 98]
    assert rates[7] == rates[28] == rates[70] == rates[154] == pytest.approx(0.5), "half way through each cycle"
    assert rates[209] == pytest.approx((1 + math.cos(math.pi * 111 / 112)) / 2)
    assert CosineRestartsSchedule().factor(210, 211) == 1.0, "a fifth cycle would begin"


@pytest.mark.parametrize("kind", KINDS)
def test_a_study_names_a_schedule_by_its_kind(kind: Any) -> None:
    name = kind.model_fields["kind"].default
    held = build(Holder, {"schedule": {"kind": name, "warmup": 2}})
    assert held.schedule == kind(warmup=2)
    assert Holder.model_validate_json(held.model_dump_json(), strict=True) == held


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "cosine", "floor": 1.5}, "must be at most 1"),
        ({"kind": "cosine", "floor": -0.1}, "must be at least 0"),
        ({"kind": "cosine", "t0": 3}, "t0"),
        ({"kind": "cosine_restarts", "t0": 0}, "must be at least 1"),
        ({"kind": "cosine_restarts", "t_mult": 0}, "must be at least 1"),
        ({"kind": "cosine_restarts", "t_mult": 1.5}, "whole number"),
        ({"kind": "constant", "warmup": -1}, "must be at least 0"),
        ({"kind": "constant", "warmup": "3"}, "whole number"),
        ({"kind": "step", "milestones": [0.8, 0.4]}, "ascend"),
        ({"kind": "step", "milestones": [0.4, 0.4]}, "ascend"),
        ({"kind": "step", "milestones": [1.0]}, "less than 1"),
        ({"kind": "step", "gamma": 0.0}, "greater than 0"),
        ({"kind": "linear"}, "must be one of step, constant, cosine, cosine_restarts"),
        ({"floor": 0.1}, "missing"),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        build(Holder, {"schedule": options})


def test_the_json_schema_takes_every_kind_and_refuses_what_the_model_refuses() -> None:
    schema = Holder.model_json_schema()
    for kind in KINDS:
        options = json.loads(kind(warmup=1).model_dump_json())
        jsonschema.validate({"schedule": options}, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"schedule": options | {"warmup": -1}}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"schedule": {"kind": "cosine_restarts", "t0": 0}}, schema)
