"""Optimizers as people write them: with modes, with a closure, with a state of more than tensors."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.optim import Optimizer

if TYPE_CHECKING:
    from collections.abc import Callable


class Averaged(Optimizer):
    """SGD whose evaluated weights are the mean of all so far; its own attribute says which of the two stand there.

    Attributes:
        calls: what it was told, in order.
    """

    calls: list[str]

    def __init__(self, params: Any, lr: float = 0.1, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})
        self.training_weights = False
        self.calls = []

    def _exchange(self, training: bool) -> None:
        if training != self.training_weights:
            for p in (p for group in self.param_groups for p in group["params"] if "mean" in self.state[p]):
                p.data, self.state[p]["mean"] = self.state[p]["mean"], p.data
        self.training_weights = training

    def train(self) -> None:
        """Put the weights that are stepped in place."""
        self.calls.append("train")
        self._exchange(True)

    def eval(self) -> None:
        """Put the mean in place."""
        self.calls.append("eval")
        self._exchange(False)

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Step, and average."""
        if not self.training_weights:
            raise RuntimeError("call train() first")
        self.calls.append("step")
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                p.mul_(1 - group["lr"] * group["weight_decay"]).add_(p.grad, alpha=-group["lr"])
                state["count"] = state.get("count", 0) + 1
                state.setdefault("mean", p.detach().clone()).lerp_(p, 1 / state["count"])


class Sharp(Optimizer):
    """Sharpness-aware SGD: a step up along the gradients that are there, and one down by those of a closure."""

    def __init__(self, params: Any, lr: float = 0.1, weight_decay: float = 0.0, rho: float = 0.05) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "rho": rho})

    @torch.no_grad()
    def step(self, closure: Callable[[], torch.Tensor] | None = None) -> None:  # type: ignore[override]
        """Take the two steps."""
        assert closure is not None, "a closure is needed"
        held = [(group, p) for group in self.param_groups for p in group["params"]]
        norm = torch.stack([p.grad.norm() for _, p in held]).norm()
        ups = [group["rho"] * p.grad / norm for group, p in held]
        for (_, p), up in zip(held, ups, strict=True):
            p.add_(up)
        closure()
        for (group, p), up in zip(held, ups, strict=True):
            p.sub_(up)
            p.sub_(group["lr"] * (p.grad + group["weight_decay"] * p))


class Queued(Optimizer):
    """SGD along the mean of the last three gradients, with a switch, a NumPy counter and a generator of its own."""

    def __init__(self, params: Any, lr: float = 0.1, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})
        self.sign = 1.0
        self.generator = torch.Generator().manual_seed(3)

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Step; every other one with a little noise."""
        self.sign = -self.sign
        noise = 1e-3 * torch.rand((), generator=self.generator) if self.sign > 0 else 0.0
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                state.setdefault("last", deque(maxlen=3)).append(p.grad.clone())
                state["steps"] = state.get("steps", np.zeros(2, np.int64)) + 1
                mean = torch.stack(list(state["last"])).mean(0)
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.sub_(group["lr"] / float(state["steps"][0]) ** 0.1 * (mean + noise))


class Secretive(Optimizer):
    """SGD that keeps its momentum in a place that no state dictionary has."""

    def __init__(self, params: Any, lr: float = 0.1, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})
        self.momenta = [torch.zeros_like(p) for group in self.param_groups for p in group["params"]]

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Step along the momentum."""
        for group in self.param_groups:
            for p, momentum in zip(group["params"], self.momenta, strict=True):
                momentum.mul_(0.9).add_(p.grad).add_(p, alpha=group["weight_decay"])
                p.sub_(group["lr"] * momentum)


class Noting(Optimizer):
    """SGD that writes a file where it works at each step."""

    def __init__(self, params: Any, lr: float = 0.1, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Step, and write."""
        with Path("steps.txt").open("a", encoding="utf-8") as file:
            file.write("step\n")
        for group in self.param_groups:
            for p in group["params"]:
                p.mul_(1 - group["weight_decay"]).sub_(group["lr"] * p.grad)


class TwoRates(Optimizer):
    """SGD whose vectors have a rate of their own and no decay; its groups may be `frozen`."""

    def __init__(self, params: Any, lr: float = 0.1, weight_decay: float = 0.0, lr_1d: float = 0.01) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "lr_1d": lr_1d})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Step what is in no frozen group."""
        for group in self.param_groups:
            for p in () if group.get("frozen") else group["params"]:
                decay = group["weight_decay"] if p.dim() > 1 else 0.0
                p.sub_((group["lr"] if p.dim() > 1 else group["lr_1d"]) * (p.grad.sign() + decay * p))
