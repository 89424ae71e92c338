"""AdaBound under a schedule that begins below the base rate: its bounds close on the run's own rate."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import pytest
import torch

from robustness.optimizers import AdaBoundOptions
from robustness.optimizers.base import TakesBaseRates
from robustness.study import Run
from robustness.training import train_single, train_stack
from robustness.training.history import METRICS
from robustness.workloads import Digits
from tests.support.rule_cases import GRID, SIZE, gradient_of, padded

WARM: dict[str, Any] = {"kind": "cosine", "warmup": 3}
SMALL: dict[str, Any] = {"epochs": 6, "train_size": 96, "validation_size": 40, "width": 4}


def algorithm_2(start: np.ndarray, base: float, decay: float, factors: list[float], options: AdaBoundOptions) -> Any:
    """Return the weights after a step at each factor, as the paper's Algorithm 2 has them, with the library's 1e-15."""
    theta, (beta1, beta2) = start.copy(), options.betas
    m, v = np.zeros_like(theta), np.zeros_like(theta)
    for step, factor in enumerate(factors):
        gradient = gradient_of(torch.from_numpy(theta)[None], step)[0].numpy() + decay * theta
        m, v = beta1 * m + (1 - beta1) * gradient, beta2 * v + (1 - beta2) * gradient**2
        t = step + 1
        rate = factor * base * np.sqrt(1 - beta2**t) / (1 - beta1**t) / (np.sqrt(v + 1e-15) + options.eps)
        final = options.final_lr * factor
        low, high = final * (1 - 1 / (options.gamma * t + 1)), final * (1 + 1 / (options.gamma * t))
        theta = theta - np.clip(rate, low, high) * m
    return theta


@pytest.mark.parametrize("first", [1.0, 0.25])
def test_the_rule_equals_algorithm_2_with_the_bounds_scaled_as_the_schedule_says(first: float) -> None:
    options = AdaBoundOptions(gamma=0.05, final_lr=0.02)
    factors = [first, first, 1.0, 0.5] * 10
    base, decay = (torch.tensor(column, dtype=torch.float64) for column in zip(*GRID, strict=True))
    weights = padded(len(GRID))
    start = weights.clone()
    rule = options.rule(weights, decay, SIZE)
    assert isinstance(rule, TakesBaseRates)
    rule.take_base_rates(base)
    for step, factor in enumerate(factors):
        rule.step(gradient_of(weights, step), base * factor)
    expected = [algorithm_2(row.numpy(), *cell, factors, options) for row, cell in zip(start, GRID, strict=True)]
    np.testing.assert_allclose(weights.numpy(), np.stack(expected), rtol=1e-10, atol=1e-12)


def test_stack_and_single_agree_under_a_warm_up() -> None:
    """The torch form is pytorch_optimizer's, whose base rate is that with which its groups are made."""
    workload = Digits(schedule=WARM, **SMALL)
    runs = [Run(workload, AdaBoundOptions(gamma=0.1), lr, decay, 1) for lr in (1e-3, 1e-2) for decay in (0.0, 1e-3)]
    stack = train_stack(runs, dtype=torch.float64)
    for place, run in enumerate(stack.runs):
        single = train_single(run, dtype=torch.float64)
        for name in METRICS:
            np.testing.assert_allclose(stack.values[name][place], single.values[name][0], rtol=1e-7, atol=1e-9)


def version_of(run: Run) -> int:
    """Return the version in a run's identity: the one with which the hash of its content is its id."""
    fitting = []
    for version in (1, 2, 3):
        optimizer = json.loads(run.optimizer.model_dump_json(exclude={"schedule", "decay_on", "groups"})) | {
            "version": version
        }
        workload = json.loads(run.workload.model_dump_json()) | {"version": 1}
        later = {"label", "clip", "hessian", "precision", "compiled"}
        content = {
            "lr": run.lr,
            "optimizer": optimizer,
            "seed": run.seed,
            "weight_decay": run.weight_decay,
            "workload": {key: value for key, value in workload.items() if key not in later},
        }
        if not workload["schedule"]["warmup"]:
            del workload["schedule"]["warmup"]
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        if hashlib.sha256(text.encode()).hexdigest()[:16] == run.run_id:
            fitting.append(version)
    (only,) = fitting
    return only


@pytest.mark.parametrize(
    ("engine", "schedule", "version"),
    [
        ("stack", WARM, 2),
        ("stack", {"kind": "step", "warmup": 1}, 2),
        ("stack", {"kind": "cosine"}, 1),
        ("stack", {"kind": "constant"}, 1),
        ("single", WARM, 1),
    ],
)
def test_only_stacks_with_a_warm_up_are_other_runs_than_before(
    engine: str, schedule: dict[str, Any], version: int
) -> None:
    workload = Digits(engine=engine, schedule=schedule)
    assert version_of(Run(workload, AdaBoundOptions(), 1e-3, 1e-4, 0)) == version
