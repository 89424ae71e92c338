"""The optimizers beside AdamS, AdamW and Adam, each with options that take other paths than its defaults."""

from __future__ import annotations

from typing import Any

import pytest

from robustness.optimizers import OPTIMIZERS

CASES: list[tuple[str, dict[str, Any]]] = [
    ("amsgrad", {}),
    ("amsgrad", {"betas": (0.8, 0.9), "eps": 1e-4}),
    ("radam", {}),
    ("radam", {"betas": (0.8, 0.95), "eps": 1e-4}),
    ("radam", {"betas": (0.9, 0.5)}),
    ("adabound", {}),
    ("adabound", {"betas": (0.8, 0.95), "eps": 1e-4, "final_lr": 0.02, "gamma": 0.5}),
    ("padam", {}),
    ("padam", {"betas": (0.8, 0.95), "eps": 1e-4, "partial": 0.5}),
    ("padam", {"partial": 0.3}),
    ("yogi", {}),
    ("yogi", {"betas": (0.8, 0.95), "eps": 1e-4, "initial_accumulator": 0.01}),
    ("sgd", {}),
    ("sgd", {"momentum": 0}),
    ("sgd", {"momentum": 0.5, "dampening": 0.3}),
    ("sgd", {"nesterov": True}),
    ("sgd-eq1", {}),
    ("sgd-eq1", {"momentum": 0}),
    ("sgds", {}),
    ("sgds", {"momentum": 0.5, "dampening": 0.3}),
    ("sgds", {"momentum": 0}),
]
EACH = pytest.mark.parametrize(("name", "options"), CASES)
NAMES = sorted({name for name, _ in CASES})


def make(name: str, options: dict[str, Any]) -> Any:
    return OPTIMIZERS[name](**options)
