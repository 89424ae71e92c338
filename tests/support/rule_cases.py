"""Weights, gradients and rates on which the update rules are tested."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
import torch

if TYPE_CHECKING:
    from robustness.optimizers import Optimizer, UpdateRule

SIZE, COLUMNS = 83, 128
BITS = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


def padded(rows: int, size: int = SIZE, dtype: torch.dtype = torch.float64, seed: int = 0) -> torch.Tensor:
    """Return (rows, COLUMNS) of normal numbers, zero beyond the first `size` columns."""
    values = torch.randn(rows, COLUMNS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    values[:, size:] = 0
    return values.to(dtype)


def gradient_of(weights: torch.Tensor, step: int) -> torch.Tensor:
    """Return a gradient that depends on each row's own weights and on a draw that all rows share."""
    noise = padded(1, dtype=weights.dtype, seed=1000 + step)[:, : weights.shape[1]]
    gradient = (weights * 0.3 + noise) / (1 + 0.02 * step)
    gradient[:, SIZE:] = 0
    return gradient


def scheduled(lr: torch.Tensor, step: int) -> torch.Tensor:
    """Drop the learning rate by 10 at steps 120 and 240."""
    return lr * 0.1 ** ((step >= 120) + (step >= 240))


def train(options: Optimizer, weights: torch.Tensor, lr: list[float], decay: list[float], steps: int) -> UpdateRule:
    """Train all rows for `steps` steps, `weights` in place."""
    rates = torch.tensor(lr, dtype=weights.dtype)
    rule = options.rule(weights, torch.tensor(decay, dtype=weights.dtype), SIZE)
    for step in range(steps):
        rule.step(gradient_of(weights, step), scheduled(rates, step))
    return rule


GRID = list(itertools.product([1e-3, 1e-2, 0.1], [0.0, 1e-3, 0.1]))
