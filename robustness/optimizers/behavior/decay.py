"""How the weight decay of an optimizer acts, found by steps with and without it.

The conventions are defined by what they do to weights w at a learning rate eta:

    l2          as if lambda w were added to the gradient, step for step
    decoupled   takes eta lambda w more off the weights (or a constant share of it), whatever the gradient
    scheduled   likewise, divided by the size of the gradients
    vanilla     takes lambda w off the weights, whatever eta
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, get_args

import torch

from robustness.optimizers.base import Convention
from robustness.optimizers.behavior.problem import DECAY, Problem, Setting, problem_of

if TYPE_CHECKING:
    from torch import Tensor

    from robustness.optimizers.base import Optimizer

TOLERANCE = {torch.float64: 1e-5, torch.float32: 5e-3}
"""Greatest difference, as a share of what the decay does."""

ALL: tuple[Convention, ...] = get_args(Convention)


@dataclass(frozen=True)
class Action:
    """What a weight decay does.

    Attributes:
        conventions: those that agree with it, the likeliest first; none where it acts in another way.
        words: what was seen, where no convention agrees.
    """

    conventions: tuple[Convention, ...]
    words: str = ""


@lru_cache(maxsize=256)
def action_of(optimizer: Optimizer) -> Action:
    """Return what the weight decay of `optimizer` does.

    Raises:
        StepError: no step can be taken.
    """
    problem = problem_of(optimizer)
    without = problem.trajectory(optimizer, Setting())
    decayed = problem.trajectory(optimizer, Setting(weight_decay=DECAY))
    first = _first_apart(without, decayed)
    if first is None:
        return Action(ALL, "its weight decay does nothing")
    limit = TOLERANCE[problem.dtype]
    if _agree(problem.trajectory(optimizer, Setting(added=DECAY)), decayed, without, limit):
        # Of plain gradient descent the two are one.
        by_hand = problem.trajectory(optimizer, Setting(taken_off=Setting.lr * DECAY))
        return Action(("l2", "decoupled") if _agree(by_hand, decayed, without, limit) else ("l2",))
    share = _share(problem, optimizer, Setting(), first)
    if share is None:
        return Action((), "it acts neither as part of the gradient nor on the weights alone")
    found = _multiplicative(problem, optimizer, first, share)
    return Action(tuple(found), "" if found else "how much it takes off the weights follows no convention")


def _multiplicative(problem: Problem, optimizer: Optimizer, first: int, share: float) -> list[Convention]:
    """Return the convention of a decay that takes `share` of the weights off: by what `share` depends on."""
    faster = _share(problem, optimizer, Setting(lr=2 * Setting.lr), first)
    steeper = _share(problem, optimizer, Setting(scale=10.0), first)
    if faster is None or steeper is None:
        return []
    limit = 100 * TOLERANCE[problem.dtype]
    kinds: dict[Convention, tuple[float, float]] = {
        "decoupled": (2 * share, share),
        "scheduled": (2 * share, share / 10),
        "vanilla": (share, share),
    }
    return [
        kind
        for kind, (at_twice, at_ten) in kinds.items()
        if abs(faster - at_twice) <= limit * abs(at_twice) and abs(steeper - at_ten) <= limit * abs(at_ten)
    ]


def _share(problem: Problem, optimizer: Optimizer, setting: Setting, first: int) -> float | None:
    """Return which share of the weights the decay takes off in the step `first`; None where it does other things."""
    without = problem.trajectory(optimizer, setting, first)
    given = Setting(setting.lr, DECAY, setting.scale)
    decayed = problem.trajectory(optimizer, given, first)
    limit = TOLERANCE[problem.dtype]
    shares = []
    for before, plain, other in zip(without[first - 1], without[first], decayed[first], strict=True):
        difference = other - plain
        if float(difference.abs().max()) == 0:  # it leaves alone parameters of this shape
            continue
        # It may be taken off before the step or after it.
        share = _along(difference, before, limit) or _along(difference, plain, limit)
        if share is None:
            return None
        shares.append(share)
    return shares[0] if shares else None


def _along(difference: Tensor, weights: Tensor, limit: float) -> float | None:
    """Return c where `difference` is -c `weights`, c > 0; None where it is not."""
    share = -float((difference * weights).sum() / weights.square().sum())
    rest = float((difference + share * weights).norm())
    return share if share > 0 and rest <= limit * float(difference.norm()) else None


def _first_apart(one: list[list[Tensor]], other: list[list[Tensor]]) -> int | None:
    for number, (mine, theirs) in enumerate(zip(one, other, strict=True)):
        if any(not torch.equal(p, q) for p, q in zip(mine, theirs, strict=True)):
            return number
    return None


def _agree(one: list[list[Tensor]], other: list[list[Tensor]], base: list[list[Tensor]], limit: float) -> bool:
    """Whether two paths are the same, up to a share of how far the second is from a third."""
    for mine, theirs, without in zip(one[-1], other[-1], base[-1], strict=True):
        if not float((mine - theirs).norm()) <= limit * float((theirs - without).norm()):
            return False
    return True
