"""A step at a learning rate of 0 changes no weight, as with torch's AdamW, and leaves the state that a step leaves."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict

from robustness.optimizers import OPTIMIZERS, AdamS

RULES = [name for name in OPTIMIZERS.own if name != "sgd-eq1"]
"""Eq. 1 of the paper decays by lambda alone, at any learning rate."""

GRADIENTS = {"none": 0.0, "usual": 1.0, "infinite": torch.inf}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("scale", [0.0, 1.0])
def test_a_rule_with_the_run_axis_stands_still(name: str, scale: float) -> None:
    """Runs whose rate is not 0 go on beside it."""
    start = torch.linspace(-1, 1, 6).repeat(3, 1)
    weights = start.clone()
    rule = OPTIMIZERS.own[name].model_validate({}).rule(weights, torch.tensor([0.0, 0.1, 0.1]), 6)
    if hasattr(rule, "take_base_rates"):
        rule.take_base_rates(torch.full((3,), 0.1))
    gradient = scale * torch.linspace(1, 2, 6).repeat(3, 1)
    rule.step(gradient, torch.tensor([0.0, 0.0, 0.1]))
    assert torch.equal(weights[:2], start[:2])
    assert scale == 0 or not torch.equal(weights[2], start[2])


@pytest.mark.parametrize("rate", [0.0, torch.tensor(0.0)], ids=["number", "tensor"])
@pytest.mark.parametrize("foreach", [True, False])
@pytest.mark.parametrize("gradients", ["none", "usual"])
def test_adams_stands_still(rate: float | torch.Tensor, foreach: bool, gradients: str) -> None:
    """It has its state afterwards, and goes on from it."""
    weight = torch.linspace(-1, 1, 6).requires_grad_()
    start = weight.detach().clone()
    optimizer = AdamS([weight], lr=rate, weight_decay=0.1, foreach=foreach)
    weight.grad = GRADIENTS[gradients] * torch.ones(6)
    optimizer.step()
    assert torch.equal(weight, start)
    assert int(optimizer.state[weight]["step"]) == 1
    optimizer.param_groups[0]["lr"] = 0.1
    weight.grad = torch.ones(6)
    optimizer.step()
    assert weight.isfinite().all()
    assert not torch.equal(weight, start)


def test_adams_stands_still_at_any_gradient() -> None:
    """An infinite gradient enters the moments alone."""
    weight = torch.ones(3, requires_grad=True)
    optimizer = AdamS([weight], lr=0.0, weight_decay=0.1)
    weight.grad = torch.full((3,), torch.inf)
    optimizer.step()
    assert torch.equal(weight, torch.ones(3))


def test_asking_for_its_state_changes_no_weight() -> None:
    """A distributed checkpoint makes a state by one step at a rate of 0 with gradients of 0."""
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 2)
    start = [p.detach().clone() for p in model.parameters()]
    optimizer = AdamS(model.parameters(), lr=1e-3, weight_decay=5e-4)
    state: Any = get_optimizer_state_dict(model, optimizer)
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), start, strict=True))
    assert set(state["state"]["weight"]) >= {"step", "exp_avg", "exp_avg_sq"}
