"""SGD with momentum under three conventions of weight decay: L2, vanilla (Eq. 1), and stable (SGDS).

Source of the update: torch.optim.SGD's documentation (heavy ball, the first buffer being the gradient);
of the decays: Xie, Xu, Zhang, Sato and Sugiyama, On the Overlooked Pitfalls of Weight Decay and How to Mitigate
Them, NeurIPS 2023, Eqs. 1 and 2, and their published SGDS.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from robustness.optimizers.base import BASE_LR_SGD, Beta, Convention, Optimizer, column, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    import torch
    from torch import Tensor

    from robustness.optimizers.torch_sgd import SGDS, VanillaDecaySGD


class MomentumOptions(Optimizer):
    """What all forms of SGD are told alike."""

    takes_groups: ClassVar[bool] = True

    momentum: Beta = Field(0.9, description="Factor of the momentum buffer; 0 is plain SGD.")


class DampenedOptions(MomentumOptions):
    """The options of the forms of SGD that can leave out a share of the gradient."""

    dampening: Beta = Field(0.0, description="Share of each gradient but the first that the buffer leaves out.")

    @model_validator(mode="after")
    def _dampening_has_a_buffer(self) -> Self:
        # torch.optim.SGD ignores it without a buffer: it would make two names for one training.
        if self.dampening and not self.momentum:
            raise ValueError("dampening needs a momentum above 0")
        return self


class HeavyBall:
    """The momentum buffers of R runs, and the step along them.

    Every operation is elementwise over (R, P), so a run's numbers are the same to the bit in any row of any stack, and
    a NaN stays in its row.
    """

    def __init__(
        self,
        weights: Tensor,
        weight_decay: Tensor,
        momentum: float,
        dampening: float = 0.0,
        *,
        nesterov: bool = False,
    ) -> None:
        """Start without buffers; see `UpdateRule` for the shapes."""
        self.weights = weights
        self.weight_decay = weight_decay
        self.momentum = momentum
        self.dampening = dampening
        self.nesterov = nesterov
        self._momentum_buffer: Tensor | None = None

    def descend(self, gradient: Tensor, lr: Tensor) -> None:
        """Take b <- mu b + (1 - dampening) g, then theta <- theta - eta b; with Nesterov, - eta (g + mu b).

        The first b is g, without dampening. `gradient` (R, P) is overwritten, `lr` is (R,).
        """
        if self._momentum_buffer is None:
            self._momentum_buffer = gradient.clone()
        else:
            self._momentum_buffer.mul_(self.momentum).add_(gradient, alpha=1 - self.dampening)
        buffer = self._momentum_buffer
        direction = gradient.add_(buffer, alpha=self.momentum) if self.nesterov else buffer
        self.weights.addcmul_(direction, column(lr), value=-1)

    def keep(self, rows: Tensor, weights: Tensor) -> None:
        """Go on with the runs `rows` alone, whose weights are now `weights`."""
        self.weights = weights
        self.weight_decay = self.weight_decay[rows]
        if self._momentum_buffer is not None:
            self._momentum_buffer = self._momentum_buffer[rows]

    @property
    def root_mean_v(self) -> Tensor:
        """Return (R,) NaN: there is no second moment."""
        return unknown(self.weight_decay)


class SGDRule(HeavyBall):
    """Take g <- g + lambda theta, then the heavy-ball step (Eq. 2 where momentum is 0)."""

    def step(self, gradient: Tensor, lr: Tensor) -> None:
        """Take one step; `gradient` (R, P) is overwritten, `lr` is (R,)."""
        self.descend(gradient.addcmul_(self.weights, column(self.weight_decay)), lr)

    @property
    def effective_decay(self) -> Tensor:
        """Return (R,) NaN: L2 decay passes through the buffer and multiplies no weight."""
        return unknown(self.weight_decay)


class VanillaDecayRule(HeavyBall):
    """Take theta <- theta (1 - lambda'), whatever the learning rate, then the heavy-ball step on g alone (Eq. 1)."""

    def __init__(self, weights: Tensor, weight_decay: Tensor, momentum: float) -> None:
        """Start without buffers; see `UpdateRule` for the shapes."""
        super().__init__(weights, weight_decay, momentum)
        self._effective_decay = weight_decay.new_full(weight_decay.shape, math.nan)

    def step(self, gradient: Tensor, lr: Tensor) -> None:
        """Take one step; `gradient` is (R, P), `lr` is (R,)."""
        self._effective_decay = self.weight_decay / lr
        self.weights.mul_(column(1 - self.weight_decay))
        self.descend(gradient, lr)

    def keep(self, rows: Tensor, weights: Tensor) -> None:
        """Go on with the runs `rows` alone, whose weights are now `weights`."""
        super().keep(rows, weights)
        self._effective_decay = self._effective_decay[rows]

    @property
    def effective_decay(self) -> Tensor:
        """Return (R,): lambda' / eta of the last step; NaN before the first."""
        return self._effective_decay


class SGDSRule(HeavyBall):
    """Take theta <- theta (1 - eta lambda (1 - dampening) / (1 - mu)), then the heavy-ball step on g alone."""

    def step(self, gradient: Tensor, lr: Tensor) -> None:
        """Take one step; `gradient` is (R, P), `lr` is (R,)."""
        self.weights.mul_(column(1 - lr * self.effective_decay))
        self.descend(gradient, lr)

    @property
    def effective_decay(self) -> Tensor:
        """Return (R,): lambda (1 - dampening) / (1 - mu)."""
        return self.weight_decay * ((1 - self.dampening) / (1 - self.momentum))


class SGDOptions(DampenedOptions):
    """SGD, whose weight decay is part of the gradient."""

    convention: ClassVar[Convention] = "l2"

    name: Literal["sgd"] = "sgd"
    nesterov: bool = Field(False, description="Look ahead along the buffer; momentum above 0, no dampening.")

    @model_validator(mode="after")
    def _nesterov_has_momentum(self) -> Self:
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            raise ValueError("nesterov needs a momentum above 0 and no dampening")
        return self

    def rule(self, weights: Tensor, weight_decay: Tensor, size: int) -> SGDRule:  # noqa: ARG002
        """Return the update rule with the run axis."""
        return SGDRule(weights, weight_decay, self.momentum, self.dampening, nesterov=self.nesterov)

    def torch_optimizer(
        self, parameters: Iterable[Tensor] | Iterable[dict[str, Any]], lr: float, weight_decay: float
    ) -> torch.optim.SGD:
        """Return `torch.optim.SGD` with these options."""
        import torch

        return torch.optim.SGD(parameters, lr, self.momentum, self.dampening, weight_decay, self.nesterov)


class SGDEq1Options(MomentumOptions):
    """SGD with vanilla weight decay, Eq. 1: each step multiplies the weights by 1 - lambda', at any learning rate.

    lambda' is lambda times the paper's base learning rate of SGD (0.1). So a run at that rate without momentum is that
    of Eq. 2 until the schedule lowers the rate.
    """

    convention: ClassVar[Convention] = "vanilla"

    name: Literal["sgd-eq1"] = "sgd-eq1"

    def native_weight_decay(self, weight_decay: float) -> float:
        """Return lambda' = lambda * 0.1."""
        return weight_decay * BASE_LR_SGD

    def rule(self, weights: Tensor, weight_decay: Tensor, size: int) -> VanillaDecayRule:  # noqa: ARG002
        """Return the update rule with the run axis."""
        return VanillaDecayRule(weights, weight_decay, self.momentum)

    def torch_optimizer(
        self, parameters: Iterable[Tensor] | Iterable[dict[str, Any]], lr: float, weight_decay: float
    ) -> VanillaDecaySGD:
        """Return `VanillaDecaySGD` with these options."""
        from robustness.optimizers.torch_sgd import VanillaDecaySGD

        return VanillaDecaySGD(parameters, lr, self.momentum, weight_decay=weight_decay)


class SGDSOptions(DampenedOptions):
    """SGDS, SGD with stable weight decay: the decay multiplies the weights by a constant of the momentum.

    The convention is "decoupled", for decay acts on the weights at the rate eta and there is no schedule in it; but
    the optimizer is given lambda itself, as L2 is, and not AdamW's lambda / 1e-3.
    """

    convention: ClassVar[Convention] = "decoupled"

    name: Literal["sgds"] = "sgds"

    def native_weight_decay(self, weight_decay: float) -> float:
        """Return lambda itself."""
        return weight_decay

    def effective_decay(self, weight_decay: float, lr: float, root_mean_v: Tensor) -> float:  # noqa: ARG002
        """Return lambda (1 - dampening) / (1 - mu)."""
        return weight_decay * ((1 - self.dampening) / (1 - self.momentum))

    def rule(self, weights: Tensor, weight_decay: Tensor, size: int) -> SGDSRule:  # noqa: ARG002
        """Return the update rule with the run axis."""
        return SGDSRule(weights, weight_decay, self.momentum, self.dampening)

    def torch_optimizer(
        self, parameters: Iterable[Tensor] | Iterable[dict[str, Any]], lr: float, weight_decay: float
    ) -> SGDS:
        """Return `SGDS` with these options."""
        from robustness.optimizers.torch_sgd import SGDS

        return SGDS(parameters, lr, self.momentum, self.dampening, weight_decay=weight_decay)
