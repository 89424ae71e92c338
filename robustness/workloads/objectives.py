"""Objectives whose weights are the whole network: its output for any input is the objective's value."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Objective(nn.Module):
    """A function of the weights alone; they start standard normal, from torch's global generator."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.randn(dimension))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return (n, 1): the value, for each of `inputs` (n, ...), which it does not depend on."""
        return self.value().reshape(1, 1).expand(len(inputs), 1)

    def value(self) -> Tensor:
        """Return the objective at the weights, without dimensions."""
        raise NotImplementedError


class Quadratic(Objective):
    """f(w) = (w - 1)' A (w - 1) / 2, with A diagonal and its eigenvalues evenly spaced in the logarithm, up to 1."""

    eigenvalues: Tensor

    def __init__(self, dimension: int, condition: float) -> None:
        super().__init__(dimension)
        exponents = torch.linspace(-1, 0, dimension, dtype=torch.float64)
        self.register_buffer("eigenvalues", (condition**exponents).to(self.weights.dtype))

    def value(self) -> Tensor:
        """Return f(w)."""
        return (self.eigenvalues * (self.weights - 1).square()).sum() / 2


class Sphere(Objective):
    """f(w) = k (|w| - 1)^2 / 2: all weights of norm 1 are minima."""

    def __init__(self, dimension: int, stiffness: float) -> None:
        super().__init__(dimension)
        self.stiffness = stiffness

    def value(self) -> Tensor:
        """Return f(w)."""
        away: Tensor = torch.linalg.vector_norm(self.weights) - 1
        return self.stiffness / 2 * away.square()
