"""The pace of a workload, measured here: two epochs of a stack as a sweep would cut it, as far as a minute goes."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from robustness.plan.clock import Clock, clocked
from robustness.plan.planning import workers
from robustness.plan.stored_pace import StoredPace
from robustness.search.make import make_source
from robustness.sweep.stacks import LOSS_S, cut
from robustness.training import default_device, train
from robustness.training.stack_size import pieces
from robustness.worker.attempts import reason
from robustness.workloads import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from robustness.plan.planning import Plan
    from robustness.study import Resources, Run, Study

BUDGET_S = 60.0
"""What a workload's calibration may take, about."""

GROWTH = 8
"""A stack is at most this many times as large as the one before: its pace is not known before it is tried."""

PASSES = 6
"""Passes over a split in two epochs: of training, validation and test."""


class CalibrationError(Exception):
    """A workload cannot be trained here; the text says why."""


def calibrate(study: Study, plan: Plan, stored: pd.DataFrame, say: Callable[[str], None]) -> dict[str, StoredPace]:
    """Train a little of each workload that has runs left and none like them on this machine's device; store nothing.

    Args:
        study: what `plan` is of.
        plan: what is known without.
        stored: the study's runs table.
        say: is told what is being trained.

    Returns:
        The pace of each by its workload's name.

    Raises:
        robustness.workloads.DataError: the data are absent and cannot be fetched, or they are damaged.
        CalibrationError: the training failed.
    """
    device = device_of(study)
    name = torch.cuda.get_device_name() if device == "cuda" else device
    found = {}
    for part, known in zip(study.parts, plan.shares, strict=True):
        if known.left and name not in known.paces:
            try:
                part.workload.fetch()
                pace = measured_pace(part, stack_size(part, stored, device), device, say)
            except DataError:
                raise
            except Exception as error:
                raise CalibrationError(f"{known.workload} cannot be trained here: {reason(error)}") from error
            found[known.workload] = replace(pace, device=name)
    return found


def device_of(study: Study) -> str:
    """Return what a study's runs are trained on here: `cuda` where there is a GPU that it may use, else `cpu`."""
    return default_device() if study.resources.gpus != 0 else "cpu"


def stack_size(study: Study, stored: pd.DataFrame, device: str) -> int:
    """Return the size of the largest stack that a sweep on this machine would cut of what is missing."""
    if study.workload.engine == "single":
        return 1
    size = study.resources.stack_size
    stacks = cut(
        make_source(study, stored).next(), _slots(study.resources, device), None if size == "auto" else int(size)
    )
    largest = max(stacks, key=len)
    return max(len(piece) for piece in (pieces(largest, device) if size == "auto" else [largest]))


def _slots(resources: Resources, device: str) -> int:
    if device == "cpu":
        return workers(resources)
    share = 1.0 if resources.gpus == "auto" else resources.gpus
    return max(1, int(torch.cuda.device_count() / share))


def middle_runs(study: Study, size: int) -> list[Run]:
    """Return `size` runs of one seed: the optimizers' middle cells in turn, as often as it takes."""
    spaces = [(entry, study.space_of(entry).middle()) for entry in study.optimizers]
    cells = [(entry, space.lr.values[0], space.weight_decay.values[0]) for entry, space in spaces]
    return [study.run(*cells[i % len(cells)], study.seeds[0]) for i in range(size)]


def measured_pace(
    study: Study, target: int, device: str, say: Callable[[str], None], budget: float = BUDGET_S
) -> StoredPace:
    """Return the pace in a stack of `target` runs, or in the largest that `budget` seconds, or a sweep, allow.

    Args:
        study: of one workload, by whose engine its optimizers' middle cells are trained.
        target: runs of the largest stack; 1 trains the optimizers one by one.
        device: `cpu` or `cuda`.
        say: is told what is being trained.
        budget: seconds, about.
    """
    optimizers, workload = len(study.optimizers), study.workload
    if target == 1:  # the optimizers one by one
        say(f"calibrating {workload.title}: {optimizers} runs, one by one")
        epochs = [epoch_seconds([run], device, budget / optimizers) for run in middle_runs(study, optimizers)]
        return StoredPace(device, sum(epochs) / optimizers, 1, calibrated=True)
    started, size, found = time.monotonic(), min(optimizers, target), None
    while True:
        say(f"calibrating {workload.title}: a stack of {size}")
        before = time.monotonic()
        try:
            # At first no pace is known: half the time is left for a larger stack.
            seconds = epoch_seconds(middle_runs(study, size), device, budget / 2)
        except torch.OutOfMemoryError:
            if found is None:
                raise
            return found
        found = StoredPace(device, seconds / size, size, calibrated=True)
        if study.resources.stack_size == "auto":
            target = min(target, max(1, int(LOSS_S / (found.seconds * workload.epochs))))
        now = time.monotonic()
        left = budget - (now - started)
        following = min(target, GROWTH * size, max(size, int(size * left / (now - before))))
        if following == size:
            return found
        size = following


def epoch_seconds(runs: list[Run], device: str, budget: float) -> float:
    """Return the seconds of an epoch of `runs` as one stack, in about `budget` seconds."""
    clock = Clock(budget / PASSES)
    workload = clocked(runs[0].workload, clock)
    train([replace(run, workload=workload) for run in runs], device=device)
    return clock.epoch
