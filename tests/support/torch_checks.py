"""torch's description of an optimizer under test, with inputs for `AdamS`."""

from __future__ import annotations

import sys
import unittest
from types import ModuleType
from typing import Any

import torch

from robustness.optimizers import AdamS

if "expecttest" not in sys.modules:
    # torch's test package imports it for its own test cases, of which none is used here.
    sys.modules["expecttest"] = stand_in = ModuleType("expecttest")
    stand_in.TestCase = unittest.TestCase  # type: ignore[attr-defined]

from torch.testing._internal import common_optimizers as torchs

# torch's own inputs have no parameters, where its types ask for some.
Input: Any = torchs.OptimizerInput
Error: Any = torchs.ErrorOptimizerInput
Info: Any = torchs.OptimizerInfo

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"differentiable": True}, "no differentiable step"),
    ({"fused": True}, "no fused step"),
    ({"betas": (torch.tensor(0.9), torch.tensor(0.99))}, "betas must be numbers, not tensors"),
]


def inputs(device: str, dtype: torch.dtype | None = None) -> list[Any]:
    """Return Adam's options of torch's tests without those that AdamS refuses; others' devices' on the CPU too."""
    ours = [each for each in torchs.optim_inputs_func_adam("cuda") if not _tensor_betas(each.kwargs)]
    ours.append(Input(None, {"lr": torch.tensor(0.001)}, "Tensor lr"))
    return ours


def error_inputs(device: str, dtype: torch.dtype) -> list[Any]:
    """Return Adam's bad options of torch's tests; what only Adam refuses is left out."""
    theirs = torchs.optim_error_inputs_func_adam(device, dtype)
    kept = [each for each in theirs if "foreach" not in each.optimizer_error_input.kwargs]
    for each in kept:
        if _tensor_betas(each.optimizer_error_input.kwargs):
            each.error_regex = "betas must be numbers, not tensors"
    refused = [Error(Input(None, o, ""), error_type=ValueError, error_regex=why) for o, why in REFUSED]
    return kept + refused


def _tensor_betas(options: dict[str, Any]) -> bool:
    return any(isinstance(beta, torch.Tensor) for beta in options.get("betas", ()))


INFO = Info(
    AdamS,
    optim_inputs_func=inputs,
    optim_error_inputs_func=error_inputs,
    scheduler_inputs=torchs.optim_db[[each.name for each in torchs.optim_db].index("Adam")].scheduler_inputs,
    supported_impls=("foreach",),
    not_og_supported_flags=("foreach", "maximize", "capturable"),
    has_capturable_arg=True,
    supports_complex=False,
)

EVERY_INPUT = torchs._get_optim_inputs_including_global_cliquey_kwargs("cuda", torch.float32, INFO)
"""Each of the inputs one by one and with `foreach`: their names only, so "cuda" makes no tensor there."""
