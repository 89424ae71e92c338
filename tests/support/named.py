"""Optimizers, networks and workloads with the options that a test gives, by their names in a study file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robustness.models import MODELS
from robustness.optimizers import OPTIMIZERS
from robustness.workloads import WORKLOADS

if TYPE_CHECKING:
    from robustness.models import ModelOptions
    from robustness.optimizers import Optimizer
    from robustness.workloads import Workload


def optimizer(name: str, **options: Any) -> Optimizer:
    """Return the optimizer of that name."""
    return OPTIMIZERS[name](**options)


def network(name: str, **options: Any) -> ModelOptions:
    """Return the network of that name."""
    return MODELS[name](**options)


def workload(name: str, **options: Any) -> Workload:
    """Return the workload of that name."""
    return WORKLOADS[name](**options)
