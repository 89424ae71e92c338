"""What a workload's losses and errors come to: sums and means over the targets that there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from robustness.trees import Tree, examples
from robustness.workloads.base import Workload
from robustness.workloads.data import NO_TARGET, present

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


class ShapeError(Exception):
    """A workload's losses or errors have not the shape of its targets; `str()` says which, and both shapes."""


@dataclass(frozen=True)
class Objective:
    """The losses and errors of a workload on the batch of one run, as both engines take them.

    Attributes:
        workload: whose they are.
        gaps: whether integer targets may have positions without a target, which count in nothing.
    """

    workload: Workload
    gaps: bool = False

    def present(self, targets: Tree) -> Tensor | None:
        """Return where there is a target, in the shape of `targets`; None if it is everywhere."""
        return present(targets) if self.gaps else None

    def count(self, targets: Tree) -> int | Tensor:
        """Return how many losses there are for `targets`: of a tensor one each, of a tree one an example."""
        there = self.present(targets)
        return _size(targets) if there is None else there.sum()

    def mean_loss(self, outputs: Tree, targets: Tree) -> Tensor:
        """Return the mean of the losses, without dimensions; NaN where there is no target at all, as torch has it.

        Raises:
            ShapeError: there is not a loss for each target.
        """
        losses, there = self._losses(outputs, targets), self.present(targets)
        return losses.mean() if there is None else losses.where(there, 0).sum() / there.sum()

    def loss_sum(self, outputs: Tree, targets: Tree) -> Tensor:
        """Return the sum of the losses, without dimensions.

        Raises:
            ShapeError: there is not a loss for each target.
        """
        return _sum(self._losses(outputs, targets), self.present(targets))

    def error_sum(self, outputs: Tree, targets: Tree) -> Tensor:
        """Return the sum of the errors, without dimensions.

        Raises:
            ShapeError: there is not an error for each target.
        """
        errors = self.workload.errors(outputs, targets)
        _check(self.workload, "errors", errors, targets)
        return _sum(errors, self.present(targets))

    def _losses(self, outputs: Tree, targets: Tree) -> Tensor:
        losses = self._function(outputs, targets)
        _check(self.workload, "losses", losses, targets)
        return losses

    @property
    def _function(self) -> Callable[[Tree, Tree], Tensor]:
        return self.workload.losses


class StackedObjective(Objective):
    """The same, for `vmap` over runs: of the cross-entropy in the arithmetic that is fast there."""

    @property
    def _function(self) -> Callable[[Tree, Tree], Tensor]:
        own = type(self.workload).losses is not Workload.losses
        if own:
            return self.workload.losses
        return _cross_entropies_of_some if self.gaps else _cross_entropies


def _cross_entropies(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return (..., N) of outputs (..., N, C) and class indices (..., N).

    torch's own softmax over the last axis of so few classes takes ten times as long as over the one before it.
    """
    log_probabilities = outputs.transpose(-1, -2).log_softmax(-2)
    return -log_probabilities.gather(-2, targets.unsqueeze(-2)).squeeze(-2)


def _cross_entropies_of_some(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the same where a target may be `NO_TARGET`; there it is of no meaning."""
    return _cross_entropies(outputs, targets.where(targets != NO_TARGET, 0))


def _sum(values: Tensor, there: Tensor | None) -> Tensor:
    return (values if there is None else values.where(there, 0)).flatten().sum(-1)


def _size(targets: Tree) -> int:
    return targets.numel() if isinstance(targets, torch.Tensor) else examples(targets)


def _check(workload: Workload, name: str, values: object, targets: Tree) -> None:
    wanted = targets.shape if isinstance(targets, torch.Tensor) else (examples(targets),)
    if not isinstance(values, torch.Tensor):
        raise ShapeError(f"{workload.title}: {name}() gave {type(values).__name__}, not a tensor")
    if values.shape != wanted:
        of = "the targets have" if isinstance(targets, torch.Tensor) else "targets that are no single tensor ask for"
        raise ShapeError(f"{workload.title}: {name}() gave the shape {tuple(values.shape)}, {of} {tuple(wanted)}")
