"""When a worker writes a checkpoint of what it trains, where, and when it suspends it: the sweep's side of it."""

from __future__ import annotations

import contextlib
import time
import warnings
from typing import TYPE_CHECKING

from robustness.results import ResultsWarning, StorageError
from robustness.results.checkpoints import Checkpoints

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from robustness.results import Store
    from robustness.study import Run
    from robustness.study.resources import CheckpointPolicy
    from robustness.training.rows import State

TELL_EVERY_S = 5.0
"""How often a worker says how far it is, and asks whether it is to suspend what it trains."""

CLAIM_EVERY_S = 60.0
"""How often a worker asks whether another sweep has claimed the study."""

WORTHWHILE_S = 30.0
"""What is done within this time is finished, when a sweep is asked to stop; the rest is suspended."""

CHECKPOINT_TIME_SHARE = 20
"""By the clock, a checkpoint takes at most this part of the time: a large one is written less often."""


def _nothing(_share: float) -> None:
    """Tell nobody."""


class CheckpointKeeper:
    """The checkpoints of what one worker trains, a stack or a run at a time.

    Attributes:
        seconds: what the training that goes on had taken before it was suspended.
    """

    def __init__(
        self,
        store: Store,
        policy: CheckpointPolicy,
        sweep_id: str,
        *,
        tell: Callable[[float], None] = _nothing,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """Keep checkpoints in `store` as `policy` says.

        Args:
            store: the study's results.
            policy: when they are written.
            sweep_id: the sweep that trains.
            tell: hears from time to time which share of its epochs the training has behind it, 0 to 1.
            stopping: whether the sweep has been asked to stop.
        """
        self.seconds = 0.0
        self._store, self._policy, self._sweep_id = store, policy, sweep_id
        self._tell, self._stopping = tell, stopping
        self._checkpoints = Checkpoints(store)
        self._ids: list[str] = []
        self._names: set[str] = set()
        self._resumed: str | None = None
        self._begin(0)

    def load(self, runs: Sequence[Run]) -> State | None:
        """Return the checkpoint of `runs`; None if there is none, or none that can be used."""
        from robustness.training.checkpoint import from_bytes

        self._ids = [run.run_id for run in runs]
        self._begin(0)
        with contextlib.suppress(StorageError):  # then the training begins anew
            found = self._checkpoints.find(self._ids)
            if found is None:
                return None
            self._names.add(found.name)
            try:
                # What failed at its first epoch from here would fail so again.
                if found.name == self._resumed:
                    raise ValueError("the training failed when it went on from it")
                state = from_bytes(self._checkpoints.read(found) or b"")
            except ValueError as error:
                self._discard(found.name, str(error))
                return None
            self._resumed = found.name
            self._begin(state["epoch"], state.get("seconds", 0.0))
            return state
        return None

    def refuse(self, why: str) -> None:
        """Remove the checkpoint that was loaded; see `robustness.training.checkpoint.Keeper`."""
        name, self._resumed = self._resumed, None
        self._begin(0)
        if name is not None:
            with contextlib.suppress(StorageError):  # then it is refused another time
                self._discard(name, why)

    def ended(self, epoch: int, epochs: int, state: Callable[[], State]) -> None:
        """Write a checkpoint, or suspend the training, if it is time; see `robustness.training.checkpoint.Keeper`."""
        from robustness.training.checkpoint import Suspended

        self._resumed = None
        if epoch == epochs:
            return
        now = time.monotonic()
        if self._time_to_tell(epoch, epochs, now):
            if self._claim_is_lost(now):  # nothing that comes of it would be stored
                if self._policy.kept:
                    self._save(epoch, epochs, state)
                raise Suspended
            if self._asked_to_leave(epoch, epochs, now) and self._save(epoch, epochs, state):
                raise Suspended
        if self._due(epoch, now):
            self._save(epoch, epochs, state)

    def forget(self, done: set[str]) -> None:
        """Remove the checkpoints that were written or read here and are of `done` runs alone."""
        if self._names:
            with contextlib.suppress(StorageError):  # they take room, no more
                self._checkpoints.tidy(done)
            self._names.clear()

    def _discard(self, name: str, why: str) -> None:
        """Remove a checkpoint and say why."""
        self._warn(f"checkpoint {name} is not usable: {why}; the training begins anew")
        self._checkpoints.remove(name)

    def _begin(self, epoch: int, seconds: float = 0.0) -> None:
        self.seconds, self._first = seconds, epoch
        self._started = self._saved = self._told = self._claimed = time.monotonic()
        self._cost = 0.0

    def _time_to_tell(self, epoch: int, epochs: int, now: float) -> bool:
        """Tell how far it is, from time to time; return whether it was told."""
        if now - self._told < TELL_EVERY_S:
            return False
        self._told = now
        self._tell(epoch / epochs)
        return True

    def _claim_is_lost(self, now: float) -> bool:
        """Ask from time to time whether another sweep has claimed the study."""
        if now - self._claimed < CLAIM_EVERY_S:
            return False
        self._claimed = now
        with contextlib.suppress(StorageError):  # a store that is away is waited for at the end
            return not self._store.claimed_by(self._sweep_id)
        return False

    def _asked_to_leave(self, epoch: int, epochs: int, now: float) -> bool:
        """Return whether the sweep is to stop, and the rest is worth being left for another time."""
        left_s = (epochs - epoch) * (now - self._started) / (epoch - self._first)
        return self._policy.kept and left_s > WORTHWHILE_S and self._stopping()

    def _due(self, epoch: int, now: float) -> bool:
        policy, since = self._policy, now - self._saved
        by_clock = policy.minutes is not None and since >= max(60 * policy.minutes, CHECKPOINT_TIME_SHARE * self._cost)
        return by_clock or (policy.epochs is not None and epoch % policy.epochs == 0)

    def _save(self, epoch: int, epochs: int, state: Callable[[], State]) -> bool:
        """Write a checkpoint; return whether it could be written."""
        from robustness.training.checkpoint import to_bytes

        before = time.monotonic()
        try:
            data = to_bytes(state() | {"seconds": self.seconds + before - self._started})
            self._checkpoints.write(self._ids, epoch, epochs, data)
            self._names.add(self._store.part_name(self._ids))
        except (StorageError, ValueError) as error:
            self._warn(f"a checkpoint could not be written: {error}")
            return False
        finally:
            self._saved = time.monotonic()
            self._cost = self._saved - before
        return True

    def _warn(self, words: str) -> None:
        warnings.warn(f"{self._store!r}: {words}", ResultsWarning, stacklevel=3)
