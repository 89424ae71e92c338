"""A workload that trains nothing and takes as long as it is told to: what is left is the cost of a sweep."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from robustness.workloads import Workload
from robustness.workloads.data import Data

if TYPE_CHECKING:
    import torch
    from torch import Tensor

PASSES = 2
"""Times that `errors` is called of a run: in its only training batch, and in its only test batch."""


class Dummy(Workload):
    """A linear network on eight numbers, whose every run takes `milliseconds` of a core, alone or in a stack."""

    name: str = "benchmarks.dummy:Dummy"
    classes: ClassVar[int] = 2
    epochs: int = 1
    milliseconds: float = 50.0

    @property
    def has_validation(self) -> bool:
        """Whether examples are held out to choose by: none."""
        return False

    def data(self, seed: int) -> Data:  # noqa: ARG002
        """Return eight numbers, four a batch."""
        import torch

        inputs, targets = torch.eye(4, 2), torch.arange(4) % 2
        return Data(inputs, targets, inputs[:0], targets[:0], inputs, targets)

    def model(self) -> torch.nn.Module:
        """Return the network."""
        import torch

        return torch.nn.Linear(2, 2)

    def errors(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return no error at all, after each run's time; a stack has its runs along the first axis."""
        import torch

        runs = len(outputs) if outputs.ndim > targets.ndim + 1 else 1
        # Busy, as training is: whoever else needs the cores, the driver too, has to share them.
        until = time.thread_time() + runs * self.milliseconds / 1000 / PASSES
        while time.thread_time() < until:
            pass
        return torch.zeros(outputs.shape[:-1])
