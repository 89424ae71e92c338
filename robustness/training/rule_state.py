"""What an update rule with a run axis carries from step to step, for a checkpoint of any of its runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from robustness.optimizers.base import UpdateRule
    from robustness.training.checkpoint import State


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
