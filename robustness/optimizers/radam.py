"""RAdam: Adam whose step is rectified while the second moment rests on few gradients, with L2 decay.

Source: Liu, Jiang, He, Chen, Liu, Gao and Han, On the Variance of the Adaptive Learning Rate and Beyond,
ICLR 2020, Algorithm 2, with the threshold (5) and the eps of torch.optim.RAdam.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from robustness.optimizers.adam import AdamRule, MomentOptions
from robustness.optimizers.base import column

if TYPE_CHECKING:
    from collections.abc import Iterable

    import torch
    from torch import Tensor

    from robustness.optimizers.base import Convention


class RAdamRule(AdamRule):
    """Take g <- g + lambda theta and the moments as Adam does, then the rectified step.

    With rho_inf = 2 / (1 - beta2) - 1 and rho_t = rho_inf - 2 t beta2^t / (1 - beta2^t), the step is
    m-hat * r_t sqrt(1 - beta2^t) / (sqrt(v) + eps) where rho_t > 5, and m-hat alone before.
    """

    def descend(self, lr: Tensor) -> None:
        """Take the step along the first moment, divided by the second where its variance is bounded."""
        import torch

        rho_inf = 2 / (1 - self.beta2) - 1
        rho = rho_inf - 2 * self.steps * self.beta2**self.steps / self._correction2
        if rho <= 5:
            self.weights.addcmul_(self.m, column(lr / self._correction1), value=-1)
            return
        rectification = math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
        denominator = torch.sqrt(self.v, out=self._workspace).add_(self.eps)
        direction = torch.div(self.m, denominator, out=self._workspace)
        scale = rectification * math.sqrt(self._correction2) / self._correction1
        self.weights.addcmul_(direction, column(lr * scale), value=-1)


class RAdamOptions(MomentOptions):
    """RAdam, whose weight decay is part of the gradient."""

    convention: ClassVar[Convention] = "l2"

    name: Literal["radam"] = "radam"

    def rule(self, weights: Tensor, weight_decay: Tensor, size: int) -> RAdamRule:
        """Return the update rule with the run axis."""
        return RAdamRule(weights, weight_decay, size, self)

    def torch_optimizer(
        self, parameters: Iterable[Tensor] | Iterable[dict[str, Any]], lr: float, weight_decay: float
    ) -> torch.optim.RAdam:
        """Return `torch.optim.RAdam` with these options."""
        import torch

        return torch.optim.RAdam(parameters, lr, self.betas, self.eps, weight_decay=weight_decay)
