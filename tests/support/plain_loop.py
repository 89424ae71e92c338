"""Training as one would write it in torch, of any workload: what both engines are held against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from robustness.randomness import data_order, initial_model, masks

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from robustness.study import Run


@dataclass
class Plain:
    """What a plain loop ends with."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    loss: float
    error: float
    weight_norm: float


def plain_loop(
    run: Run,
    examples: int,
    batch: Callable[[str, Any], tuple[Any, Any]],
    *,
    loss: Callable[[Any, Any], torch.Tensor],
    error: Callable[[Any, Any], torch.Tensor],
    call: Callable[[Any, Any], Any] = lambda model, inputs: model(inputs),
    dtype: torch.dtype = torch.float64,
) -> Plain:
    """Train a run.

    Args:
        run: its workload's network, seed and epochs; its optimizer, at constant rate.
        examples: to train on.
        batch: of a split and indices (None: all of them), inputs and targets.
        loss: the mean loss of a batch, from outputs and targets.
        error: its error, 0 to 1.
        call: of the network and inputs, its outputs.
        dtype: of its real weights.
    """
    model = initial_model(run.workload, run.seed)
    for p in model.parameters():
        p.data = p.data.to(dtype) if p.is_floating_point() else p.data
    for module in model.modules():
        module._buffers |= {
            n: b.to(dtype) for n, b in module._buffers.items() if b is not None and b.is_floating_point()
        }

    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = run.optimizer.torch_optimizer(trainable, run.lr, run.weight_decay_native)
    order = data_order(examples, run.workload.batch_size, run.seed)
    with masks(run.seed, "cpu"):
        for _ in range(run.workload.epochs):
            model.train()
            for indices in next(order):
                inputs, targets = batch("train", indices)
                optimizer.zero_grad()
                loss(call(model, inputs), targets).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                inputs, targets = batch("test", None)
                outputs = call(model, inputs)
    norm = torch.cat([p.detach().abs().flatten() for p in trainable]).norm()
    return Plain(model, optimizer, float(loss(outputs, targets)), 100 * float(error(outputs, targets)), float(norm))
