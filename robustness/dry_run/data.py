"""Whether the data of a workload are what its losses and the order of its examples take them for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch

from robustness.dry_run.finding import Refusal
from robustness.randomness import seeded
from robustness.training.inputs import InputsError, checked_feed
from robustness.trees import described, examples, leaves, tensors
from robustness.workloads import Workload
from robustness.workloads.data import NO_TARGET, Data, present

if TYPE_CHECKING:
    from robustness.trees import Tree
    from robustness.workloads.data import Feed

TWICE_S = 5.0
"""Data that take longer are made once."""

SPLITS = ("train", "validation", "test")


def feed_of(workload: Workload, seed: int, dtype: torch.dtype) -> Feed:
    """Return the feed of a workload whose data are sound.

    Raises:
        Refusal: they are not the same twice, not as many inputs as targets, not finite, or of other classes.
    """
    own = type(workload).data is not Workload.data
    if own and type(workload).feed is Workload.feed:
        _same_twice(workload, seed)
    try:
        return checked_feed(workload, seed, "cpu", dtype)
    except InputsError as error:
        raise Refusal(str(error)) from None


def _same_twice(workload: Workload, seed: int) -> None:
    started = time.perf_counter()
    with seeded(seed):
        data = workload.data(seed)
    if not isinstance(data, Data):
        raise Refusal(f"{workload.title}: data({seed}) gave {type(data).__name__}, not robustness.workloads.Data")
    data = data.to("cpu")
    for split in SPLITS:
        _count(workload, data, split)
        _classes(workload, data.split(split)[1], split)
    if time.perf_counter() - started > TWICE_S:
        return
    with seeded(seed):
        again = workload.data(seed).to("cpu")
    differ = [
        f"{part} of {split}"
        for split in SPLITS
        for part, one, other in zip(("inputs", "targets"), data.split(split), again.split(split), strict=True)
        if not _equal(one, other)
    ]
    if differ:
        raise Refusal(
            f"{workload.title}: data({seed}), called twice, gave other {', '.join(differ)}: draw from a generator that"
            " `seed` has made, such as torch.Generator().manual_seed(seed) or random_state=seed"
        )


def _count(workload: Workload, data: Data, split: str) -> None:
    inputs, targets = data.split(split)
    try:
        counts = [examples(inputs), examples(targets)]
    except ValueError as error:
        raise Refusal(f"{workload.title}: the {split} data: {error}") from None
    if counts[0] != counts[1]:
        raise Refusal(
            f"{workload.title}: {split} has {counts[0]} inputs, {described(inputs)}, for {counts[1]} targets,"
            f" {described(targets)}: the first axis of both counts the same examples"
        )
    if split == "train" and counts[0] < 2:
        raise Refusal(f"{workload.title}: train has {counts[0]} examples, and a step takes at least 2")
    if split == "test" and not counts[0]:
        raise Refusal(f"{workload.title}: test has no examples")


def _classes(workload: Workload, targets: Tree, split: str) -> None:
    """Refuse class indices that are none: the error of chance says that targets are classes."""
    guessing = type(workload).chance_error is Workload.chance_error and hasattr(workload, "classes")
    given = present(targets)
    if not guessing or given is None or not targets.numel():
        return
    there = targets[given].long()
    if not len(there):
        raise Refusal(f"{workload.title}: no target of {split} is one: all are {NO_TARGET}")
    least, greatest, classes = int(there.min()), int(there.max()), workload.classes
    if least < 0 or greatest >= classes:
        hint = "; take 1 off" if (least, greatest) == (1, classes) else ""
        raise Refusal(
            f"{workload.title}: the targets of {split} are {least} to {greatest}, and {classes} classes are numbered"
            f" from 0 to {classes - 1}; {NO_TARGET} stands where there is none{hint}"
        )


def _equal(one: Tree, other: Tree) -> bool:
    pairs = list(zip(tensors(one), tensors(other), strict=False))
    same_form = len(leaves(one)) == len(leaves(other))
    return same_form and all(a.shape == b.shape and torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in pairs)
