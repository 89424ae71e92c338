"""The size of a stack that a GPU trains fastest, by measurement, and how a larger stack is cut."""

from __future__ import annotations

import gc
import time
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from robustness.optimizers import Optimizer
    from robustness.study import Run
    from robustness.workloads import Workload

    Measure = Callable[[int], tuple[float, float]]

LEAST_GAIN = 1.1
"""What twice as many runs must bring in runs a second, to be worth a larger loss when a worker dies."""

FULL = 0.85
"""Share of the free memory that may be used: the allocator's pieces do not fit together without gaps."""

LARGEST = 1024

STEPS = 5


def best_size(measure: Measure, free: float, most: int = LARGEST) -> int:
    """Return the size of a stack at which a device trains most runs a second, as far as its memory goes.

    Sizes are tried in powers of two, up to the first that brings less than a tenth more runs a second, that would not
    fit, or that runs out of memory.

    Args:
        measure: from a size to the seconds and the bytes that a step takes.
        free: bytes that there are.
        most: the largest size that is of use, at least 1.
    """
    best, pace, before, size = 1, 0.0, 0.0, 1
    while size <= most:
        try:
            seconds, taken = measure(size)
        except torch.OutOfMemoryError:
            break
        if taken > FULL * free or size / seconds < LEAST_GAIN * pace:
            break
        best, pace = size, size / seconds
        # What grew by so much in the last doubling grows twice as much in the next.
        if min(2 * taken, taken + 2 * (taken - before)) > FULL * free:
            break
        before, size = taken, 2 * size
    return best


def pieces(runs: Sequence[Run], device: str) -> list[Sequence[Run]]:
    """Return `runs`, which are to be trained as one model, in as large stacks as `device` trains fastest.

    On a CPU that is all of them as they are. On a GPU the workload is measured once a process, for some seconds.
    """
    if device != "cuda" or len(runs) == 1:
        return [runs]
    size = fitting_size(runs[0].workload, runs[0].optimizer)
    count = -(-len(runs) // size)
    # Of even sizes: a small rest would take as long as a whole piece.
    bounds = [place * len(runs) // count for place in range(count + 1)]
    return [runs[start:stop] for start, stop in pairwise(bounds)]


@cache
def fitting_size(workload: Workload, optimizer: Optimizer) -> int:
    """Return the size of the stacks that the GPU trains fastest among those that fit, as measured once."""
    from robustness.study import Run

    release()
    # As it is, not compiled: that would take minutes for each size.
    run = Run(workload.model_copy(update={"compiled": False}), optimizer, lr=1e-3, weight_decay=0.0, seed=0)
    size = best_size(lambda size: step_cost([run] * size, "cuda"), torch.cuda.mem_get_info()[0])
    release()
    return size


def step_cost(runs: Sequence[Run], device: str) -> tuple[float, float]:
    """Return the seconds and, on a GPU, the most bytes of a training step of `runs` as one stack."""
    from robustness.randomness import initial_model, masks
    from robustness.training.moving import moving_parts
    from robustness.training.network import placed
    from robustness.training.stack import Stack

    workload, seed = runs[0].workload, runs[0].seed
    release()
    with masks(seed, device):
        feed = workload.feed(seed, device, torch.float32)
        held = torch.cuda.memory_allocated() if device == "cuda" else 0
        parts = moving_parts(workload, feed, seed, device, torch.float32)
        model = placed(initial_model(workload, seed), device, torch.float32)
        stack = Stack(model, runs, device, torch.float32, parts=parts, gaps=feed.gaps)
        batch = next(iter(feed.train()))
        stack.train_epoch(iter([batch]), 1.0)  # which loads kernels
        wait(device)
        started = time.perf_counter()
        stack.train_epoch(iter([batch] * STEPS), 1.0)
        wait(device)
        seconds = (time.perf_counter() - started) / STEPS
    return seconds, torch.cuda.max_memory_allocated() - held if device == "cuda" else 0.0


def wait(device: str) -> None:
    """Wait until the device has done what it was given."""
    if device == "cuda":
        torch.cuda.synchronize()


def release() -> None:
    """Give memory back that nothing refers to, so that another stack may have it."""
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
