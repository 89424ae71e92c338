"""Optimizers by name, and `AdamS` as a `torch.optim.Optimizer`, which alone loads torch, on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness.optimizers.adam import AdamOptions
from robustness.optimizers.adams import AdamSOptions
from robustness.optimizers.adamw import AdamWOptions
from robustness.optimizers.base import Convention, Optimizer, UpdateRule

if TYPE_CHECKING:
    from robustness.optimizers.torch_adams import AdamS

OPTIMIZERS: dict[str, type[Optimizer]] = {"adams": AdamSOptions, "adamw": AdamWOptions, "adam": AdamOptions}

__all__ = [
    "OPTIMIZERS",
    "AdamOptions",
    "AdamS",
    "AdamSOptions",
    "AdamWOptions",
    "Convention",
    "Optimizer",
    "UpdateRule",
]


def __getattr__(name: str) -> object:
    if name == "AdamS":
        from robustness.optimizers.torch_adams import AdamS

        return AdamS
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
