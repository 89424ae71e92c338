"""Padam: Adam whose denominator is raised to a power between that of SGD (0) and that of Adam (1), with L2 decay.

Source: Chen, Zhou, Tang, Yang, Cao and Gu, Closing the Generalization Gap of Adaptive Gradient Methods in
Training Deep Neural Networks, IJCAI 2020, Algorithm 1, but, as in pytorch_optimizer.PAdam, with bias
correction and without AMSGrad's maximum.
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


class PadamRule(AdamRule):
    """Take Adam's moments of g + lambda theta, then a step along m / (sqrt(v) + eps)^(2p)."""

    def __init__(self, weights: Tensor, weight_decay: Tensor, size: int, options: PadamOptions) -> None:
        """Start at zero moments; see `UpdateRule` for the shapes."""
        super().__init__(weights, weight_decay, size, options)
        self._exponent = 2 * options.partial

    def descend(self, lr: Tensor) -> None:
        """Take theta <- theta - eta sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + eps)^(2p)."""
        import torch

        denominator = torch.sqrt(self.v, out=self._workspace).add_(self.eps).pow_(self._exponent)
        direction = torch.div(self.m, denominator, out=self._workspace)
        # Outside the power, as the library has it: the correction is as large as Adam's whatever p is.
        scale = math.sqrt(self._correction2) / self._correction1
        self.weights.addcmul_(direction, column(lr * scale), value=-1)


class PadamOptions(MomentOptions):
    """Padam, whose weight decay is part of the gradient."""

    convention: ClassVar[Convention] = "l2"

    name: Literal["padam"] = "padam"
    partial: float = Field(0.125, gt=0, le=0.5, description="p in v^p: 1/2 is Adam, towards 0 is SGD with momentum.")

    def rule(self, weights: Tensor, weight_decay: Tensor, size: int) -> PadamRule:
        """Return the update rule with the run axis."""
        return PadamRule(weights, weight_decay, size, self)

    def torch_optimizer(
        self, parameters: Iterable[Tensor] | Iterable[dict[str, Any]], lr: float, weight_decay: float
    ) -> torch.optim.Optimizer:
        """Return `pytorch_optimizer.PAdam` with these options."""
        from pytorch_optimizer import PAdam

        optimizer: torch.optim.Optimizer = PAdam(
            parameters, lr, self.betas, self.partial, weight_decay, weight_decouple=False, eps=self.eps
        )
        return optimizer
