"""Optimizers by name: the base, every class of `registry`, and `AdamS` for torch, which loads torch on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness.optimizers import registry
from robustness.optimizers.base import Convention as Convention
from robustness.optimizers.base import Optimizer as Optimizer
from robustness.optimizers.base import UpdateRule as UpdateRule
from robustness.optimizers.registry import *  # noqa: F403 - a row there is all that an optimizer needs

if TYPE_CHECKING:
    from robustness.optimizers.torch_adams import AdamS as AdamS
else:
    __all__ = ["AdamS", "Convention", "Optimizer", "UpdateRule"]
    __all__ += registry.__all__


def __getattr__(name: str) -> object:
    if name == "AdamS":
        from robustness.optimizers.torch_adams import AdamS

        return AdamS
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
