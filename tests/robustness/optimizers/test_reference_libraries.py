"""The optimizers beside AdamS, AdamW and Adam: against their libraries run by run, and to the bit in any stack."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from robustness.study import Study
from robustness.training import train_single, train_stack
from tests.support.optimizer_cases import EACH, NAMES, make
from tests.support.rule_cases import BITS, GRID, SIZE, gradient_of, padded, train


def same(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Return whether two tensors have the same numbers, NaN in the same places."""
    return torch.equal(a.nan_to_num(7.0), b.nan_to_num(7.0)) and torch.equal(a.isnan(), b.isnan())


@pytest.mark.slow
@EACH
def test_rule_equals_the_torch_form_run_by_run(name: str, options: dict[str, Any]) -> None:
    optimizer_options = make(name, options)
    lrs, decays = (torch.tensor(values, dtype=torch.float64) for values in zip(*GRID, strict=True))
    start = padded(len(GRID))
    weights = start.clone()
    parameters = [torch.nn.Parameter(row[:SIZE].clone()) for row in start]
    optimizers = [
        optimizer_options.torch_optimizer([parameter], lr, decay)
        for parameter, (lr, decay) in zip(parameters, GRID, strict=True)
    ]
    rule = optimizer_options.rule(weights, decays, SIZE)
    for step in range(60):
        factor = 0.1 if step >= 35 else 1.0
        rule.step(gradient_of(weights, step), lrs * factor)
        for parameter, optimizer, lr in zip(parameters, optimizers, lrs.tolist(), strict=True):
            optimizer.param_groups[0]["lr"] = lr * factor
            parameter.grad = gradient_of(parameter.detach()[None], step)[0]
            optimizer.step()
    expected = torch.stack([parameter.detach() for parameter in parameters])
    torch.testing.assert_close(weights[:, :SIZE], expected, rtol=1e-10, atol=1e-12)
    assert (weights[:, SIZE:] == 0).all()
    assert ((weights - start)[:, :SIZE].abs().amax(dim=1) > 1e-4).all()


@BITS
@EACH
def test_a_run_is_the_same_to_the_bit_in_any_stack(name: str, options: dict[str, Any], dtype: torch.dtype) -> None:
    run = padded(1, dtype=dtype)
    alone = run.clone()
    rule = train(make(name, options), alone, [3e-3], [2e-2], 40)
    for rows in (2, 7, 100):
        for place in (0, rows // 2, rows - 1):
            stack = padded(rows, dtype=dtype, seed=rows)
            stack[place] = run[0]
            stack[(place + 1) % rows] = math.nan
            lrs, decays = ([value * (1 + row) for row in range(rows)] for value in (1e-4, 1e-3))
            lrs[place], decays[place] = 3e-3, 2e-2
            stacked = train(make(name, options), stack, lrs, decays, 40)
            assert torch.equal(stack[place], alone[0]), (rows, place)
            assert stack[(place + 1) % rows, :SIZE].isnan().all()
            assert stack.isnan().any(dim=1).sum() == 1
            assert same(stacked.root_mean_v[place], rule.root_mean_v[0])
            assert same(stacked.effective_decay[place], rule.effective_decay[0])


@EACH
def test_keep_goes_on_with_the_chosen_runs_alone(name: str, options: dict[str, Any]) -> None:
    lrs, decays = torch.tensor([1e-3, 1e-2, 0.1, 2e-3]), torch.tensor([0.0, 1e-2, 1e-3, 0.1])
    whole = padded(4, dtype=torch.float32)
    part, rows = whole.clone(), torch.tensor([3, 0])
    rules = [make(name, options).rule(stack, decays, SIZE) for stack in (whole, part)]
    kept = lrs
    for step in range(40):
        factor = 0.1 if step >= 25 else 1.0
        if step == 15:
            part, kept = part[rows], lrs[rows]
            rules[1].keep(rows, part)
            assert same(rules[1].root_mean_v, rules[0].root_mean_v[rows])
            assert same(rules[1].effective_decay, rules[0].effective_decay[rows])
        rules[0].step(gradient_of(whole, step), lrs * factor)
        rules[1].step(gradient_of(part, step), kept * factor)
    assert torch.equal(part, whole[rows])
    assert same(rules[1].root_mean_v, rules[0].root_mean_v[rows])


@EACH
def test_keep_before_the_first_step(name: str, options: dict[str, Any]) -> None:
    weights, lr = padded(3), torch.full((3,), 1e-2, dtype=torch.float64)
    kept = weights[1:].clone()
    whole, part = (make(name, options).rule(weights, lr, SIZE) for _ in range(2))
    part.keep(torch.tensor([1, 2]), kept)
    whole.step(gradient_of(weights, 0), lr)
    part.step(gradient_of(kept, 0), lr[1:])
    assert torch.equal(kept, weights[1:])


def test_amsgrad_is_adam_with_amsgrad_to_the_bit() -> None:
    a, b = padded(2), padded(2)
    train(make("amsgrad", {}), a, [1e-3, 1e-2], [0.0, 0.1], 50)
    train(make("adam", {"amsgrad": True}), b, [1e-3, 1e-2], [0.0, 0.1], 50)
    assert torch.equal(a, b)


@pytest.mark.parametrize("name", NAMES)
def test_the_two_engines_leave_the_same_curves(name: str) -> None:
    study = Study(
        name="t",
        workload={"name": "digits", "epochs": 3, "train_size": 150},
        optimizers=[name],
        space={"lr": [3e-3], "weight_decay": [0, 1e-3]},
        seeds=1,
    )
    runs = study.grid()
    together = train_stack(runs, dtype=torch.float64)
    for row, run in enumerate(runs):
        single = train_single(run, dtype=torch.float64)
        for metric, values in single.values.items():
            np.testing.assert_allclose(values[0], together.values[metric][row], rtol=1e-6, err_msg=metric)
