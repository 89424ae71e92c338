"""Optimizers by name, and `AdamS` as a `torch.optim.Optimizer`, which alone loads torch, on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness.optimizers.adabound import AdaBoundOptions
from robustness.optimizers.adam import AdamOptions
from robustness.optimizers.adams import AdamSOptions
from robustness.optimizers.adamw import AdamWOptions
from robustness.optimizers.amsgrad import AMSGradOptions
from robustness.optimizers.base import Convention, Optimizer, UpdateRule
from robustness.optimizers.padam import PadamOptions
from robustness.optimizers.radam import RAdamOptions
from robustness.optimizers.sgd import SGDEq1Options, SGDOptions, SGDSOptions
from robustness.optimizers.yogi import YogiOptions
from robustness.plugins import Registry

if TYPE_CHECKING:
    from robustness.optimizers.torch_adams import AdamS

OPTIMIZERS: Registry[Optimizer] = Registry(
    "robustness.optimizers",
    Optimizer,
    (
        AdamSOptions,
        AdamWOptions,
        AdamOptions,
        AMSGradOptions,
        AdaBoundOptions,
        PadamOptions,
        YogiOptions,
        RAdamOptions,
        SGDOptions,
        SGDEq1Options,
        SGDSOptions,
    ),
)

__all__ = [
    "OPTIMIZERS",
    "AMSGradOptions",
    "AdaBoundOptions",
    "AdamOptions",
    "AdamS",
    "AdamSOptions",
    "AdamWOptions",
    "Convention",
    "Optimizer",
    "PadamOptions",
    "RAdamOptions",
    "SGDEq1Options",
    "SGDOptions",
    "SGDSOptions",
    "UpdateRule",
    "YogiOptions",
]


def __getattr__(name: str) -> object:
    if name == "AdamS":
        from robustness.optimizers.torch_adams import AdamS

        return AdamS
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
