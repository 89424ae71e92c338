"""Workloads by name."""

from __future__ import annotations

from robustness.workloads.base import Data, Workload
from robustness.workloads.digits import Digits, DigitsCNN

WORKLOADS: dict[str, type[Workload]] = {"digits": Digits, "digits-cnn": DigitsCNN}

__all__ = ["WORKLOADS", "Data", "Digits", "DigitsCNN", "Workload"]
