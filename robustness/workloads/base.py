"""What a workload is: data, a model, a budget and a learning-rate schedule.

This module and the options of every workload load without torch, so that a study is read and checked in
a moment; torch is imported where a model or tensors are made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, cast

from pydantic import Field, PositiveInt, create_model, model_validator

from robustness.options import ELSEWHERE, LATER, Named
from robustness.schedules import Schedule, StepSchedule
from robustness.workloads.data import Data, Feed, TensorFeed
from robustness.workloads.hessian_options import HessianOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Self

    import torch
    from torch import Tensor, nn

__all__ = ["Data", "Engine", "Feed", "Workload"]

Engine = Literal["stack", "single"]

Precision = Literal["float32", "bfloat16"]

SMOKE_EPOCHS = 2

TWO_CLASSES = (
    "a network of one logit tells two classes apart and has `classes = 2`; for a regression, leave `classes` out and"
    " give the error of a guess, in percent, as `chance_error`"
)
"""What to write in the place of fewer than two classes."""


class Workload(Named):
    """A training task with its options as fields; every field is part of a run's identity, but for marked ones.

    A subclass gives `classes` and implements `model` and `data`, or `feed` where tensors that lie on the device as a
    whole won't do. `version` goes up when its arithmetic changes, so that old rows are not taken for new ones.
    """

    version: ClassVar[int] = 1
    classes: ClassVar[int]

    name: str
    label: Annotated[str | None, ELSEWHERE] = Field(
        None, min_length=1, max_length=64, description="Its name in tables and figures, where a study has several."
    )
    epochs: PositiveInt = 20
    batch_size: Annotated[int, Field(ge=2, description="Examples a step; the last, partial batch is kept.")] = 64
    schedule: Schedule = StepSchedule()
    engine: Engine = Field("stack", description="`stack` trains many runs as one model, `single` one by one.")
    clip: Annotated[float | None, LATER] = Field(
        None, gt=0, description="Greatest 2-norm of a step's gradient, which is scaled down to it; none if absent."
    )
    hessian: Annotated[HessianOptions | None, LATER] = Field(
        None, description="Eigenvalues and trace of the loss's Hessian, costly and measured on request."
    )

    precision: Annotated[Precision, LATER] = Field(
        "float32",
        description="`bfloat16` lets the network run in it where torch's autocast does, faster on a GPU;"
        " weights, gradients and losses stay in float32.",
    )
    compiled: Annotated[bool, LATER] = Field(
        False, description="Compile the step by torch.compile: a minute at first, then faster on a GPU."
    )

    @model_validator(mode="after")
    def _outlasts_its_warmup(self) -> Self:
        if self.schedule.warmup >= self.epochs:
            raise ValueError(f"schedule.warmup must be less than epochs, got {self.schedule.warmup} of {self.epochs}")
        return self

    @model_validator(mode="after")
    def _can_be_guessed(self) -> Self:
        """Refuse what no run could be better than: an error of chance of nothing."""
        own_chance = type(self).chance_error is not Workload.chance_error
        if not own_chance and hasattr(self, "classes"):
            classes = self.classes
            if isinstance(classes, bool) or not isinstance(classes, int) or classes < 2:
                raise ValueError(f"`classes` must be a whole number, at least 2, got {classes!r}: {TWO_CLASSES}")
        return self

    @property
    def title(self) -> str:
        """What tables and figures call it."""
        return self.label or self.name

    @property
    def chance_error(self) -> float:
        """Error of guessing, in percent."""
        return 100.0 * (1 - 1 / self.classes)

    @property
    def has_validation(self) -> bool:
        """Whether examples are held out to choose by."""
        return True

    def fetch(self) -> None:
        """Make sure that the data are on this machine, from the network if need be.

        Raises:
            robustness.workloads.DataError: they are absent and cannot be fetched, or they are damaged.
        """

    def data(self, seed: int) -> Data:
        """Return the splits of `seed`."""
        raise NotImplementedError(f"{type(self).__name__} has neither data nor a feed of its own (seed {seed})")

    def feed(self, seed: int, device: str, dtype: torch.dtype) -> Feed:
        """Return the batches of `seed` on `device`, real inputs as `dtype`."""
        return TensorFeed(self.data(seed), self.batch_size, seed, device, dtype)

    def model(self) -> nn.Module:
        """Return a freshly initialized network; it draws from torch's global generator.

        A network with a `reset` method is told so at the start of each pass over a split.
        """
        raise NotImplementedError(f"{type(self).__name__} has no model")

    def parameter_groups(self, model: nn.Module) -> Iterable[Mapping[str, Any]] | None:  # noqa: ARG002
        """Return groups of the parameters of `model` for all optimizers; None where they are alike.

        Each group has `params`, and at will `lr_factor` and `weight_decay_factor` on the study's rates, and what an
        optimizer's class asks of a group, such as `use_muon`. An entry with `groups` or `decay_on` has its own instead.
        """
        return None

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each target, in nats: the cross-entropy.

        Args:
            outputs: (..., C) unnormalized log-probabilities.
            targets: (...) class indices.
        """
        from torch.nn import functional

        flat = functional.cross_entropy(outputs.flatten(0, -2), targets.flatten(), reduction="none")
        return flat.view(targets.shape)

    def errors(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return (...) the error of each target, 0 to 1: whether the most probable class is another."""
        return outputs.argmax(-1) != targets

    def smoke(self) -> Self:
        """Return the smallest version of this workload that still goes all the way: to see that it works at all."""
        changes: dict[str, object] = {"epochs": min(self.epochs, SMOKE_EPOCHS)}
        if self.hessian is not None:
            changes["hessian"] = self.hessian.smoke()
        return self.model_copy(update=changes)


def altered(workload: Workload, methods: Mapping[str, Callable[..., Any]], **options: Any) -> Workload:
    """Return a workload of the same title with other methods and options, none of which is checked.

    Args:
        workload: stays as it is.
        methods: by name; each is given the altered workload first.
        options: in place of the workload's own.
    """
    kind = type(workload)
    # A name without a colon is that of a class of this project alone.
    name = workload.name if ":" in workload.name else f"{kind.__module__}:{kind.__qualname__}"
    made: Any = create_model(kind.__name__, __base__=kind, name=(str, name))
    for each, method in methods.items():
        setattr(made, each, method)
    given = {field: getattr(workload, field) for field in kind.model_fields}
    given |= {"name": name, "label": workload.title}
    return cast("Workload", made.model_construct(**given | options))
