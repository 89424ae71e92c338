"""Which runs go to a worker together: runs of one workload and seed, few enough that every slot has work.

A worker trains them as one model, a stack, or one by one where the workload's engine is `single`. What a lost node
loses is what its workers had in hand, so they are given minutes of work.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from robustness.results.checkpoints import Checkpoint
    from robustness.study import Run
    from robustness.sweep.run_time import RunTime
    from robustness.workloads import Workload

LARGEST = 128
"""Beyond this the gain of a larger stack is gone, and a lost worker loses more."""

SHARES = 4
"""Stacks that each slot gets at least, so that the last one to finish leaves the others idle only briefly."""

WORTHWHILE = 32
"""Below this a stack is cut further only to give every slot one, not so that all finish together."""

FIRST = 16
"""Runs of a stack whose time nobody knows yet: enough to learn it, and soon known."""

LOSS_S = 300.0
"""Seconds of work that a stack has at most, if it has more than one run."""

ENOUGH_S = 20.0
"""Seconds of work from which on a Ray trial's own cost, some tenths of a second, is nothing beside it."""


def cut(runs: Sequence[Run], slots: int, size: int | None = None, run_time: RunTime | None = None) -> list[list[Run]]:
    """Return `runs` as stacks of one workload and seed, of about equal size.

    Args:
        runs: In any order.
        slots: Stacks that run at a time.
        size: Runs a stack; None chooses it for `slots`.
        run_time: Bounds what is chosen by it; None leaves time out, and gives runs of the engine
            `single` out one by one.
    """
    # Seed by seed, so that a machine's faster and slower minutes fall on all optimizers alike.
    runs = sorted(runs, key=lambda run: run.seed)
    together = [run for run in runs if run.workload.engine == "stack"]
    # Those of an engine that nobody knows, too: each of them fails in its training, and its row says why.
    others = [run for run in runs if run.workload.engine != "stack"]
    return [*_stacks(together, slots, size, run_time), *_one_by_one(others, slots, size, run_time)]


def by_checkpoint(runs: Sequence[Run], checkpoints: Sequence[Checkpoint]) -> tuple[list[list[Run]], list[Run]]:
    """Return the stacks of `runs` that go on from a checkpoint each, and the runs that begin anew.

    Args:
        runs: In any order.
        checkpoints: Those that there are, the latest epochs first.
    """
    left = {run.run_id: run for run in runs}
    stacks = [[left.pop(run_id) for run_id in each.run_ids if run_id in left] for each in checkpoints]
    return [stack for stack in stacks if stack], list(left.values())


def _stacks(runs: Sequence[Run], slots: int, size: int | None, run_time: RunTime | None) -> list[list[Run]]:
    """Return runs to be trained as one model each."""
    least = min(WORTHWHILE, math.ceil(len(runs) / slots))
    wanted = max(least, min(LARGEST, math.ceil(len(runs) / (slots * SHARES))))
    stacks = []
    for workload, members in _groups(runs):
        limit = size or min(wanted, _affordable(workload, run_time))
        count = math.ceil(len(members) / limit)
        even = math.ceil(count / slots) * slots
        if size is None and len(members) >= even * WORTHWHILE:
            count = even
        stacks += _even(members, count)
    return stacks


def _affordable(workload: Workload, run_time: RunTime | None) -> int:
    """Return how many runs of a stack stay within what may be lost."""
    if run_time is None:
        return LARGEST
    seconds = run_time.seconds(workload)
    return FIRST if seconds is None else max(1, int(LOSS_S / seconds))


def _one_by_one(runs: Sequence[Run], slots: int, size: int | None, run_time: RunTime | None) -> list[list[Run]]:
    """Return runs to be trained each by itself; short ones many to a worker, for Ray's sake."""
    share = math.ceil(len(runs) / (slots * SHARES))
    stacks = []
    for workload, members in _groups(runs):
        seconds = run_time.seconds(workload) if run_time else None
        limit = 1 if seconds is None else max(1, min(LARGEST, share, int(ENOUGH_S / seconds)))
        stacks += _even(members, math.ceil(len(members) / (size or limit)))
    return stacks


def _groups(runs: Sequence[Run]) -> list[tuple[Workload, list[Run]]]:
    """Return the runs of each seed and workload."""
    groups: dict[tuple[int, Workload], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.seed, run.workload), []).append(run)
    return [(workload, members) for (_, workload), members in groups.items()]


def _even(members: Sequence[Run], count: int) -> list[list[Run]]:
    bounds = [round(i * len(members) / count) for i in range(count + 1)]
    return [list(members[a:b]) for a, b in pairwise(bounds)]
