"""How many processes, each with a run of its own, share a GPU well: by a run's memory and the device's idle time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from statistics import median
from typing import TYPE_CHECKING

import torch

from robustness.plan.clock import Clock, clocked
from robustness.training import train
from robustness.training.stack_size import FULL, release

if TYPE_CHECKING:
    from collections.abc import Iterator

    from robustness.study import Run
    from robustness.workloads.data import Batch

MOST_PROCESSES = 8
"""More than this share a GPU badly: they take turns, and each wants a core."""

CONTEXT = 0.6e9
"""Bytes of a GPU that a process takes for itself, beside its tensors."""

PASS_S = 1.0
"""What each pass over a split may take, about: of an epoch there are three, of a measurement two epochs, twice."""

STEPS = 5

CYCLES = 2e9
"""A GPU's clock, about: cycles a second."""


def processes(memory: float, total: float, device_s: float, wall_s: float) -> int:
    """Return how many processes share a GPU well, 1 to 8: as fit its memory, and keep it busy but not more.

    Args:
        memory: bytes that a run takes.
        total: bytes of the device.
        device_s: seconds that the device works in a step.
        wall_s: seconds that a step takes.
    """
    room = FULL * total / (memory + CONTEXT)
    idle = wall_s / device_s if device_s > 0 else MOST_PROCESSES
    return max(1, int(min(room, idle, MOST_PROCESSES)))


def sharing(run: Run, device: str) -> int:
    """Return how many processes that train runs like this one share a GPU well."""
    release()
    wall = Clock(PASS_S)
    train([replace(run, workload=clocked(run.workload, wall))], device=device)
    memory = torch.cuda.max_memory_allocated()
    step = wall.spent["train"] / wall.taken["train"]
    busy = Busy(PASS_S, ahead=step)
    train([replace(run, workload=clocked(run.workload, busy))], device=device)
    return processes(memory, torch.cuda.mem_get_info()[1], median(busy.steps), step)


@dataclass
class Busy(Clock):
    """A clock of the device's own time: of a few steps, each queued as a whole before it begins.

    Attributes:
        ahead: seconds that Python takes to queue a step, at most.
        steps: seconds that the device works in each.
    """

    ahead: float = 0.0
    steps: list[float] = field(default_factory=list)

    def timed(self, name: str, batches: Iterator[Batch], count: int | None = None) -> Iterator[Batch]:
        """Pass batches on; of training, the second time, a few."""
        if name != "train" or name not in self.taken:
            yield from super().timed(name, batches, count)
            return
        while len(self.steps) < STEPS:
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            # The step waits behind this, so that no gaps of Python's are in it.
            torch.cuda._sleep(int(2 * self.ahead * CYCLES))
            begin.record()
            batch = next(batches, None)
            if batch is None:
                return
            yield batch
            end.record()
            end.synchronize()
            self.steps.append(begin.elapsed_time(end) / 1000)
