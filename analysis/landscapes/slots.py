"""Which of the looks an optimizer has: decided by what it is, so that it is drawn alike wherever it is drawn.

The optimizers of this project with their default options have a slot of their own each. Any other, by its name and
options, is hashed to one; where two of a picture meet, they part in the order of their identities, which is the same
whatever the order of a study's file.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING

from analysis.landscapes.labels import canonical

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from analysis.landscapes.labels import Identity

FIXED = ("adams", "adamw", "adam", "amsgrad", "radam", "adabound", "padam", "yogi", "sgd", "sgd-eq1", "sgds")
"""Names of the optimizers that have a slot of their own with their default options, by slot."""
SLOTS = 12
"""No two of up to so many optimizers look alike."""
OFTEN = 3
"""The first slots are those of optimizers that nearly every study has: others are hashed to the rest."""


def slots(identities: Mapping[str, Identity]) -> dict[str, int]:
    """Return label -> slot, of all optimizers that can stand in one picture; no two of them have the same.

    Args:
        identities: label -> name and canonical options; the order plays no part.

    Example:
        >>> from analysis.landscapes.slots import slots
        >>> slots({"AdamW": ("adamw", "{}"), "mine": ("my:Own", "{}")})["mine"] != 1
        True
    """
    every = sorted(set(identities.values()))
    given = {one: FIXED.index(one[0]) for one in every if _is_fixed(one)}
    for one in every:
        if one not in given:
            taken = set(given.values())
            given[one] = next(slot for slot in _tried(one) if slot not in taken)
    return {label: given[one] for label, one in identities.items()}


def own_slots(labels: Collection[str]) -> dict[str, int]:
    """Return label -> slot in the labels' order, where nothing is known of the optimizers."""
    return {label: slot for slot, label in enumerate(labels)}


def _is_fixed(identity: Identity) -> bool:
    name, options = identity
    return name in FIXED and options == _defaults()[name]


@cache
def _defaults() -> dict[str, str]:
    """Return the canonical default options of each optimizer of `FIXED`."""
    from robustness.optimizers import OPTIMIZERS
    from robustness.study.run import stored_options

    return {name: canonical(stored_options(OPTIMIZERS[name](name=name))) for name in FIXED}


def _tried(identity: Identity) -> Iterator[int]:
    """Yield slots in the order in which an optimizer tries them; there are ever more."""
    digest = hashlib.sha256("\n".join(identity).encode()).digest()
    rest = SLOTS - OFTEN
    first = int.from_bytes(digest[:8], "big") % rest
    yield from (OFTEN + (first + step) % rest for step in range(rest))
    yield from range(OFTEN)
    turn = SLOTS
    while True:
        yield turn
        turn += 1
