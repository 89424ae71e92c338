"""Rows of a stack and of its checkpoint: what an update rule carries from step to step, and where each run stands."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch

from robustness.optimizers.base import TakesBaseRates, TakesLayout
from robustness.parameters.parameter_layout import layout_of
from robustness.workloads.grouping import factors_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

    from robustness.optimizers.base import UpdateRule
    from robustness.study import Run
    from robustness.training.network import Weights


@dataclass(frozen=True)
class Part:
    """Rows of one optimizer in a stack.

    Attributes:
        rows: which of the stack's.
        rule: its update rule.
        factors: (P,) on the learning rate of each weight; None where all are 1.
    """

    rows: slice
    rule: UpdateRule
    factors: Tensor | None = None

    def rates(self, lr: Tensor) -> Tensor:
        """Return the learning rates of its rows of (R,): as many, or one for each weight."""
        mine = lr[self.rows]
        return mine if self.factors is None else mine[:, None] * self.factors

    def effective_decay(self, weights: Tensor) -> Tensor:
        """Return the effective decay of each of its rows.

        Where it differs between weights it is their mean, weighted by their squares: by it the norm shrinks.
        """
        found = self.rule.effective_decay
        if found.dim() == 1:
            return found
        square = weights[self.rows].square()
        return (found * square).sum(1) / square.sum(1)


def parts_of(
    runs: Sequence[Run], model: nn.Module, place: Weights, weights: Tensor, *, lr: Tensor, decay: Tensor
) -> list[Part]:
    """Return the update rules of a stack's rows, each told what it asks for.

    Args:
        runs: of the rows; those of one optimizer stand together.
        model: their network.
        place: of its parameters in a row.
        weights: (R, P), which the rules step.
        lr: (R,) base rates.
        decay: (R,) the optimizers' own numbers.

    Raises:
        GroupError: groups of parameters do not fit the network.
    """
    layout, parts = layout_of(model, place.shapes), []
    for rows in same_optimizer(runs):
        optimizer, rates, factors = runs[rows.start].optimizer, decay[rows], None
        if found := factors_of(optimizer, runs[0].workload, model, layout):
            sizes = torch.tensor([*(piece.size for piece in layout), weights.shape[1] - place.size])
            # The padding stays 0, at whatever rate.
            by_piece = weights.new_tensor([*((one.lr, one.weight_decay) for one in found), (1.0, 0.0)])
            factors, on_decay = by_piece.repeat_interleave(sizes.to(weights.device), dim=0).unbind(1)
            rates = rates[:, None] * on_decay
        part = Part(rows, optimizer.rule(weights[rows], rates, place.size), factors)
        if isinstance(part.rule, TakesLayout):
            part.rule.take_layout(layout)
        if isinstance(part.rule, TakesBaseRates):
            part.rule.take_base_rates(part.rates(lr))
        parts.append(part)
    return parts


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
