"""The convention of an optimizer's weight decay: found where a study leaves it out, and checked where it says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness.optimizers.behavior.decay import ALL, action_of
from robustness.optimizers.behavior.problem import StepError
from robustness.optimizers.imported import TorchOptimizer
from robustness.parameters.keywords import Keywords

if TYPE_CHECKING:
    from collections.abc import Iterator

    from robustness.optimizers.base import Convention, Optimizer

SWITCHES = ("weight_decouple", "decoupled_weight_decay", "decoupled_decay", "decouple", "fixed_decay")
"""Keyword arguments by which common packages choose how weight decay acts."""


class ConventionError(Exception):
    """How a weight decay acts can't be found; `str()` says why, and to write it."""


def found_convention(optimizer: TorchOptimizer) -> Convention:
    """Return how the weight decay of `optimizer` acts; of several that agree the likeliest.

    Raises:
        ConventionError: it can't be found.
    """
    if not optimizer.takes_weight_decay:
        return ALL[0]
    try:
        action = action_of(optimizer)
    except StepError as failure:
        raise ConventionError(f"is missing, and is not to be found by a step: {failure}") from None
    if not action.conventions:
        raise ConventionError(f"is missing: say which of {', '.join(ALL)} it is taken for, for {action.words}")
    return action.conventions[0]


def misstated(optimizer: Optimizer) -> str | None:
    """Return what is wrong with the convention that is said of `optimizer`; None where nothing is, or none can tell."""
    if isinstance(optimizer, TorchOptimizer) and not optimizer.takes_weight_decay:
        return None
    try:
        action = action_of(optimizer)
    except StepError:  # the network's own parameters will say it better
        return None
    if not action.conventions or optimizer.convention in action.conventions:
        return None
    says, does = optimizer.convention, " or ".join(action.conventions)
    hint = "".join(f", or give it `options: {{{words}}}`" for words in _switches(optimizer))
    instead = f"write `convention: {action.conventions[0]}`{hint}"
    return f"is {says}, but in steps of {optimizer.name} weight decay acts as {does}: {instead}"


def _switches(optimizer: Optimizer) -> Iterator[str]:
    """Yield options that make what is said of `optimizer` true."""
    if not isinstance(optimizer, TorchOptimizer):
        return
    for name in SWITCHES:
        for value in (True, False):
            told = optimizer.model_copy(update={"options": Keywords({**optimizer.options, name: value})})
            try:
                conventions = action_of(told).conventions
            except StepError:
                continue
            if optimizer.convention in conventions and conventions != ALL:
                yield f"{name}: {str(value).lower()}"
                return
