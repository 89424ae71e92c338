"""Any `torch.optim.Optimizer` in a study: its import string, how its weight decay acts, and its keyword arguments."""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Any

from pydantic import Field

from robustness.optimizers.base import Convention, Optimizer
from robustness.parameters.keywords import Keywords

if TYPE_CHECKING:
    from collections.abc import Iterable

    import torch
    from torch import Tensor


class TorchOptimizer(Optimizer):
    """A `torch.optim.Optimizer` under its import string. It has no update rule: its workload's engine is `single`."""

    name: str = Field(description="Where it is imported from: package.module:Class.")
    # The convention of the others is that of their class; pydantic takes a field in place of a class variable.
    convention: Convention = Field(  # type: ignore[misc]
        description="How its weight decay acts, which nothing in its code says reliably."
    )
    options: Keywords = Field(Keywords({}), description="Its keyword arguments but for lr and weight_decay.")
    decay_scale: float | None = Field(
        None, gt=0, description="What it is given is the common weight decay times this; 1000 if decoupled, else 1."
    )

    def native_weight_decay(self, weight_decay: float) -> float:
        """Return the common weight decay times `decay_scale`, or what is usual for the convention."""
        if self.decay_scale is None:
            return super().native_weight_decay(weight_decay)
        return weight_decay * self.decay_scale

    @property
    def takes_lr(self) -> bool:
        """Whether the class has such an argument; one that wants groups may take it of them alone."""
        return "lr" in inspect.signature(self.torch_class()).parameters

    @property
    def takes_weight_decay(self) -> bool:
        """Whether the class has such an argument: LBFGS and Rprop have none."""
        parameters = inspect.signature(self.torch_class()).parameters.values()
        return any(each.name == "weight_decay" or each.kind is each.VAR_KEYWORD for each in parameters)

    def torch_class(self) -> type[torch.optim.Optimizer]:
        """Return the class; its module must be importable."""
        module, _, name = self.name.partition(":")
        found: type[torch.optim.Optimizer] = getattr(importlib.import_module(module), name)
        return found

    def torch_optimizer(
        self, parameters: Iterable[Tensor] | Iterable[dict[str, Any]], lr: float, weight_decay: float
    ) -> torch.optim.Optimizer:
        """Return an instance of the class with these options.

        Raises:
            ValueError: the class takes no weight decay, and is to have one.
        """
        made: Any = self.torch_class()
        given: dict[str, Any] = dict(self.options)
        if self.takes_lr:
            given["lr"] = lr
        if self.takes_weight_decay:
            given["weight_decay"] = weight_decay
        elif weight_decay and self.takes_lr:
            raise ValueError(f"{self.name} takes no weight decay, got {weight_decay:g}")
        optimizer: torch.optim.Optimizer = made(parameters, **given)
        return optimizer
