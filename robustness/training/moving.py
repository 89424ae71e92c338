"""Which parts of a network training moves: torch's optimizers leave alone what needs or gets no gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from robustness.randomness import initial_model, masks
from robustness.training.forward import Forward
from robustness.training.network import Moving, placed
from robustness.training.objective import Objective
from robustness.training.sharpness import begin

if TYPE_CHECKING:
    from torch import nn

    from robustness.workloads import Workload
    from robustness.workloads.data import Batch, Feed


def _moving(objective: Objective, model: nn.Module, batch: Batch) -> Moving:
    """Return which parts of a network move, by the backward pass of one batch; its buffers change."""
    model.train()
    begin(model)
    before = dict(model.named_buffers())
    inputs, targets = batch
    with torch.enable_grad():
        loss = objective.mean_loss(Forward(objective.workload, model, compiled=False)(inputs), targets)
        if loss.requires_grad:
            loss.backward()
    after = dict(model.named_buffers())
    return Moving(
        frozenset(name for name, p in model.named_parameters() if p.requires_grad and p.grad is not None),
        frozenset(name for name, buffer in before.items() if after.get(name) is not buffer),
    )


def moving_parts(workload: Workload, feed: Feed, seed: int, device: str, dtype: torch.dtype) -> Moving:
    """Return which parts of the workload's network move, by a batch of two examples; nothing else notices."""
    with masks(seed, device):
        batch = next(iter(feed.sample(2)))
        model = placed(initial_model(workload, seed), device, dtype)
        return _moving(Objective(workload, feed.gaps), model, batch)
