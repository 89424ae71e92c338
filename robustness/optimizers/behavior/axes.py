"""Which parameters follow a study's axes: some optimizers take other rates for vectors, or none that they are given."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import torch

from robustness.optimizers.behavior.problem import DECAY, Setting, problem_of
from robustness.optimizers.imported import TorchOptimizer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from robustness.optimizers.base import Optimizer


@lru_cache(maxsize=256)
def remarks(optimizer: Optimizer) -> tuple[str, ...]:
    """Return sentences on what of `optimizer` does not follow the learning rate, the weight decay or its own options.

    Raises:
        StepError: no step can be taken.
    """
    return tuple(_remarks(optimizer))


def _remarks(optimizer: Optimizer) -> Iterator[str]:
    problem = problem_of(optimizer)
    usual = problem.trajectory(optimizer, Setting())
    still = _alike(usual[:1], usual[-1:])
    faster = problem.trajectory(optimizer, Setting(lr=2 * Setting.lr))
    deaf = [index for index in _alike(usual, faster) if index not in still]
    if deaf:
        yield f"the steps of {_shapes(problem.shapes, deaf)} do not follow `lr`"
    decayed = problem.trajectory(optimizer, Setting(weight_decay=DECAY))
    if idle := _alike(usual, decayed):
        yield f"{_shapes(problem.shapes, idle)} feel nothing of `weight_decay`"
    if missing := _documented(optimizer, problem.missing_keys(optimizer)):
        keys = ", ".join(f"`{each}`" for each in missing)
        yield f"its groups of parameters may have {keys}, and a plain list of them has none: that part of it is off"


def _documented(optimizer: Optimizer, keys: set[str]) -> list[str]:
    """Return those of the `keys` that the class tells its users of; others are for its own base classes."""
    told = isinstance(optimizer, TorchOptimizer) and optimizer.torch_class().__doc__
    return sorted(key for key in keys if told and re.search(rf"\b{re.escape(key)}\b", told))


def _alike(one: list[list[Tensor]], other: list[list[Tensor]]) -> list[int]:
    """Return which parameters take the same path twice."""
    return [
        index
        for index in range(len(one[0]))
        if all(torch.equal(mine[index], theirs[index]) for mine, theirs in zip(one, other, strict=True))
    ]


def _shapes(shapes: tuple[tuple[int, ...], ...], places: list[int]) -> str:
    if len(places) == len(shapes):
        return "all parameters"
    dimensions = sorted({len(shapes[place]) for place in places})
    return f"parameters of {' and '.join(map(str, dimensions))} dimension{'s' * (dimensions != [1])}"
