"""SGD whose weight decay multiplies the weights apart from the momentum, as `torch.optim.Optimizer`.

Source: Xie, Xu, Zhang, Sato and Sugiyama, On the Overlooked Pitfalls of Weight Decay and How to Mitigate
Them, NeurIPS 2023, Eq. 1, and their published SGDS. With g the gradient:

    theta <- theta (1 - decay)
    b <- mu b + (1 - dampening) g, the first b being g
    theta <- theta - eta b
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, overload

import torch
from torch.optim import Optimizer

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.optim.optimizer import ParamsT


class _DecayThenHeavyBall(Optimizer, ABC):
    """Decay the weights, then step along the momentum buffer of the gradients.

    Args:
        params: Parameters, or dictionaries that define groups; a group may have its own value of each option.
        lr: Learning rate.
        momentum: Factor of the buffer, from 0 to below 1.
        dampening: Share of each gradient but the first that the buffer leaves out, from 0 to below 1.
        weight_decay: The decay's own number; see the subclass.

    Raises:
        ValueError: An option of the constructor is out of range.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 0.1,
        momentum: float = 0.9,
        dampening: float = 0.0,
        *,
        weight_decay: float = 0.0,
    ) -> None:
        for name, value in (("learning rate", lr), ("weight_decay value", weight_decay)):
            if not value >= 0.0:
                raise ValueError(f"Invalid {name}: {value}")
        for name, value in (("momentum", momentum), ("dampening", dampening)):
            if not 0.0 <= value < 1.0:
                raise ValueError(f"Invalid {name} value: {value}")
        options = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        super().__init__(params, options)

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Take one step, and return the loss of `closure` if there is one; parameters without a gradient stay."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.mul_(1 - self._decay(group))
                    p.add_(self._momentum_buffer(p, group), alpha=-group["lr"])
        return loss

    def _momentum_buffer(self, p: torch.Tensor, group: dict[str, Any]) -> torch.Tensor:
        """Return the parameter's buffer after this step's gradient has entered it."""
        state, gradient = self.state[p], p.grad
        assert gradient is not None
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = gradient.clone()
        else:
            state["momentum_buffer"].mul_(group["momentum"]).add_(gradient, alpha=1 - group["dampening"])
        buffer: torch.Tensor = state["momentum_buffer"]
        return buffer

    @abstractmethod
    def _decay(self, group: dict[str, Any]) -> float:
        """Return by what share the step shrinks the weights."""


class VanillaDecaySGD(_DecayThenHeavyBall):
    """SGD with theta <- theta (1 - weight_decay), at any learning rate (Eq. 1)."""

    def _decay(self, group: dict[str, Any]) -> float:
        return float(group["weight_decay"])


class SGDS(_DecayThenHeavyBall):
    """SGD with theta <- theta (1 - lr * weight_decay * (1 - dampening) / (1 - momentum))."""

    def _decay(self, group: dict[str, Any]) -> float:
        return float(group["lr"] * group["weight_decay"] * (1 - group["dampening"]) / (1 - group["momentum"]))
