"""Waiting for a store that is away: a server that is restarted, a network disk whose server is."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, TypeVar

from robustness.results.files.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

PATIENCE_S = 600.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0


def patiently(action: Callable[[], T], *, patience_s: float | None = None) -> T:
    """Return what `action` returns; where the store is away, do it again, less and less often.

    Args:
        action: what to do, as a whole: it may have got half way each time.
        patience_s: seconds after which to give up; default `PATIENCE_S`.

    Raises:
        Unreachable: The store was away all the time.
        StorageError: What waiting does not cure: no bucket, no permission, a full disk.
    """
    patience_s = PATIENCE_S if patience_s is None else patience_s
    started, wait = time.monotonic(), FIRST_WAIT_S
    while True:
        try:
            return action()
        except Unreachable as error:
            waited = time.monotonic() - started
            if waited >= patience_s:
                raise Unreachable(f"{error} (tried again for {waited / 60:.0f} min)") from error
        # By chance, so that the workers of a cluster do not all come back at once.
        time.sleep(wait * random.uniform(0.5, 1))  # noqa: S311
        wait = min(2 * wait, LONGEST_WAIT_S)
