"""SGD with decay apart from the momentum: its torch form against the equations, and Eq. 1 against Eq. 2."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from robustness.optimizers.torch_sgd import SGDS
from tests.support.optimizer_cases import CASES, make
from tests.support.rule_cases import GRID, SIZE, padded, train


@pytest.mark.parametrize(("name", "options"), [case for case in CASES if case[0] in ("sgd-eq1", "sgds")])
def test_our_torch_forms_equal_their_equations(name: str, options: dict[str, Any]) -> None:
    momentum, dampening = options.get("momentum", 0.9), options.get("dampening", 0.0)
    for lr, decay in GRID:
        parameter = torch.nn.Parameter(padded(1)[0, :SIZE].clone())
        idle = torch.nn.Parameter(torch.ones(2))
        optimizer = make(name, options).torch_optimizer([parameter, idle], lr, decay)
        theta, buffer = parameter.detach().numpy().copy(), np.zeros(SIZE)
        for step in range(50):
            rate = lr * 0.9**step
            optimizer.param_groups[0]["lr"] = rate
            g = padded(1, seed=step)[0, :SIZE]
            parameter.grad = g.clone()
            optimizer.step()
            g_ = g.numpy()
            theta = theta * (1 - (decay if name == "sgd-eq1" else rate * decay * (1 - dampening) / (1 - momentum)))
            buffer = g_ if step == 0 else momentum * buffer + (1 - dampening) * g_
            theta = theta - rate * buffer
        np.testing.assert_allclose(parameter.detach().numpy(), theta, rtol=1e-10, atol=1e-12)
        assert torch.equal(idle.detach(), torch.ones(2))


def test_vanilla_decay_equals_coupled_decay_at_the_base_learning_rate_only() -> None:
    weights = [padded(2), padded(2)]
    for name, each in zip(("sgd", "sgd-eq1"), weights, strict=True):
        options = make(name, {"momentum": 0})
        train(options, each, [0.1, 0.01], [options.native_weight_decay(0.2)] * 2, 20)
    torch.testing.assert_close(weights[0][0], weights[1][0], rtol=1e-12, atol=1e-14)
    assert (weights[0][1] - weights[1][1]).abs().max() > 1e-2


@pytest.mark.parametrize("options", [{"lr": -1.0}, {"momentum": 1.0}, {"dampening": -0.1}, {"weight_decay": math.nan}])
def test_our_torch_forms_refuse_options_out_of_range(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"Invalid {next(iter(options)).replace('lr', 'learning rate')}"):
        SGDS([torch.nn.Parameter(torch.ones(2))], **options)


def test_our_torch_forms_return_the_loss_of_a_closure() -> None:
    parameter = torch.nn.Parameter(torch.ones(2))
    optimizer = make("sgds", {}).torch_optimizer([parameter], 0.1, 0.0)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = parameter.square().sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).detach() == 2
    torch.testing.assert_close(parameter.detach(), torch.full((2,), 0.8))
