"""Rows of a stack and of its checkpoint: what an update rule carries from step to step, and where each run stands."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from robustness.optimizers.base import UpdateRule
    from robustness.study import Run


State = dict[str, Any]
"""Tensors, numbers, texts, lists and dictionaries: what a checkpoint has of its parts."""


def rule_state(rule: UpdateRule) -> State:
    """Return what a rule carries from step to step; its weights are those of the stack."""
    left = ("weights", *getattr(rule, "WORKSPACE", ()))
    return {name: value for name, value in vars(rule).items() if name not in left}


def resume_rule(rule: UpdateRule, state: State, places: list[int], device: torch.device) -> None:
    """Let a rule that has just been made go on from the rows `places` of the `state` of another."""
    for name, value in state.items():
        if not isinstance(value, torch.Tensor):
            setattr(rule, name, value)
        else:
            setattr(rule, name, (value[places] if value.dim() else value).to(device))


def places_of(run_ids: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Return where the `wanted` runs stand among `run_ids`; of a run that stands there twice either row will do."""
    place = {run_id: index for index, run_id in enumerate(run_ids)}
    return [place[run_id] for run_id in wanted]


def same_optimizer(runs: Sequence[Run]) -> list[slice]:
    """Return the slices of consecutive runs with equal optimizer options."""
    bounds = [0, *(i for i in range(1, len(runs)) if runs[i].optimizer != runs[i - 1].optimizer), len(runs)]
    return [slice(a, b) for a, b in pairwise(bounds)]
