"""Waiting for what another process or thread does, as long as it takes and no longer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")

PATIENCE_S = 90.0
PAUSE_S = 0.02


def wait_for(
    condition: Callable[[], Found],
    seconds: float = PATIENCE_S,
    *,
    why: str | Callable[[], object] = "nothing happened",
    pause: float = PAUSE_S,
) -> Found:
    """Return what `condition` gives as soon as that is true.

    Args:
        condition: asked every `pause` seconds; it may raise, where there is nothing more to wait for.
        seconds: after which the test fails.
        why: what the failure says, or what gives it.
        pause: seconds between two questions.
    """
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {why() if callable(why) else why}"
        time.sleep(pause)
    return found
