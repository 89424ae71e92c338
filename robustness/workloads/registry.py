"""The workloads, a row each; lists, the study schema and what `robustness.workloads` exports are made from it.

Another workload is a file with its class, its import here, and its row. Options load without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness.plugins import Registry
from robustness.workloads.base import Workload
from robustness.workloads.cifar import CIFAR10, CIFAR100
from robustness.workloads.digits import Digits, DigitsCNN
from robustness.workloads.imagenet import ImageNet
from robustness.workloads.theorems import Theorem1, Theorem2
from robustness.workloads.treebank import Treebank

_ROWS: tuple[type[Workload], ...] = (
    Digits,
    DigitsCNN,
    CIFAR10,
    CIFAR100,
    ImageNet,
    Treebank,
    Theorem1,
    Theorem2,
)

WORKLOADS: Registry[Workload] = Registry("robustness.workloads", Workload, _ROWS)
"""By name, those of other packages included."""

if not TYPE_CHECKING:  # a type checker takes every class that is imported here
    __all__ = ["WORKLOADS"]
    __all__ += [row.__name__ for row in _ROWS]
