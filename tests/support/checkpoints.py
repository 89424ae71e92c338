"""Trainings that are killed after an epoch, and go on from the bytes that were set down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from robustness.training import train
from robustness.training.checkpoint import from_bytes, to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from robustness.study import Run
    from robustness.training import History
    from robustness.training.rows import State


class KilledError(Exception):
    """What a test ends a training with."""


class Memory:
    """Keeps the last checkpoint as bytes, and kills the training after an epoch."""

    def __init__(self, kill: int = 0) -> None:
        self.kill, self.saved = kill, b""
        self.heard: list[tuple[int, int]] = []
        self.refused: list[str] = []
        self.loaded = 0

    def load(self, runs: Sequence[Run]) -> State | None:
        state = from_bytes(self.saved) if self.saved else None
        self.loaded = state["epoch"] if state else 0
        return state

    def refuse(self, why: str) -> None:
        self.refused.append(why)

    def ended(self, epoch: int, epochs: int, state: Callable[[], State]) -> None:
        self.heard.append((epoch, epochs))
        if epoch < epochs:
            self.saved = to_bytes(state())
        if epoch == self.kill:
            raise KilledError


def resumed(runs: Sequence[Run], kill: int, later: Sequence[Run] | None = None) -> list[History]:
    """Train, kill after `kill` epochs, and go on with `later` from what was set down."""
    keeper = Memory(kill)
    with pytest.raises(KilledError):
        train(runs, device="cpu", keeper=keeper)
    keeper.kill = 0
    histories = train(later or runs, device="cpu", keeper=keeper)
    assert keeper.loaded == kill
    return histories


def rows(histories: Sequence[History]) -> dict[str, Any]:
    return {row["run_id"]: row for history in histories for row in history.rows({})}


def curves(histories: Sequence[History]) -> dict[str, np.ndarray]:
    return {
        run.run_id: np.stack([history.values[name][index] for name in sorted(history.values)])
        for history in histories
        for index, run in enumerate(history.runs)
    }


def same(some: Sequence[History], others: Sequence[History]) -> None:
    assert rows(some) == rows(others)
    for (a, b), (c, d) in zip(sorted(curves(some).items()), sorted(curves(others).items()), strict=True):
        assert a == c
        np.testing.assert_array_equal(b, d)
