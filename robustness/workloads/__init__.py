"""Workloads by name: the base, what data are, and every class of `registry`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness.workloads import registry
from robustness.workloads.base import Workload as Workload
from robustness.workloads.data import Data as Data
from robustness.workloads.places import DataError as DataError
from robustness.workloads.registry import *  # noqa: F403 - a row there is all that a workload needs

if not TYPE_CHECKING:
    __all__ = ["Data", "DataError", "Workload"]
    __all__ += registry.__all__
