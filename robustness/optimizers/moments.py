"""The state that AdamS keeps of a parameter: its count of steps and its moments, made anew or loaded."""

from __future__ import annotations

from itertools import chain
from typing import Any

import torch
from torch import Tensor

MOMENTS = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")


def begin(state: dict[str, Any], p: Tensor, group: dict[str, Any]) -> None:
    """Fill the state of a parameter that has none yet."""
    # On the host unless captured: there, a count costs no kernel launch and its value no wait.
    device = p.device if group["capturable"] else "cpu"
    state["step"] = torch.zeros((), dtype=torch.float32, device=device)
    for name in MOMENTS[:2]:
        state[name] = torch.zeros_like(p, dtype=_dtype(p), memory_format=torch.preserve_format)


def mend(state: dict[str, Any], p: Tensor, group: dict[str, Any]) -> None:
    """Make a state as `begin` would have it of one that an older version or another class wrote.

    Its count may be a plain number, as the paper's authors have it, and the moments of a float16 parameter in float16.
    """
    if "step" in state and not isinstance(state["step"], Tensor):
        device = p.device if group["capturable"] else "cpu"
        state["step"] = torch.tensor(float(state["step"]), dtype=torch.float32, device=device)
    _take(state, state, p)


def keep_precision(
    states: dict[Tensor, dict[str, Any]], param_groups: list[dict[str, Any]], loaded: dict[str, Any]
) -> None:
    """Put back the moments of float16 parameters as `loaded` has them; torch rounds them to the parameter's type.

    Args:
        states: The state of each parameter, after loading.
        param_groups: The optimizer's groups.
        loaded: The dictionary that the state comes from.
    """
    numbers = chain.from_iterable(group["params"] for group in loaded["param_groups"])
    parameters = chain.from_iterable(group["params"] for group in param_groups)
    for number, p in zip(numbers, parameters, strict=True):
        if number in loaded["state"]:
            _take(states[p], loaded["state"][number], p)


def _take(state: dict[str, Any], source: dict[str, Any], p: Tensor) -> None:
    """Copy a float16 parameter's moments from a source, in single precision."""
    if _dtype(p) == p.dtype:
        return
    for name in MOMENTS:
        if name in source:
            state[name] = source[name].to(device=p.device, dtype=_dtype(p), copy=source is not state)


def _dtype(p: Tensor) -> torch.dtype:
    """Return the type of a parameter's moments: its own, but that g^2 is 0 in float16 below |g| = 2e-4."""
    return torch.float32 if p.dtype == torch.float16 else p.dtype
