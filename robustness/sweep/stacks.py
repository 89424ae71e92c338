"""Which runs are trained together: stacks of one seed, small enough that every core has work."""

from __future__ import annotations

import math
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from robustness.study import Run

LARGEST = 128
"""Beyond this the gain of a larger stack is gone, and a lost worker loses more."""

SHARES = 4
"""Stacks that each slot gets at least, so that the last one to finish leaves the others idle only briefly."""

WORTHWHILE = 32
"""Below this a stack is cut further only to give every slot one, not so that all finish together."""


def cut(runs: Sequence[Run], slots: int, size: int | None = None) -> list[list[Run]]:
    """Return `runs` as stacks of one seed, of about equal size; `size` None chooses it for `slots` workers."""
    if not runs:
        return []
    if runs[0].workload.engine == "single":
        # Seed by seed, so that a machine's faster and slower minutes fall on all optimizers alike.
        return [[run] for run in sorted(runs, key=lambda run: run.seed)]
    least = min(WORTHWHILE, math.ceil(len(runs) / slots))
    limit = size or max(least, min(LARGEST, math.ceil(len(runs) / (slots * SHARES))))
    stacks = []
    by_seed = sorted(runs, key=lambda run: run.seed)
    for _, group in groupby(by_seed, key=lambda run: run.seed):
        members = list(group)
        count = math.ceil(len(members) / limit)
        even = math.ceil(count / slots) * slots
        if size is None and len(members) >= even * WORTHWHILE:
            count = even
        bounds = [round(i * len(members) / count) for i in range(count + 1)]
        stacks += [members[a:b] for a, b in pairwise(bounds)]
    return stacks
