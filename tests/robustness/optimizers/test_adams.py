"""`AdamS` as a `torch.optim.Optimizer`: its arithmetic against plain NumPy and another library."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import pytorch_optimizer
import torch

from robustness.optimizers import AdamS
from tests.support.adams_cases import (
    GROUPS,
    as_tensor_lr,
    build,
    draw,
    gradients_of,
    parameters_of,
    scale_lr,
    set_gradients,
)
from tests.support.reference_optimizers import Group, Parameter, Reference


@pytest.mark.slow
@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize(
    "options", [{}, {"foreach": False}, {"capturable": True}, {"maximize": True}, {"lr": "tensor"}]
)
def test_equals_numpy_over_1000_steps(options: dict[str, Any], amsgrad: bool) -> None:
    options = dict(options)
    tensor_lr = options.pop("lr", None)
    optimizer = build(amsgrad=amsgrad, **options)
    if tensor_lr:
        as_tensor_lr(optimizer)
    groups = [Group([Parameter(t.numpy()) for t in row], **group) for row, group in zip(draw(0), GROUPS, strict=True)]
    reference = Reference("adams", groups, amsgrad)
    for step in range(1000):
        set_gradients(optimizer, step, -1 if options.get("maximize") else 1)
        scale_lr(optimizer, step)
        optimizer.step()
        for group, now in zip(groups, optimizer.param_groups, strict=True):
            group.lr = float(now["lr"])
        reference.step([[None if g is None else g.numpy() for g in row] for row in gradients_of(step)])
        np.testing.assert_allclose(optimizer.root_mean_v, reference.root_mean_v, rtol=1e-12)
    values = [parameter.value for group in groups for parameter in group.parameters]
    for p, value in zip(parameters_of(optimizer), values, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), value, rtol=1e-10, atol=1e-10)
    expected = [group.weight_decay / reference.root_mean_v for group in groups]
    np.testing.assert_allclose(torch.stack(optimizer.effective_decay), expected, rtol=1e-12)


@pytest.mark.parametrize("amsgrad", [False, True])
def test_equals_pytorch_optimizer_but_for_its_eps_on_v_bar(amsgrad: bool) -> None:
    """Its decay is lambda / (sqrt(v-bar) + eps); with given gradients both paths are linear in theta.

    So they differ at most by the sum over steps of eta lambda (1/r - 1/(r + eps)) |theta|, r = sqrt(v-bar),
    for the decay factors that follow are below 1.
    """
    eps, lr, decay = 1e-4, 1e-2, 5e-2
    ours, theirs = ([torch.nn.Parameter(t) for row in draw(0) for t in row] for _ in range(2))
    mine = AdamS(ours, lr, eps=eps, weight_decay=decay, amsgrad=amsgrad)
    other = pytorch_optimizer.AdamS(theirs, lr, eps=eps, weight_decay=decay, ams_bound=amsgrad)
    bound = 0.0
    for step in range(500):
        gradients = [0.3 * t for row in draw(100 + step) for t in row]
        for a, b, gradient in zip(ours, theirs, gradients, strict=True):
            a.grad, b.grad = gradient.clone(), gradient.clone()
        largest = max(float(b.detach().abs().max()) for b in theirs)
        mine.step()
        other.step()
        root = float(mine.root_mean_v)
        bound += lr * decay * (1 / root - 1 / (root + eps)) * largest
    difference = max(float((a - b).detach().abs().max()) for a, b in zip(ours, theirs, strict=True))
    assert 1e-3 * bound < difference <= bound + 1e-12
    assert bound < 1e-3
