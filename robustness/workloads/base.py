"""What a workload is: data, a model, a budget and a learning-rate schedule.

This module and the options of every workload load without torch, so that a study is read and checked in
a moment; torch is imported where a model or tensors are made.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

if TYPE_CHECKING:
    from typing import Self

    from torch import Tensor, nn

Engine = Literal["stack", "single"]


class Model(BaseModel):
    """A pydantic model that refuses unknown keys and does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class StepSchedule(Model):
    """The learning rate is multiplied by `gamma` when a milestone's share of the epochs has passed."""

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

    def factor(self, epoch: int, epochs: int) -> float:
        """Return what the base learning rate is multiplied by in `epoch` (counted from 0)."""
        # The small slack keeps a share such as 0.1 of 30 from being missed by its last bit.
        passed = sum(epoch >= share * epochs - 1e-9 for share in self.milestones)
        return float(self.gamma**passed)


class ConstantSchedule(Model):
    """The learning rate stays as it is."""

    kind: Literal["constant"] = "constant"

    def factor(self, epoch: int, epochs: int) -> float:  # noqa: ARG002
        """Return 1."""
        return 1.0


Schedule = Annotated[StepSchedule | ConstantSchedule, Field(discriminator="kind")]


@dataclass(frozen=True)
class Data:
    """Train, validation and test tensors of one seed; the first axis counts examples."""

    train_inputs: Tensor
    train_targets: Tensor
    validation_inputs: Tensor
    validation_targets: Tensor
    test_inputs: Tensor
    test_targets: Tensor

    def to(self, device: str, dtype: object = None) -> Data:
        """Return the same data on `device`, its inputs as `dtype` if one is given."""
        return Data(
            **{
                name: value.to(device, dtype) if dtype and name.endswith("inputs") else value.to(device)
                for name, value in vars(self).items()
            }
        )


class Workload(Model):
    """A training task with its options as fields; every field is part of a run's identity.

    A subclass gives its name as a `Literal` field and implements `data` and `model`. `version` goes up
    when its arithmetic changes, so that old rows are not taken for new ones.
    """

    version: ClassVar[int] = 1
    classes: ClassVar[int]

    name: str
    epochs: PositiveInt = 20
    batch_size: Annotated[int, Field(ge=2, description="Examples a step; the last, partial batch is kept.")] = 64
    schedule: Schedule = StepSchedule()
    engine: Engine = Field("stack", description="`stack` trains many runs as one model, `single` one by one.")

    @property
    def chance_error(self) -> float:
        """Error of guessing, in percent."""
        return 100.0 * (1 - 1 / self.classes)

    @property
    def has_validation(self) -> bool:
        """Whether examples are held out to choose by."""
        return True

    @abstractmethod
    def data(self, seed: int) -> Data:
        """Return the splits of `seed`."""

    @abstractmethod
    def model(self) -> nn.Module:
        """Return a freshly initialized network; it draws from torch's global generator."""
