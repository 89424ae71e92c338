"""AdaBound: Adam with each weight's learning rate held between bounds that close on that of SGD, with L2 decay.

Source: Luo, Xiong, Liu and Sun, Adaptive Gradient Methods with Dynamic Bound of Learning Rate, ICLR 2019,
Algorithm 2, with the bounds and the constants of pytorch_optimizer.AdaBound.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from robustness.optimizers.adam import AdamRule, MomentOptions
from robustness.optimizers.base import column

if TYPE_CHECKING:
    from collections.abc import Iterable

    import torch
    from torch import Tensor

    from robustness.optimizers.base import Convention

_UNDER_THE_ROOT = 1e-15
"""Added to v by the library; it weighs more than eps where v is 0, so it must be here for equal numbers."""


class AdaBoundRule(AdamRule):
    """Take Adam's moments of g + lambda theta, then theta <- theta - clip(a_t / (sqrt(v) + eps), low, high) * m.

    With a_t = eta sqrt(1 - beta2^t) / (1 - beta1^t) and the final rate f, scaled as the schedule scales eta:
    low = f (1 - 1 / (gamma t + 1)) and high = f (1 + 1 / (gamma t)). f does not depend on the base rate, which is that
    of the run: a warm-up scales f as any other part of the schedule does.
    """

    def __init__(self, weights: Tensor, weight_decay: Tensor, size: int, options: AdaBoundOptions) -> None:
        """Start at zero moments; see `UpdateRule` for the shapes."""
        super().__init__(weights, weight_decay, size, options)
        self.final_lr = options.final_lr
        self.gamma = options.gamma
        self._base_lr: Tensor | None = None

    def take_base_rates(self, lr: Tensor) -> None:
        """Learn the base rates (R,); where nobody tells them, the rates of the first step stand for them."""
        self._base_lr = lr.clone()

    def descend(self, lr: Tensor) -> None:
        """Take the bounded step."""
        import torch

        if self._base_lr is None:
            self._base_lr = lr.clone()
        final = self.final_lr * lr / self._base_lr
        low = final * (1 - 1 / (self.gamma * self.steps + 1))
        high = final * (1 + 1 / (self.gamma * self.steps))
        scale = math.sqrt(self._correction2) / self._correction1
        denominator = torch.add(self.v, _UNDER_THE_ROOT, out=self._workspace).sqrt_().add_(self.eps)
        rate = torch.div(column(lr * scale), denominator, out=self._workspace)
        self.weights.addcmul_(rate.clamp_(column(low), column(high)), self.m, value=-1)

    def keep(self, rows: Tensor, weights: Tensor) -> None:
        """Go on with the runs `rows` alone, whose weights are now `weights`."""
        super().keep(rows, weights)
        if self._base_lr is not None:
            self._base_lr = self._base_lr[rows]


class AdaBoundOptions(MomentOptions):
    """AdaBound, whose weight decay is part of the gradient."""

    convention: ClassVar[Convention] = "l2"

    name: Literal["adabound"] = "adabound"
    final_lr: float = Field(0.1, gt=0, description="Learning rate on which the bounds close, before the schedule.")
    gamma: float = Field(1e-3, gt=0, description="How fast the bounds close, per step.")

    def version_under(self, engine: str, first_factor: float) -> int:
        """Return 2 for a stack that begins with a warm-up: in version 1 its bounds closed on another rate."""
        return 2 if engine == "stack" and first_factor != 1 else super().version_under(engine, first_factor)

    def rule(self, weights: Tensor, weight_decay: Tensor, size: int) -> AdaBoundRule:
        """Return the update rule with the run axis."""
        return AdaBoundRule(weights, weight_decay, size, self)

    def torch_optimizer(
        self, parameters: Iterable[Tensor] | Iterable[dict[str, Any]], lr: float, weight_decay: float
    ) -> torch.optim.Optimizer:
        """Return `pytorch_optimizer.AdaBound` with these options."""
        from pytorch_optimizer import AdaBound

        optimizer: torch.optim.Optimizer = AdaBound(
            parameters,
            lr,
            self.final_lr,
            self.betas,
            self.gamma,
            weight_decay,
            weight_decouple=False,
            eps=self.eps,
        )
        return optimizer
