"""A cell as Optuna sees it: the logarithms of its numbers, or their places in a list."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import optuna

if TYPE_CHECKING:
    import numpy as np

    from robustness.study import Axis

ZERO_SHARE = 0.1
"""Part of the weight-decay axis, below its least value, that stands for no weight decay at all."""


class Cell(NamedTuple):
    """Learning rate and weight decay on the common scale."""

    lr: float
    weight_decay: float


class Coordinate:
    """An axis as Optuna sees it: the logarithm of a value, or its place in a list.

    No weight decay has no logarithm: it is a stretch of its own below the least value.
    """

    def __init__(self, name: str, axis: Axis) -> None:
        self.name = name
        self.listed = axis.listed
        self.distribution: optuna.distributions.IntDistribution | optuna.distributions.FloatDistribution
        if axis.listed is not None:
            self.distribution = optuna.distributions.IntDistribution(0, len(axis.listed) - 1)
            return
        assert axis.low is not None
        assert axis.high is not None
        self.low, self.high = math.log10(axis.low), math.log10(axis.high)
        zero = getattr(axis, "zero", False)
        self.floor = self.low - ZERO_SHARE * max(self.high - self.low, 1.0) if zero else self.low
        self.distribution = optuna.distributions.FloatDistribution(self.floor, self.high)

    @property
    def values(self) -> tuple[float, ...] | None:
        """Return every value that a coordinate can have, in a list or a range of one; None of a range."""
        if self.listed is not None:
            return self.listed
        if self.low < self.high:
            return None
        return (0.0, self.value(self.low)) if self.floor < self.low else (self.value(self.low),)

    def value(self, coordinate: float) -> float:
        """Return the axis' value at a coordinate, rounded to 6 significant digits."""
        if self.listed is not None:
            return self.listed[int(coordinate)]
        return 0.0 if coordinate < self.low else float(f"{10**coordinate:.6g}")

    def coordinate(self, value: float) -> float | None:
        """Return the coordinate of a value, None if it lies outside the axis."""
        if self.listed is not None:
            return self.listed.index(value) if value in self.listed else None
        if value == 0:
            return (self.floor + self.low) / 2 if self.floor < self.low else None
        place = math.log10(value)
        slack = 1e-5
        return min(max(place, self.low), self.high) if self.low - slack <= place <= self.high + slack else None

    def draw(self, generator: np.random.Generator) -> float:
        """Return a random coordinate."""
        if self.listed is not None:
            return int(generator.integers(len(self.listed)))
        return float(generator.uniform(self.floor, self.high))
