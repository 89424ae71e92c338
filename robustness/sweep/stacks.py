"""Which runs are trained together: stacks of one workload and seed, small enough that every core has work."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from robustness.study import Run
    from robustness.workloads import Workload

LARGEST = 128
"""Beyond this the gain of a larger stack is gone, and a lost worker loses more."""

SHARES = 4
"""Stacks that each slot gets at least, so that the last one to finish leaves the others idle only briefly."""

WORTHWHILE = 32
"""Below this a stack is cut further only to give every slot one, not so that all finish together."""


def cut(runs: Sequence[Run], slots: int, size: int | None = None) -> list[list[Run]]:
    """Return `runs` as stacks of one workload and seed, of about equal size.

    `size` None chooses it for `slots` workers.
    """
    if not runs:
        return []
    # Seed by seed, so that a machine's faster and slower minutes fall on all optimizers alike.
    runs = sorted(runs, key=lambda run: run.seed)
    alone = [[run] for run in runs if run.workload.engine == "single"]
    together = [run for run in runs if run.workload.engine == "stack"]
    return [*_stacks(together, slots, size), *alone]


def _stacks(runs: Sequence[Run], slots: int, size: int | None) -> list[list[Run]]:
    """Return runs of the engine `stack`, ordered by seed, as stacks of one workload and seed."""
    if not runs:
        return []
    least = min(WORTHWHILE, math.ceil(len(runs) / slots))
    limit = size or max(least, min(LARGEST, math.ceil(len(runs) / (slots * SHARES))))
    groups: dict[tuple[int, Workload], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.seed, run.workload), []).append(run)
    stacks = []
    for members in groups.values():
        count = math.ceil(len(members) / limit)
        even = math.ceil(count / slots) * slots
        if size is None and len(members) >= even * WORTHWHILE:
            count = even
        bounds = [round(i * len(members) / count) for i in range(count + 1)]
        stacks += [members[a:b] for a, b in pairwise(bounds)]
    return stacks
