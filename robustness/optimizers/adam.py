"""Adam with L2 weight decay, and the moments that Adam, AdamW and AdamS share.

Source of the update: Kingma and Ba, Adam: A Method for Stochastic Optimization, ICLR 2015, Algorithm 1;
of `amsgrad`: Reddi, Kale and Kumar, On the Convergence of Adam and Beyond, ICLR 2018, in torch.optim's order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from robustness.optimizers.base import Beta, Convention, Optimizer, column, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable

    import torch
    from torch import Tensor


class MomentOptions(Optimizer):
    """What all optimizers with two moments are told alike."""

    takes_groups: ClassVar[bool] = True

    betas: tuple[Beta, Beta] = Field((0.9, 0.999), description="Decay rates of the two moments.")
    eps: float = Field(1e-8, gt=0, description="Added to the square root of the second moment.")

    @property
    def keeps_largest_v(self) -> bool:
        """Return whether the running maximum of the second moment stands in for it."""
        return False


class AdamLikeOptions(MomentOptions):
    """What Adam, AdamW and AdamS are told alike."""

    amsgrad: bool = Field(False, description="Divide by the running maximum of the second moment.")

    @property
    def keeps_largest_v(self) -> bool:
        """Return `amsgrad`."""
        return self.amsgrad


class AdamMoments:
    """The state of R runs of an Adam-like optimizer, and the step it takes along -m / (sqrt(v) + eps).

    Every operation is elementwise over (R, P), or a sum along a row in an order that P alone decides. So a
    run's numbers are the same to the bit in any row of any stack, and a NaN stays in its row.
    """

    WORKSPACE = ("_workspace",)

    def __init__(self, weights: Tensor, weight_decay: Tensor, size: int, options: MomentOptions) -> None:
        """Start at zero moments; see `UpdateRule` for the shapes."""
        self.weights = weights
        self.weight_decay = weight_decay
        self.size = size
        self.beta1, self.beta2 = options.betas
        self.eps = options.eps
        self.steps = 0
        self.m = weights.new_zeros(weights.shape)
        self.v = weights.new_zeros(weights.shape)
        self.largest_v = weights.new_zeros(weights.shape) if options.keeps_largest_v else None
        self._workspace = weights.new_empty(weights.shape)

    def update_moments(self, gradient: Tensor) -> None:
        """Average g and g^2: m <- beta1 m + (1 - beta1) g,  v <- beta2 v + (1 - beta2) g^2."""
        import torch

        self.steps += 1
        self.m.lerp_(gradient, 1 - self.beta1)
        self.v.mul_(self.beta2).addcmul_(gradient, gradient, value=1 - self.beta2)
        if self.largest_v is not None:
            torch.maximum(self.largest_v, self.v, out=self.largest_v)

    def descend(self, lr: Tensor) -> None:
        """Take theta <- theta - eta / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + eps)."""
        import torch

        # Numerator and denominator are both multiplied by sqrt(1 - beta2^t): one pass over the weights less.
        scale = math.sqrt(self._correction2)
        denominator = torch.sqrt(self._divisor, out=self._workspace).add_(self.eps * scale)
        direction = torch.div(self.m, denominator, out=self._workspace)
        self.weights.addcmul_(direction, column(lr * (scale / self._correction1)), value=-1)

    def keep(self, rows: Tensor, weights: Tensor) -> None:
        """Go on with the runs `rows` alone, whose weights are now `weights`."""
        self.weights = weights
        self.weight_decay = self.weight_decay[rows]
        self.m, self.v = self.m[rows], self.v[rows]
        if self.largest_v is not None:
            self.largest_v = self.largest_v[rows]
        self._workspace = weights.new_empty(weights.shape)

    @property
    def root_mean_v(self) -> Tensor:
        """Return (R,): the root of the mean of v / (1 - beta2^t) over a run; NaN before the first step."""
        if not self.steps:
            return unknown(self.weight_decay)
        # The padding adds 0 to the sum and must not count in the mean.
        return self._divisor.sum(dim=1).div_(self.size * self._correction2).sqrt_()

    @property
    def _divisor(self) -> Tensor:
        return self.v if self.largest_v is None else self.largest_v

    @property
    def _correction1(self) -> float:
        return 1 - self.beta1**self.steps

    @property
    def _correction2(self) -> float:
        return 1 - self.beta2**self.steps


class AdamRule(AdamMoments):
    """Take g <- g + lambda theta before the moments, then the Adam step."""

    def step(self, gradient: Tensor, lr: Tensor) -> None:
        """Take one step; `gradient` (R, P) is overwritten, `lr` is (R,)."""
        gradient.addcmul_(self.weights, column(self.weight_decay))
        self.update_moments(gradient)
        self.descend(lr)

    @property
    def effective_decay(self) -> Tensor:
        """Return (R,) NaN: L2 decay passes through the moments and multiplies no weight."""
        return unknown(self.weight_decay)


class AdamOptions(AdamLikeOptions):
    """Adam, whose weight decay is part of the gradient."""

    convention: ClassVar[Convention] = "l2"

    name: Literal["adam"] = "adam"

    def rule(self, weights: Tensor, weight_decay: Tensor, size: int) -> AdamRule:
        """Return the update rule with the run axis."""
        return AdamRule(weights, weight_decay, size, self)

    def torch_optimizer(
        self, parameters: Iterable[Tensor] | Iterable[dict[str, Any]], lr: float, weight_decay: float
    ) -> torch.optim.Adam:
        """Return `torch.optim.Adam` with these options."""
        import torch

        return torch.optim.Adam(parameters, lr, self.betas, self.eps, weight_decay=weight_decay, amsgrad=self.amsgrad)
