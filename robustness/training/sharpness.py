"""The sharpness of a minimum, measured on request: eigenvalues and trace of the Hessian of the training loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from robustness.training.hessian import top_eigenvalues, trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    from robustness.training.objective import Objective
    from robustness.trees import Tree
    from robustness.workloads import Workload
    from robustness.workloads.data import Batch, Feed


class Sharpness(NamedTuple):
    """Of one run after one epoch.

    Attributes:
        eigenvalues: (n,) greatest first, of the Hessian of the mean training loss; empty if not asked for.
        trace: Its estimated trace; NaN if not asked for.
    """

    eigenvalues: np.ndarray
    trace: float


def due(workload: Workload, epoch: int) -> bool:
    """Return whether the Hessian is asked for after `epoch` (counted from 0)."""
    if workload.hessian is None:
        return False
    every = workload.hessian.every
    return epoch + 1 == workload.epochs or (every is not None and (epoch + 1) % every == 0)


def examples(workload: Workload, feed: Feed) -> list[Batch]:
    """Return the examples on which the workload's `hessian` is measured; the same for all runs of a seed."""
    return list(feed.sample(workload.hessian.examples)) if workload.hessian else []


def begin(network: object) -> None:
    """Let a network that carries a state from batch to batch forget it."""
    if callable(reset := getattr(network, "reset", None)):
        reset()


def sharpness(
    objective: Objective,
    network: Callable[[Tree], Tree],
    parameters: Sequence[Tensor],
    batches: Sequence[Batch],
    seed: int,
) -> Sharpness:
    """Measure what the workload's `hessian` asks for.

    The network is taken as it is evaluated (running statistics, no dropout), on examples that are not augmented, so
    that the loss is a function of the parameters alone; without the decay term.

    Args:
        objective: of the workload that asks: it has the loss.
        network: from inputs to outputs, a function of `parameters`; one that carries a state from batch to batch has a
            `reset`.
        parameters: leaves of the graph that `network` builds.
        batches: what `examples` returns.
        seed: of the random vectors.
    """
    asked = objective.workload.hessian
    assert asked is not None
    count = sum(objective.count(targets) for _, targets in batches)

    def loss() -> Iterator[Tensor]:
        begin(network)
        for inputs, targets in batches:
            yield objective.loss_sum(network(inputs), targets) / count

    eigenvalues = top_eigenvalues(loss, parameters, asked.top, seed=seed) if asked.top else np.empty(0)
    return Sharpness(eigenvalues, trace(loss, parameters, asked.trace, seed=seed)[0] if asked.trace else float("nan"))
