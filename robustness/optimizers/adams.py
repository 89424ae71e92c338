"""AdamS: weight decay on a schedule that the gradient norm sets (stable weight decay, SWD).

Source: Xie, Xu, Zhang, Sato and Sugiyama, On the Overlooked Pitfalls of Weight Decay and How to Mitigate
Them, NeurIPS 2023, Eq. 9 and Algorithm 2. `torch_adams.AdamS` is the same as a `torch.optim.Optimizer`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from robustness.optimizers.adam import AdamLikeOptions, AdamMoments
from robustness.optimizers.base import column, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from robustness.optimizers.base import Convention
    from robustness.optimizers.torch_adams import AdamS


class AdamSRule(AdamMoments):
    """Take theta <- theta (1 - eta lambda / sqrt(v-bar)), then the Adam step on g alone.

    v-bar is the mean of v / (1 - beta2^t) over all parameters of a run; with amsgrad, of v's running maximum.
    Where gradients vanish, eta lambda / sqrt(v-bar) grows past 2 and the decay itself diverges. That is the
    algorithm: nothing is clamped.
    """

    def __init__(self, weights: Tensor, weight_decay: Tensor, size: int, options: AdamSOptions) -> None:
        """Start at zero moments; see `UpdateRule` for the shapes."""
        super().__init__(weights, weight_decay, size, options)
        self._undecayed = weight_decay == 0
        self._root_mean_v = unknown(weight_decay)
        self._effective_decay = weight_decay.new_full(weight_decay.shape, math.nan)

    def step(self, gradient: Tensor, lr: Tensor) -> None:
        """Take one step; `gradient` is (R, P), `lr` is (R,)."""
        self.update_moments(gradient)
        self._root_mean_v = super().root_mean_v
        # Without gradients v-bar is 0; a run without weight decay must not get 0 / 0 from it.
        root: Tensor = self._root_mean_v if self.weight_decay.dim() == 1 else column(self._root_mean_v)
        self._effective_decay = (self.weight_decay / root).masked_fill_(self._undecayed, 0.0)
        # At a learning rate of 0 nothing is decayed, not even by the infinite decay where gradients are 0.
        self.weights.mul_(column(1 - (lr * self._effective_decay).masked_fill_(lr == 0, 0.0)))
        self.descend(lr)

    def keep(self, rows: Tensor, weights: Tensor) -> None:
        """Go on with the runs `rows` alone, whose weights are now `weights`."""
        super().keep(rows, weights)
        self._undecayed = self._undecayed[rows]
        self._root_mean_v = self._root_mean_v[rows]
        self._effective_decay = self._effective_decay[rows]

    @property
    def root_mean_v(self) -> Tensor:
        """Return (R,): sqrt(v-bar) of the last step; NaN before the first."""
        return self._root_mean_v

    @property
    def effective_decay(self) -> Tensor:
        """Return (R,): lambda / sqrt(v-bar) of the last step; NaN before the first."""
        return self._effective_decay


class AdamSOptions(AdamLikeOptions):
    """AdamS, whose weight decay is divided by the root mean square of the gradients."""

    convention: ClassVar[Convention] = "scheduled"

    name: Literal["adams"] = "adams"

    def rule(self, weights: Tensor, weight_decay: Tensor, size: int) -> AdamSRule:
        """Return the update rule with the run axis."""
        return AdamSRule(weights, weight_decay, size, self)

    def torch_optimizer(
        self, parameters: Iterable[Tensor] | Iterable[dict[str, Any]], lr: float, weight_decay: float
    ) -> AdamS:
        """Return `AdamS` with these options."""
        from robustness.optimizers.torch_adams import AdamS

        return AdamS(parameters, lr, self.betas, self.eps, weight_decay=weight_decay, amsgrad=self.amsgrad)
