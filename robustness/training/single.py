"""One run, any model and any `torch.optim` optimizer: the plain loop, and what the stack is tested against."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from robustness.training.history import History
from robustness.training.randomness import data_order, initial_model, steps_per_epoch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torch import Tensor, nn

    from robustness.study import Run
    from robustness.workloads import Workload


@cache
def warm_up(workload: Workload) -> None:
    """Load the data and step torch.optim once: a process's first time costs seconds, which no run is to bear."""
    workload.data(0)
    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.Adam([weight])
    weight.sum().backward()
    optimizer.step()


def train_single(run: Run, *, device: str = "cpu", dtype: torch.dtype = torch.float32) -> History:
    """Train one run and return its history."""
    workload = run.workload
    data = workload.data(run.seed).to(device, dtype)
    model = initial_model(workload, run.seed).to(device, dtype)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = run.optimizer.torch_optimizer(parameters, lr=run.lr, weight_decay=run.weight_decay_native)
    order = data_order(len(data.train_targets), workload.batch_size, run.seed)
    steps = steps_per_epoch(len(data.train_targets), workload.batch_size)
    history = History([run], parameters=sum(p.numel() for p in parameters), steps_per_epoch=steps)

    for epoch in range(workload.epochs):
        batches = [batch.to(device) for batch in next(order)]
        lr = run.lr * workload.schedule.factor(epoch, workload.epochs)
        for group in optimizer.param_groups:
            group["lr"] = lr
        start = [p.detach().clone() for p in parameters]
        metrics = {
            "lr": torch.tensor(lr),
            **_train_epoch(model, optimizer, data.train_inputs, data.train_targets, batches),
            "weight_norm": _norm(parameters),
            "update_norm": _norm(p - q for p, q in zip(parameters, start, strict=True)),
            **_schedule(optimizer, run),
            **_evaluate(model, "test", data.test_inputs, data.test_targets),
        }
        if len(data.validation_targets):
            metrics |= _evaluate(model, "validation", data.validation_inputs, data.validation_targets)
        if not history.record(epoch, np.array([0]), {name: value.reshape(1) for name, value in metrics.items()})[0]:
            break
    return history


def _train_epoch(
    model: nn.Module, optimizer: torch.optim.Optimizer, inputs: Tensor, targets: Tensor, batches: Sequence[Tensor]
) -> dict[str, Tensor]:
    model.train()
    losses, wrongs, norms = [], [], []
    for batch in batches:
        outputs = model(inputs[batch])
        loss = functional.cross_entropy(outputs, targets[batch])
        optimizer.zero_grad()
        loss.backward()
        norms.append(_norm(p.grad for p in model.parameters() if p.grad is not None))
        optimizer.step()
        losses.append(loss.detach() * len(batch))
        wrongs.append((outputs.argmax(-1) != targets[batch]).sum())
    seen, norm = sum(len(batch) for batch in batches), torch.stack(norms)
    return {
        "train_loss": torch.stack(losses).sum() / seen,
        "train_error": 100 * torch.stack(wrongs).sum() / seen,
        "grad_norm": norm.mean(),
        "grad_norm_sq": norm.square().mean(),
    }


def _norm(tensors: Iterable[Tensor]) -> Tensor:
    norm: Tensor = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(t.detach()) for t in tensors]))
    return norm


@torch.no_grad()
def _evaluate(model: nn.Module, split: str, inputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
    model.eval()
    outputs = model(inputs)
    error = 100 * (outputs.argmax(-1) != targets).double().mean()
    return {f"{split}_loss": functional.cross_entropy(outputs, targets), f"{split}_error": error}


def _schedule(optimizer: torch.optim.Optimizer, run: Run) -> dict[str, Tensor]:
    """Return the root of the mean bias-corrected second moment and the effective decay after the last step."""
    total, count = torch.zeros((), dtype=torch.float64), 0
    for group in optimizer.param_groups:
        for p in group["params"]:
            state: dict[str, Any] = optimizer.state.get(p, {})
            if "exp_avg_sq" in state:
                second = state.get("max_exp_avg_sq", state["exp_avg_sq"])
                # torch.optim counts steps for each parameter, pytorch_optimizer for each group.
                steps = float(state["step"] if "step" in state else group["step"])
                total += second.double().sum().cpu() / (1 - group["betas"][1] ** steps)
                count += p.numel()
    root = (total / count).sqrt() if count else torch.tensor(torch.nan)
    lr = float(optimizer.param_groups[0]["lr"])
    decay = run.optimizer.effective_decay(run.weight_decay_native, lr, root)
    return {"root_mean_v": root, "effective_decay": torch.as_tensor(decay)}
