"""Workloads by name."""

from __future__ import annotations

from robustness.workloads.base import Workload
from robustness.workloads.cifar import CIFAR10, CIFAR100
from robustness.workloads.data import Data
from robustness.workloads.digits import Digits, DigitsCNN
from robustness.workloads.imagenet import ImageNet
from robustness.workloads.places import DataError
from robustness.workloads.theorems import Theorem1, Theorem2
from robustness.workloads.treebank import Treebank

WORKLOADS: dict[str, type[Workload]] = {
    "digits": Digits,
    "digits-cnn": DigitsCNN,
    "cifar10": CIFAR10,
    "cifar100": CIFAR100,
    "imagenet": ImageNet,
    "treebank": Treebank,
    "theorem-1": Theorem1,
    "theorem-2": Theorem2,
}

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "WORKLOADS",
    "Data",
    "DataError",
    "Digits",
    "DigitsCNN",
    "ImageNet",
    "Theorem1",
    "Theorem2",
    "Treebank",
    "Workload",
]
