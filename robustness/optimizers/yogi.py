"""Yogi: Adam whose second moment moves towards g^2 by a step that does not depend on their distance, with L2 decay.

Source: Zaheer, Reddi, Sachan, Kale and Kumar, Adaptive Methods for Nonconvex Optimization, NeurIPS 2018,
Algorithm 2, with the bias correction and the initial moments of pytorch_optimizer.Yogi.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from robustness.optimizers.adam import AdamRule, MomentOptions

if TYPE_CHECKING:
    from collections.abc import Iterable

    import torch
    from torch import Tensor

    from robustness.optimizers.base import Convention


class YogiRule(AdamRule):
    """Take v <- v - (1 - beta2) sign(v - g^2) g^2, with g <- g + lambda theta before, then the Adam step."""

    def __init__(self, weights: Tensor, weight_decay: Tensor, size: int, options: YogiOptions) -> None:
        """Start both moments at `initial_accumulator`; see `UpdateRule` for the shapes."""
        super().__init__(weights, weight_decay, size, options)
        # Not in the padding, whose weights a first moment other than 0 would move.
        self.m[:, :size] = options.initial_accumulator
        self.v[:, :size] = options.initial_accumulator

    def update_moments(self, gradient: Tensor) -> None:
        """Average g, and move v by (1 - beta2) g^2 towards g^2; `gradient` is overwritten."""
        import torch

        self.steps += 1
        self.m.lerp_(gradient, 1 - self.beta1)
        square = gradient.mul_(gradient)
        towards = torch.sub(self.v, square, out=self._workspace).sign_()
        self.v.addcmul_(towards, square, value=-(1 - self.beta2))


class YogiOptions(MomentOptions):
    """Yogi, whose weight decay is part of the gradient."""

    convention: ClassVar[Convention] = "l2"

    name: Literal["yogi"] = "yogi"
    eps: float = Field(1e-3, gt=0, description="Added to the square root of the second moment.")
    initial_accumulator: float = Field(1e-6, ge=0, description="Value at which both moments start.")

    def rule(self, weights: Tensor, weight_decay: Tensor, size: int) -> YogiRule:
        """Return the update rule with the run axis."""
        return YogiRule(weights, weight_decay, size, self)

    def torch_optimizer(
        self, parameters: Iterable[Tensor] | Iterable[dict[str, Any]], lr: float, weight_decay: float
    ) -> torch.optim.Optimizer:
        """Return `pytorch_optimizer.Yogi` with these options."""
        from pytorch_optimizer import Yogi

        optimizer: torch.optim.Optimizer = Yogi(
            parameters,
            lr,
            self.betas,
            self.initial_accumulator,
            weight_decay,
            weight_decouple=False,
            eps=self.eps,
        )
        return optimizer
