"""The only place that trains: a stack of runs in, their history out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from robustness.machine.cores import usable
from robustness.training.checkpoint import Suspended
from robustness.training.history import History
from robustness.training.inputs import InputsError
from robustness.training.network import NetworkError
from robustness.training.objective import ShapeError
from robustness.training.single import train_single, warm_up
from robustness.training.stack import train_stack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from robustness.study import Run
    from robustness.training.checkpoint import Keeper

__all__ = [
    "History",
    "InputsError",
    "NetworkError",
    "ShapeError",
    "Suspended",
    "default_device",
    "train",
    "train_single",
    "train_stack",
    "warm_up",
]


def default_device() -> str:
    """Return `cuda` where there is a GPU, else `cpu`."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def train(runs: Sequence[Run], *, device: str | None = None, keeper: Keeper | None = None) -> list[History]:
    """Train runs of one workload and seed by the engine that their workload names; `keeper` has its checkpoints.

    On a CPU one thread is used: two would make a run's outcome depend on its stack.

    Raises:
        InputsError: a value of the inputs or of the targets is not finite.
        Suspended: it was asked to stop, and goes on another time.
        ValueError: the workload names an engine that there is not.
    """
    device = device or default_device()
    if device == "cpu":
        torch.set_num_threads(1)
    elif torch.get_num_threads() > (most := usable()):
        torch.set_num_threads(most)
    engine = runs[0].workload.engine
    if engine == "single":
        return [train_single(run, device=device, keeper=keeper) for run in runs]
    if engine == "stack":
        return [train_stack(runs, device=device, keeper=keeper)]
    raise ValueError(f"{runs[0].workload.name}: there is no engine '{engine}': it is `stack` or `single`")
