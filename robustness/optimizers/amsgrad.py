"""AMSGrad under its own name: Adam that divides by the running maximum of the second moment, with L2 decay.

Source: Reddi, Kale and Kumar, On the Convergence of Adam and Beyond, ICLR 2018, Algorithm 2, in torch.optim's
order: the maximum is taken of the uncorrected second moment, and its bias is corrected afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from robustness.optimizers.adam import AdamRule, MomentOptions

if TYPE_CHECKING:
    from collections.abc import Iterable

    import torch
    from torch import Tensor

    from robustness.optimizers.base import Convention


class AMSGradOptions(MomentOptions):
    """AMSGrad, whose weight decay is part of the gradient: the same trainings as Adam's with `amsgrad`."""

    convention: ClassVar[Convention] = "l2"

    name: Literal["amsgrad"] = "amsgrad"

    @property
    def keeps_largest_v(self) -> bool:
        """Return True."""
        return True

    def rule(self, weights: Tensor, weight_decay: Tensor, size: int) -> AdamRule:
        """Return the update rule with the run axis."""
        return AdamRule(weights, weight_decay, size, self)

    def torch_optimizer(
        self, parameters: Iterable[Tensor] | Iterable[dict[str, Any]], lr: float, weight_decay: float
    ) -> torch.optim.Adam:
        """Return `torch.optim.Adam` with `amsgrad` and these options."""
        import torch

        return torch.optim.Adam(parameters, lr, self.betas, self.eps, weight_decay=weight_decay, amsgrad=True)
