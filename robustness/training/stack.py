"""Many runs of one seed as one model: their gradients are one `vmap(grad)`, their weights one matrix.

The runs share initial weights and batches; only the update differs, so a stack may mix optimizers. With one CPU thread
a run's outcome is the same to the bit in whatever stack it is trained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.func import functional_call, grad_and_value, vmap

from robustness.training.history import History
from robustness.training.randomness import data_order, initial_model, steps_per_epoch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

    from robustness.optimizers.base import UpdateRule
    from robustness.study import Run

_ALIGNMENT = 64
"""Rows are padded to whole vectors, so that no kernel has a scalar tail whose place depends on the stack's size."""

_EVALUATION_BATCH = 256


def train_stack(runs: Sequence[Run], *, device: str = "cpu", dtype: torch.dtype = torch.float32) -> History:
    """Train `runs`, which share workload and seed, and return their history.

    Raises:
        ValueError: the runs differ in workload or seed.
    """
    workload, seed = runs[0].workload, runs[0].seed
    if any(run.workload != workload or run.seed != seed for run in runs):
        raise ValueError("the runs of a stack share one workload and one seed")
    runs = sorted(runs, key=lambda run: run.optimizer.name + run.optimizer.model_dump_json())
    data = workload.data(seed).to(device, dtype)
    stack = Stack(initial_model(workload, seed).to(device, dtype), runs, device, dtype)
    order = data_order(len(data.train_targets), workload.batch_size, seed)
    steps = steps_per_epoch(len(data.train_targets), workload.batch_size)
    history = History(runs, parameters=stack.size, steps_per_epoch=steps)
    for epoch in range(workload.epochs):
        batches = [batch.to(device) for batch in next(order)]
        factor = workload.schedule.factor(epoch, workload.epochs)
        metrics = stack.train_epoch(data.train_inputs, data.train_targets, batches, factor)
        metrics |= stack.evaluate("test", data.test_inputs, data.test_targets)
        if len(data.validation_targets):
            metrics |= stack.evaluate("validation", data.validation_inputs, data.validation_targets)
        sound = history.record(epoch, stack.rows, metrics)
        if not sound.any():
            break
        if not sound.all():
            stack.keep(np.flatnonzero(sound))
    return history


class Stack:
    """Weights (R, P), buffers and update rules of R runs; row r belongs to run `rows[r]`.

    A stack has at least two rows: a lone run is trained beside a copy of itself, since some kernels
    round differently for a batch of one.
    """

    def __init__(self, model: nn.Module, runs: Sequence[Run], device: str, dtype: torch.dtype) -> None:
        self.model = model
        self.rows = np.arange(len(runs))
        self._shapes = {name: p.shape for name, p in model.named_parameters()}
        self.size = sum(p.numel() for p in model.parameters())
        padding = -self.size % _ALIGNMENT
        self._sizes = [*(p.numel() for p in model.parameters()), padding]
        initial = torch.cat(
            [p.detach().flatten() for p in model.parameters()] + [torch.zeros(padding).to(device, dtype)]
        )
        self.weights = initial.repeat(len(runs), 1)
        self.buffers = {name: b.expand(len(runs), *b.shape).clone() for name, b in model.named_buffers()}
        self.lr = torch.tensor([run.lr for run in runs], dtype=dtype, device=device)
        decay = torch.tensor([run.weight_decay_native for run in runs], dtype=dtype, device=device)
        self._rules: list[tuple[slice, UpdateRule]] = []
        for part in _same_optimizer(runs):
            rule = runs[part.start].optimizer.rule(self.weights[part], decay[part], self.size)
            self._rules.append((part, rule))
        self._gradients = vmap(grad_and_value(self._loss, has_aux=True), in_dims=(0, 0, None, None))
        self._outputs = vmap(self._forward, in_dims=(0, 0, None))
        if len(runs) == 1:
            self.keep(np.zeros(2, dtype=np.int64))

    def train_epoch(
        self, inputs: Tensor, targets: Tensor, batches: Sequence[Tensor], factor: float
    ) -> dict[str, Tensor]:
        """Take one step for each batch at `factor` times the base rates; return (R,) metrics of the epoch."""
        self.model.train()
        start = self.weights.clone()
        lr = self.lr * factor
        loss = wrong = norm = norm_sq = torch.zeros_like(lr)
        for batch in batches:
            x, y = inputs[batch], targets[batch]
            gradient, (batch_loss, outputs) = self._gradients(self.weights, self.buffers, x, y)
            loss = loss + batch_loss * len(batch)
            wrong = wrong + (outputs.argmax(-1) != y).sum(-1)
            square = torch.linalg.vector_norm(gradient, dim=1).square()
            norm, norm_sq = norm + square.sqrt(), norm_sq + square
            for part, rule in self._rules:
                rule.step(gradient[part], lr[part])
        seen = sum(len(batch) for batch in batches)
        return {
            "lr": lr,
            "train_loss": loss / seen,
            "train_error": 100 * wrong / seen,
            "grad_norm": norm / len(batches),
            "grad_norm_sq": norm_sq / len(batches),
            "weight_norm": torch.linalg.vector_norm(self.weights, dim=1),
            "update_norm": torch.linalg.vector_norm(self.weights - start, dim=1),
            "effective_decay": torch.cat([rule.effective_decay for _, rule in self._rules]),
            "root_mean_v": torch.cat([rule.root_mean_v for _, rule in self._rules]),
        }

    @torch.no_grad()
    def evaluate(self, split: str, inputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Return (R,) mean loss and error in percent over a split."""
        self.model.eval()
        loss = wrong = torch.zeros_like(self.lr)
        for x, y in zip(inputs.split(_EVALUATION_BATCH), targets.split(_EVALUATION_BATCH), strict=True):
            outputs = self._outputs(self.weights, self.buffers, x)
            loss = loss + _cross_entropies(outputs, y.expand(len(outputs), -1)).sum(-1)
            wrong = wrong + (outputs.argmax(-1) != y).sum(-1)
        return {f"{split}_loss": loss / len(targets), f"{split}_error": 100 * wrong / len(targets)}

    def keep(self, rows: np.ndarray) -> None:
        """Go on with these rows alone (ascending); a single one is doubled."""
        rows = np.repeat(rows, 2) if len(rows) == 1 else rows
        index = torch.as_tensor(rows, device=self.weights.device)
        self.weights, self.lr = self.weights[index], self.lr[index]
        self.buffers = {name: buffer[index] for name, buffer in self.buffers.items()}
        self.rows = self.rows[rows]
        kept, start = [], 0
        for part, rule in self._rules:
            inside = index[(index >= part.start) & (index < part.stop)] - part.start
            if len(inside):
                now = slice(start, start + len(inside))
                rule.keep(inside, self.weights[now])
                kept.append((now, rule))
                start = now.stop
        self._rules = kept

    def _forward(self, weights: Tensor, buffers: dict[str, Tensor], inputs: Tensor) -> Tensor:
        parts = weights.split(self._sizes)
        parameters = {name: part.view(shape) for (name, shape), part in zip(self._shapes.items(), parts, strict=False)}
        outputs: Tensor = functional_call(self.model, (parameters, buffers), (inputs,))
        return outputs

    def _loss(
        self, weights: Tensor, buffers: dict[str, Tensor], inputs: Tensor, targets: Tensor
    ) -> tuple[Tensor, Tensor]:
        outputs = self._forward(weights, buffers, inputs)
        return _cross_entropies(outputs, targets).mean(), outputs


def _cross_entropies(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return (..., N) of outputs (..., N, C) and class indices (..., N).

    torch's own softmax over the last axis of so few classes takes ten times as long as over the one before it.
    """
    log_probabilities = outputs.transpose(-1, -2).log_softmax(-2)
    return -log_probabilities.gather(-2, targets.unsqueeze(-2)).squeeze(-2)


def _same_optimizer(runs: Sequence[Run]) -> list[slice]:
    """Return the slices of consecutive runs with equal optimizer options."""
    bounds = [i for i in range(1, len(runs)) if runs[i].optimizer != runs[i - 1].optimizer]
    return [slice(a, b) for a, b in zip([0, *bounds], [*bounds, len(runs)], strict=True)]
