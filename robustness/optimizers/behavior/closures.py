"""Which optimizers ask for a closure, such as LBFGS and SAM: a step without one is tried once."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from robustness.optimizers.behavior.problem import StepError, problem_of
from robustness.optimizers.registry import OPTIMIZERS

if TYPE_CHECKING:
    from robustness.optimizers.base import Optimizer
    from robustness.optimizers.behavior.stepping import Way


@lru_cache(maxsize=64)
def way_of(optimizer: Optimizer) -> Way:
    """Return what a step of `optimizer` asks for; gradients where no step can be taken on small tensors."""
    if optimizer.name in OPTIMIZERS.own:
        return "gradient"
    try:
        return problem_of(optimizer).way
    except StepError:
        return "gradient"
