"""A step of an optimizer of torch's kind, as its class asks for it: its modes, and its closure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

Way = Literal["gradient", "closure", "gradient and closure"]
"""What a step asks for: gradients that are there; a closure that computes them, as LBFGS does; or both, as SAM does."""


def has_modes(optimizer: torch.optim.Optimizer) -> bool:
    """Whether an optimizer trains at one point and is evaluated at another, as schedule-free ones do."""
    return callable(getattr(optimizer, "train", None)) and callable(getattr(optimizer, "eval", None))


def to_training(optimizer: torch.optim.Optimizer) -> None:
    """Put an optimizer that has modes in that of training."""
    if has_modes(optimizer):
        optimizer.train()  # type: ignore[attr-defined]


def to_evaluation(optimizer: torch.optim.Optimizer) -> None:
    """Put an optimizer that has modes in that of evaluation: the weights are then those that it stands for."""
    if has_modes(optimizer):
        optimizer.eval()  # type: ignore[attr-defined]


def step(optimizer: torch.optim.Optimizer, way: Way, gradients: Callable[[], Tensor]) -> None:
    """Take a step.

    Args:
        optimizer: whose parameters move.
        way: what it asks for.
        gradients: computes the gradients anew where the parameters are, and returns the loss.
    """
    if way != "closure":
        gradients()
    if way == "gradient":
        optimizer.step()
    else:
        optimizer.step(_enabled(gradients))  # type: ignore[arg-type]


def _enabled(gradients: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """Return a closure that computes gradients also where an optimizer has forbidden them around its step."""

    def closure() -> Tensor:
        with torch.enable_grad():
            return gradients()

    return closure
