"""What an optimizer is to a study: a decay convention, options, an update rule and a torch optimizer.

Loads without torch: a study is read and checked in a moment.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Protocol, runtime_checkable

from pydantic import Field

from robustness.options import LATER, Named
from robustness.parameters.groups import DecayOn, Group
from robustness.schedules import Schedule

if TYPE_CHECKING:
    from collections.abc import Iterable

    import torch
    from torch import Tensor

    from robustness.parameters.parameter_layout import Layout

Convention = Literal["l2", "decoupled", "scheduled", "vanilla"]
"""Where weight decay acts: on the gradient, or on the weights by 1 - eta lambda, by a schedule, or without eta."""

Beta = Annotated[float, Field(ge=0, lt=1)]

BASE_LR = 1e-3
"""The paper's base learning rate of Adam-like optimizers; it gives AdamW lambda / BASE_LR."""

BASE_LR_SGD = 0.1
"""The paper's base learning rate of SGD; it gives vanilla decay lambda * BASE_LR_SGD."""


class UpdateRule(Protocol):
    """One optimizer's arithmetic for R runs at once, each with its own learning rate and weight decay.

    Made from an optimizer's options by `Optimizer.rule(weights, weight_decay, size)`:
    `weights` (R, P) is one row a run, changed in place; `weight_decay` (R,) is the optimizer's own number;
    the first `size` <= P columns of a row are parameters, the rest is padding that stays 0.

    Where parameters have factors on the study's rates, weight decays and learning rates are (R, P), a number for each
    weight (`column` makes a factor of either), and so may the effective decay be; only a class whose options say
    `takes_groups` is given such.

    Its attributes are what a checkpoint has of it, but for `weights` and those that a class lists as `WORKSPACE`:
    numbers, texts, None, tensors without dimensions, and tensors whose first axis is the runs.
    """

    def step(self, gradient: Tensor, lr: Tensor) -> None:
        """Take one step.

        Args:
            gradient: (R, P), of the loss alone. Not kept; may be overwritten.
            lr: (R,), the scheduled learning rate of this step, in the weights' dtype.
        """

    def keep(self, rows: Tensor, weights: Tensor) -> None:
        """Go on with the runs `rows` (an index tensor) alone, whose weights are now `weights`."""

    @property
    def effective_decay(self) -> Tensor:
        """Return (R,): d in w <- w (1 - lr d) of the last step; NaN where decay does not act so (L2)."""

    @property
    def root_mean_v(self) -> Tensor:
        """Return (R,): the root of the mean bias-corrected second moment over all parameters; NaN without one."""


@runtime_checkable
class TakesBaseRates(Protocol):
    """A rule that is told the base learning rates; `step` is given them only as the schedule scales them."""

    def take_base_rates(self, lr: Tensor) -> None:
        """Learn the base rates, (R,) in the weights' dtype, once before the first step."""


@runtime_checkable
class TakesLayout(Protocol):
    """A rule that is told what the columns of a row are."""

    def take_layout(self, layout: Layout) -> None:
        """Learn the pieces of a row, once before the first step."""


def column(values: Tensor) -> Tensor:
    """Return numbers of runs (R,) as a column (R, 1), which multiplies rows; numbers of weights (R, P) as they are."""
    return values[:, None] if values.dim() == 1 else values


def unknown(values: Tensor) -> Tensor:
    """Return (R,) NaN of the runs that `values`, (R,) or (R, P), are of."""
    return values.new_full(values.shape[:1], math.nan)


class Optimizer(Named):
    """An optimizer's options as fields; every field is part of a run's identity.

    Attributes:
        takes_groups: Whether its update rule takes rates of (R, P); see `UpdateRule`.
    """

    convention: ClassVar[Convention]
    version: ClassVar[int] = 1
    takes_groups: ClassVar[bool] = False

    name: str
    schedule: Annotated[Schedule | None, LATER] = Field(
        None, description="Its own learning-rate schedule, in place of the workload's."
    )
    decay_on: Annotated[DecayOn, LATER] = Field(
        "all", description="What decays: all parameters, or matrices (of two dimensions or more) alone."
    )
    groups: Annotated[tuple[Group, ...], LATER] = Field(
        (), description="Parameters with factors on the study's rates; the first group that has one counts."
    )

    def native_weight_decay(self, weight_decay: float) -> float:
        """Turn a weight decay of the study's common scale into the number that the optimizer is given."""
        return weight_decay / BASE_LR if self.convention == "decoupled" else weight_decay

    def effective_decay(self, weight_decay: float, lr: float, root_mean_v: Tensor) -> float | Tensor:
        """Return d in w <- w (1 - lr d) of a step of the torch form; NaN where decay does not act so (L2).

        Args:
            weight_decay: the optimizer's own number.
            lr: the scheduled learning rate of the step, above 0.
            root_mean_v: a tensor without dimensions, as `UpdateRule.root_mean_v` has it for one run.
        """
        if self.convention == "l2":
            return math.nan
        if self.convention == "vanilla":
            return weight_decay / lr
        if self.convention == "decoupled" or not weight_decay:
            return weight_decay
        return weight_decay / root_mean_v

    def version_under(self, engine: str, first_factor: float) -> int:  # noqa: ARG002
        """Return the version of its arithmetic in a run, which enters the run's identity.

        A class raises `version` where the outcome of its runs changes; here, where that of some of them does.

        Args:
            engine: what trains the run, `stack` or `single`.
            first_factor: what the run's schedule multiplies the base rate by in the first epoch; 1 without a warm-up.
        """
        return type(self).version

    @property
    def is_grouped(self) -> bool:
        """Whether its parameters are not all alike."""
        return bool(self.groups) or self.decay_on != "all"

    @property
    def stackable(self) -> bool:
        """Whether it has an update rule with the run axis, which the engine `stack` needs."""
        return type(self).rule is not Optimizer.rule

    def rule(self, weights: Tensor, weight_decay: Tensor, size: int) -> UpdateRule:
        """Return the update rule with the run axis.

        Raises:
            NotImplementedError: it has none; then the engine of its workload is `single`.
        """
        raise NotImplementedError(f"{self.name} has no update rule with a run axis: its workload's engine is `single`")

    @abstractmethod
    def torch_optimizer(
        self, parameters: Iterable[Tensor] | Iterable[dict[str, Any]], lr: float, weight_decay: float
    ) -> torch.optim.Optimizer:
        """Return the `torch.optim` form; `weight_decay` is the optimizer's own number."""
