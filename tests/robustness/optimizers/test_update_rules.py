"""The update rules with the run axis: against NumPy, against torch.optim, and to the bit in any stack."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from robustness.optimizers import OPTIMIZERS, AdamOptions, AdamSOptions, AdamWOptions
from tests.support.reference_optimizers import Group, Parameter, Reference
from tests.support.rule_cases import BITS, COLUMNS, GRID, SIZE, gradient_of, padded, scheduled, train

ALL = pytest.mark.parametrize("name", ["adam", "adamw", "adams"])


@pytest.mark.slow
@pytest.mark.parametrize("amsgrad", [False, True])
@ALL
def test_rule_equals_numpy_over_1000_steps(name: str, amsgrad: bool) -> None:
    lrs, decays = zip(*GRID, strict=True)
    weights = padded(len(GRID))
    start = weights.clone()
    options = OPTIMIZERS[name](betas=(0.85, 0.99), eps=1e-7, amsgrad=amsgrad)  # type: ignore[call-arg]
    rule = options.rule(weights, torch.tensor(decays, dtype=torch.float64), SIZE)
    references = [
        Reference(
            name,  # type: ignore[arg-type]
            [Group([Parameter(row[:SIZE].numpy())], lr, decay, (0.85, 0.99), 1e-7)],
            amsgrad,
        )
        for row, (lr, decay) in zip(start, GRID, strict=True)
    ]
    for step in range(1000):
        gradients = padded(len(GRID), seed=step) * (1 + math.sin(step / 50))
        rates = scheduled(torch.tensor(lrs, dtype=torch.float64), step)
        for row, reference in enumerate(references):
            reference.groups[0].lr = float(rates[row])
            reference.step([[gradients[row, :SIZE].numpy().copy()]])
        rule.step(gradients, rates)
    expected = np.stack([reference.groups[0].parameters[0].value for reference in references])
    np.testing.assert_allclose(weights[:, :SIZE].numpy(), expected, rtol=1e-10, atol=1e-10)
    roots = [reference.root_mean_v for reference in references]
    np.testing.assert_allclose(rule.root_mean_v.numpy(), roots, rtol=1e-12)
    assert (weights[:, SIZE:] == 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("amsgrad", [False, True])
@ALL
def test_rule_equals_torch_optim_run_by_run(name: str, amsgrad: bool) -> None:
    options = OPTIMIZERS[name](amsgrad=amsgrad)  # type: ignore[call-arg]
    lrs, decays = map(list, zip(*GRID, strict=True))
    start = padded(len(GRID))
    weights = start.clone()
    train(options, weights, lrs, decays, 400)
    for row, (lr, decay) in enumerate(GRID):
        parameter = torch.nn.Parameter(start[row, :SIZE].clone())
        optimizer = options.torch_optimizer([parameter], lr, decay)
        for step in range(400):
            optimizer.param_groups[0]["lr"] = float(scheduled(torch.tensor(lr, dtype=torch.float64), step))
            parameter.grad = gradient_of(parameter.detach()[None], step)[0]
            optimizer.step()
        torch.testing.assert_close(weights[row, :SIZE], parameter.detach(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("amsgrad", [False, True])
@BITS
@ALL
def test_a_run_is_the_same_to_the_bit_in_any_stack(name: str, amsgrad: bool, dtype: torch.dtype) -> None:
    options = OPTIMIZERS[name](amsgrad=amsgrad)  # type: ignore[call-arg]
    run = padded(1, dtype=dtype)
    alone = run.clone()
    rule = train(options, alone, [3e-3], [2e-2], 60)
    for rows in (2, 7, 100):
        for place in (0, rows // 2, rows - 1):
            stack = padded(rows, dtype=dtype, seed=rows)
            stack[place] = run[0]
            stack[(place + 1) % rows] = math.nan
            lrs, decays = ([value * (1 + row) for row in range(rows)] for value in (1e-4, 1e-3))
            lrs[place], decays[place] = 3e-3, 2e-2
            stacked = train(options, stack, lrs, decays, 60)
            assert torch.equal(stack[place], alone[0]), (rows, place)
            assert stack[(place + 1) % rows].isnan().any()
            assert not stack[(place + 2) % rows].isnan().any() or rows == 2
            assert torch.equal(stacked.root_mean_v[place], rule.root_mean_v[0])
            same = torch.equal(stacked.effective_decay[place], rule.effective_decay[0])
            assert same or rule.effective_decay.isnan().all()


@BITS
@pytest.mark.parametrize("columns", [64, 1024, 3712, 70_016])
def test_v_bar_is_the_same_to_the_bit_in_any_row(columns: int, dtype: torch.dtype) -> None:
    gradient = torch.randn(9, columns, generator=torch.Generator().manual_seed(1)).to(dtype)
    decay = torch.full((9,), 1e-2, dtype=dtype)
    together = AdamSOptions().rule(torch.ones(9, columns, dtype=dtype), decay, columns)
    together.step(gradient.clone(), decay)
    for row in range(9):
        alone = AdamSOptions().rule(torch.ones(1, columns, dtype=dtype), decay[:1], columns)
        alone.step(gradient[row : row + 1].clone(), decay[:1])
        assert torch.equal(alone.root_mean_v[0], together.root_mean_v[row])


@pytest.mark.parametrize("amsgrad", [False, True])
@ALL
def test_keep_goes_on_with_the_chosen_runs_alone(name: str, amsgrad: bool) -> None:
    options = OPTIMIZERS[name](amsgrad=amsgrad)  # type: ignore[call-arg]
    lrs, decays = torch.tensor([1e-3, 1e-2, 0.1, 2e-3]), torch.tensor([0.0, 1e-2, 1e-3, 0.1])
    weights = padded(4, dtype=torch.float32)
    whole, part = weights.clone(), weights.clone()
    rules = [options.rule(stack, decays, SIZE) for stack in (whole, part)]
    rows = torch.tensor([3, 0])
    for step in range(40):
        if step == 15:
            part, lrs_kept = part[rows], lrs[rows]
            before = rules[1].root_mean_v[rows], rules[1].effective_decay[rows]
            rules[1].keep(rows, part)
            assert torch.equal(rules[1].root_mean_v, before[0])
            assert torch.equal(rules[1].effective_decay.nan_to_num(7), before[1].nan_to_num(7))
        rules[0].step(gradient_of(whole, step), lrs)
        rules[1].step(gradient_of(part, step), lrs if step < 15 else lrs_kept)
    assert torch.equal(part, whole[rows])
    assert torch.equal(rules[1].root_mean_v, rules[0].root_mean_v[rows])


@ALL
def test_conventions_and_effective_decay(name: str) -> None:
    decays = [0.0, 1e-2]
    rule = train(OPTIMIZERS[name](), padded(2), [1e-3, 1e-3], decays, 3)  # type: ignore[call-arg]
    expected = {
        "adam": [math.nan, math.nan],
        "adamw": decays,
        "adams": [0.0, 1e-2 / float(rule.root_mean_v[1])],
    }
    np.testing.assert_allclose(rule.effective_decay.numpy(), expected[name], rtol=1e-12)


def test_each_optimizer_turns_the_common_weight_decay_into_its_own() -> None:
    assert [kind.convention for kind in (AdamOptions, AdamWOptions, AdamSOptions)] == [
        "l2",
        "decoupled",
        "scheduled",
    ]
    native = [kind().native_weight_decay(5e-4) for kind in (AdamOptions, AdamWOptions, AdamSOptions)]
    assert native == pytest.approx([5e-4, 0.5, 5e-4])


def test_effective_decay_and_root_mean_v_are_nan_before_the_first_step() -> None:
    for kind in OPTIMIZERS.values():
        rule = kind().rule(padded(2), torch.ones(2, dtype=torch.float64), SIZE)  # type: ignore[call-arg]
        assert rule.root_mean_v.isnan().all()
        assert rule.effective_decay.isnan().all() == (kind.convention != "decoupled")


def test_without_gradient_no_decay_is_exact_and_decay_diverges_unclamped() -> None:
    start = padded(3, dtype=torch.float32)
    weights = start.clone()
    rule = AdamSOptions().rule(weights, torch.tensor([0.0, 1e-3, 0.0]), SIZE)
    tiny = torch.zeros_like(weights)
    tiny[2, :SIZE] = 1e-12
    rule.step(tiny, torch.full((3,), 1e-3))
    assert torch.equal(weights[0], start[0])
    assert rule.effective_decay.tolist() == [0.0, math.inf, 0.0]
    assert not weights[1, :SIZE].isfinite().any()
    assert weights[2].isfinite().all()


def test_a_decay_past_2_is_recorded_and_makes_the_weights_grow() -> None:
    weights = torch.zeros(1, COLUMNS, dtype=torch.float64)
    weights[0, :SIZE] = 1
    rule = AdamSOptions().rule(weights, torch.tensor([1.0], dtype=torch.float64), SIZE)
    gradient = torch.zeros_like(weights)
    gradient[0, :SIZE] = 1e-3
    rule.step(gradient, torch.tensor([1e-2], dtype=torch.float64))
    assert rule.effective_decay.item() == pytest.approx(1e3, rel=1e-9)
    # 1 - 1e-2 * 1e3 = -9, then the Adam step of 1e-2.
    torch.testing.assert_close(weights[0, :SIZE], torch.full((SIZE,), -9.01, dtype=torch.float64))


@settings(max_examples=30, deadline=None)
@given(scale=st.floats(1e-3, 1e3), steps=st.integers(1, 20))
def test_scaled_gradients_leave_the_direction_and_scale_the_decay_inversely(scale: float, steps: int) -> None:
    decay = torch.tensor([1e-2], dtype=torch.float64)
    lr = torch.tensor([1e-2], dtype=torch.float64)
    weights = [padded(1), padded(1)]
    rules = [AdamSOptions(eps=1e-16).rule(weights[0], decay, SIZE)]
    rules.append(AdamSOptions(eps=1e-16).rule(weights[1], decay * scale, SIZE))
    for step in range(steps):
        gradient = padded(1, seed=step)
        rules[0].step(gradient.clone(), lr)
        rules[1].step(gradient * scale, lr)
    # sqrt(v-bar) grows by the scale, and the weight decay with it: the whole path is the same.
    torch.testing.assert_close(rules[1].root_mean_v, rules[0].root_mean_v * scale, rtol=1e-12, atol=0)
    torch.testing.assert_close(rules[1].effective_decay, rules[0].effective_decay, rtol=1e-12, atol=0)
    torch.testing.assert_close(weights[1], weights[0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"betas": [1.0, 0.999]}, "betas"),
        ({"betas": [0.9, -0.1]}, "betas"),
        ({"betas": [0.9]}, "betas"),
        ({"eps": 0}, "eps"),
        ({"eps": math.nan}, "eps"),
        ({"amsgrad": "perhaps"}, "amsgrad"),
        ({"name": "sgd"}, "name"),
        ({"momentum": 0.9}, "momentum"),
    ],
)
@ALL
def test_options_out_of_range_are_refused(name: str, options: dict[str, Any], key: str) -> None:
    with pytest.raises(ValidationError) as caught:
        OPTIMIZERS[name](**options)
    assert [error["loc"][0] for error in caught.value.errors()] == [key]


@ALL
def test_the_registry_names_what_it_holds(name: str) -> None:
    options = OPTIMIZERS[name](betas=(0.8, 0.99), eps=1e-6, amsgrad=True)  # type: ignore[call-arg]
    assert options.name == name
    optimizer = options.torch_optimizer([torch.nn.Parameter(torch.ones(2))], 0.02, 0.3)
    group = optimizer.param_groups[0]
    picked = {key: group[key] for key in ("lr", "betas", "eps", "weight_decay", "amsgrad")}
    assert picked == {"lr": 0.02, "betas": (0.8, 0.99), "eps": 1e-6, "weight_decay": 0.3, "amsgrad": True}
    assert type(optimizer).__name__.lower() == name


@pytest.mark.slow
def test_options_load_without_torch_and_adams_on_first_use() -> None:
    program = """
import sys, json
import robustness.optimizers as optimizers
options = {name: kind().model_dump() for name, kind in optimizers.OPTIMIZERS.items()}
before = "torch" in sys.modules
from robustness.optimizers import AdamS
print(json.dumps([before, AdamS.__mro__[1].__module__, hasattr(optimizers, "Adagrad")]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [False, "torch.optim.optimizer", False]
