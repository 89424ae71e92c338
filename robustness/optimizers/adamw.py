"""AdamW: weight decay apart from the gradient.

Source: Loshchilov and Hutter, Decoupled Weight Decay Regularization, ICLR 2019; Eq. 8 of Xie et al., On the
Overlooked Pitfalls of Weight Decay and How to Mitigate Them, NeurIPS 2023.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from robustness.optimizers.adam import AdamLikeOptions, AdamMoments
from robustness.optimizers.base import column

if TYPE_CHECKING:
    from collections.abc import Iterable

    import torch
    from torch import Tensor

    from robustness.optimizers.base import Convention


class AdamWRule(AdamMoments):
    """Take theta <- theta (1 - eta lambda), then the Adam step on g alone."""

    def step(self, gradient: Tensor, lr: Tensor) -> None:
        """Take one step; `gradient` is (R, P), `lr` is (R,)."""
        self.update_moments(gradient)
        self.weights.mul_(column(1 - lr * self.weight_decay))
        self.descend(lr)

    @property
    def effective_decay(self) -> Tensor:
        """Return (R,): lambda itself, as the optimizer is given it."""
        return self.weight_decay


class AdamWOptions(AdamLikeOptions):
    """AdamW, whose weight decay multiplies the weights."""

    convention: ClassVar[Convention] = "decoupled"

    name: Literal["adamw"] = "adamw"

    def rule(self, weights: Tensor, weight_decay: Tensor, size: int) -> AdamWRule:
        """Return the update rule with the run axis."""
        return AdamWRule(weights, weight_decay, size, self)

    def torch_optimizer(
        self, parameters: Iterable[Tensor] | Iterable[dict[str, Any]], lr: float, weight_decay: float
    ) -> torch.optim.AdamW:
        """Return `torch.optim.AdamW` with these options."""
        import torch

        return torch.optim.AdamW(parameters, lr, self.betas, self.eps, weight_decay=weight_decay, amsgrad=self.amsgrad)
