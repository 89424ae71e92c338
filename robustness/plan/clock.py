"""A workload whose batches take the time: what an epoch takes, without waiting for the end of a long one."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import torch

from robustness.workloads.base import altered
from robustness.workloads.data import Feed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from robustness.workloads import Workload
    from robustness.workloads.data import Batch

EPOCHS = 2
"""The first warms everything up and says how many batches there is time for, the second is timed."""


@dataclass
class Clock:
    """The time of each pass over a split: of training, and of evaluation.

    Attributes:
        budget: seconds that each pass may take, or a quarter more than its first batch.
        taken: by pass, the batches that there was time for.
        whole: by pass, all its batches.
        spent: by pass, the seconds of those taken, the last time that they were.
    """

    budget: float
    taken: dict[str, int] = field(default_factory=dict)
    whole: dict[str, int] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)

    @property
    def epoch(self) -> float:
        """Seconds of a whole epoch, evaluation included; passes that were cut short are scaled up."""
        return sum(self.spent[name] * self.whole[name] / self.taken[name] for name in self.spent)

    def timed(self, name: str, batches: Iterator[Batch], count: int | None = None) -> Iterator[Batch]:
        """Pass batches on, as many as there is time for; `count` is how many there are, where that is known."""
        if name not in self.taken:
            yield from self._limited(name, batches, count)
            return
        _wait()
        started = time.perf_counter()
        yield from islice(batches, self.taken[name])
        _wait()
        self.spent[name] = time.perf_counter() - started

    def _limited(self, name: str, batches: Iterator[Batch], count: int | None) -> Iterator[Batch]:
        started, taken, more, deadline = time.perf_counter(), 0, 0, float("inf")
        for batch in batches:
            if time.perf_counter() > deadline:
                # The rest is only counted: it is read, but nothing is computed with it.
                more = 1 + (sum(1 for _ in batches) if count is None else 0)
                break
            yield batch
            _wait()
            taken += 1
            self.spent[name] = time.perf_counter() - started
            if taken == 1:  # which may compile kernels and fill caches for seconds
                deadline = max(started + self.budget, time.perf_counter() + self.budget / 4)
        self.taken[name] = max(taken, 1)
        self.whole[name] = taken + more if count is None else count


class _ClockedFeed(Feed):
    """Another feed's batches, timed."""

    def __init__(self, feed: Feed, clock: Clock) -> None:
        self._feed, self._clock = feed, clock
        self.steps, self.splits, self.gaps = feed.steps, feed.splits, feed.gaps

    def train(self) -> Iterator[Batch]:
        """Return the next epoch's batches, or its first ones."""
        return self._clock.timed("train", self._feed.train(), self.steps)

    def evaluate(self, split: str) -> Iterator[Batch]:
        """Return a split's batches, or its first ones."""
        return self._clock.timed(split, self._feed.evaluate(split))

    def sample(self, examples: int) -> Iterator[Batch]:
        """Return the other feed's."""
        return self._feed.sample(examples)


def clocked(workload: Workload, clock: Clock) -> Workload:
    """Return `workload` with two epochs and without a Hessian, whose batches `clock` times."""
    kind = type(workload)

    def feed(self: Workload, seed: int, device: str, dtype: torch.dtype) -> Feed:
        return _ClockedFeed(kind.feed(self, seed, device, dtype), clock)

    return altered(workload, {"feed": feed}, epochs=EPOCHS, hessian=None)


def _wait() -> None:
    """Wait for the GPU, which is given work ahead of time."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
