"""Learning-rate schedules: what the base learning rate is multiplied by in each epoch.

The rate stays the same within an epoch. The cosines are those of `torch.optim.lr_scheduler`'s CosineAnnealingLR and
CosineAnnealingWarmRestarts, stepped once an epoch. Source: Loshchilov and Hutter, SGDR: Stochastic Gradient Descent
with Warm Restarts, ICLR 2017, Eq. 5.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from robustness.options import LATER, Model

if TYPE_CHECKING:
    from typing import Self

_Floor = Annotated[float, Field(ge=0, le=1, description="Least learning rate, as a share of the base rate.")]


class WarmedUp(Model):
    """A schedule that may begin with a linear warm-up."""

    warmup: Annotated[int, LATER] = Field(
        0, ge=0, description="Epochs of linear warm-up: of 4, they run at 1/5, 2/5, 3/5 and 4/5 of the base rate."
    )

    def factor(self, epoch: int, epochs: int) -> float:
        """Return what the base learning rate is multiplied by in `epoch` (counted from 0) of `epochs`.

        In the warm-up that is (epoch + 1) / (warmup + 1). After it the schedule begins.
        """
        if epoch < self.warmup:
            return (epoch + 1) / (self.warmup + 1)
        return self._warm(epoch, epochs)

    @abstractmethod
    def _warm(self, epoch: int, epochs: int) -> float:
        """Return the factor in an epoch after the warm-up, counted, as `epochs` is, with the warm-up."""


class ConstantSchedule(WarmedUp):
    """The learning rate stays as it is."""

    kind: Literal["constant"] = "constant"

    def _warm(self, epoch: int, epochs: int) -> float:  # noqa: ARG002
        return 1.0


class StepSchedule(WarmedUp):
    """The learning rate is multiplied by `gamma` when a milestone's share of the epochs has passed.

    The milestones are shares of the whole training: a warm-up does not move them.
    """

    kind: Literal["step"] = "step"
    milestones: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        (0.4, 0.8), description="Shares of the epochs; the paper's 80 and 160 of 200 are 0.4 and 0.8."
    )
    gamma: float = Field(0.1, gt=0, le=1, description="Factor at each milestone.")

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError("milestones must ascend without repetition")
        return self

    def _warm(self, epoch: int, epochs: int) -> float:
        # The small slack keeps a share such as 0.1 of 30 from being missed by its last bit.
        passed = sum(epoch >= share * epochs - 1e-9 for share in self.milestones)
        return float(self.gamma**passed)


class CosineSchedule(WarmedUp):
    """The learning rate falls along half a cosine, to end at `floor` after the last epoch."""

    kind: Literal["cosine"] = "cosine"
    floor: _Floor = 0.0

    def _warm(self, epoch: int, epochs: int) -> float:
        return _annealed(epoch - self.warmup, epochs - self.warmup, self.floor)


class CosineRestartsSchedule(WarmedUp):
    """The learning rate falls along half a cosine and restarts, each cycle `t_mult` times as long as the last.

    The paper's 210 epochs are the four whole cycles 14 + 28 + 56 + 112. A training that ends within a cycle
    ends above `floor`. After a warm-up the first cycle begins.
    """

    kind: Literal["cosine_restarts"] = "cosine_restarts"
    t0: int = Field(14, ge=1, description="Epochs of the first cycle.")
    t_mult: int = Field(2, ge=1, description="How many times as long each cycle is as the one before it.")
    floor: _Floor = 0.0

    def _warm(self, epoch: int, epochs: int) -> float:  # noqa: ARG002
        since, cycle = epoch - self.warmup, self.t0
        while since >= cycle:
            since, cycle = since - cycle, cycle * self.t_mult
        return _annealed(since, cycle, self.floor)


Schedule = Annotated[
    StepSchedule | ConstantSchedule | CosineSchedule | CosineRestartsSchedule, Field(discriminator="kind")
]


def _annealed(epoch: int, epochs: int, floor: float) -> float:
    return floor + (1 - floor) * (1 + math.cos(math.pi * epoch / epochs)) / 2
