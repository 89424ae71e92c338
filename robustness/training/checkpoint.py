"""A training suspended between two epochs, with all that it takes to go on as if it had never stopped.

On a CPU it ends as the uninterrupted one, to the bit: besides weights and optimizer a checkpoint has the history, the
place in the data's order and the state of every random stream. It is read without unpickling: tensors, numbers, texts,
lists and dictionaries are all there is in it.
"""

from __future__ import annotations

import io
import pickle
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from robustness.study import Run
    from robustness.training.history import History
    from robustness.training.rows import State
    from robustness.workloads.data import Feed


FORMAT = 2
"""Goes up when older checkpoints are of no use; those of format 1 do not say so."""


UNREAD = re.compile(r"Unsupported (?:global: GLOBAL|class) ([\w.]+)")
"""Where torch names what it does not make without unpickling."""


class Keeper(Protocol):
    """Where a training's checkpoints lie, and who hears how far it is."""

    def load(self, runs: Sequence[Run]) -> State | None:
        """Return the state of all of `runs` at the latest epoch that was kept; None if none was."""

    def refuse(self, why: str) -> None:
        """Hear why what was loaded is of no use; the training begins anew."""

    def ended(self, epoch: int, epochs: int, state: Callable[[], State]) -> None:
        """Hear that `epoch` of `epochs` (counted from 1) has ended; `state` makes what a checkpoint has now.

        Raises:
            Suspended: the training is to end here, and goes on another time.
        """


class Suspended(Exception):  # noqa: N818 - no error: the training goes on another time
    """A training was asked to stop; its state is in a checkpoint, if any is kept."""


class Resumable(Protocol):
    """What has a state between two epochs."""

    def state(self) -> State:
        """Return the state; it may share memory with what goes on."""

    def objection(self, state: State) -> str | None:
        """Return why it can't go on from `state`, which other code may have made; None if it can."""

    def resume(self, state: State) -> None:
        """Go on from what `state` returned."""


@dataclass(frozen=True)
class Course:
    """A training from epoch to epoch, and its checkpoints."""

    keeper: Keeper | None
    engine: Resumable
    history: History
    feed: Feed
    device: str

    def begin(self) -> int:
        """Return the epoch to begin with, counted from 0; everything is then as it was at the checkpoint."""
        saved = self.keeper.load(self.history.runs) if self.keeper else None
        if self.keeper is None or saved is None:
            return 0
        if why := self.engine.objection(saved["engine"]):
            self.keeper.refuse(why)
            return 0
        self.history.resume(saved["history"])
        self.engine.resume(saved["engine"])
        self.feed.resume(saved["epoch"], saved["feed"])
        # Last: passing over epochs of the feed may have drawn.
        _set_random(saved["random"], self.device)
        epoch: int = saved["epoch"]
        return epoch

    def ended(self, epoch: int) -> None:
        """Hear that `epoch`, counted from 0, has ended.

        Raises:
            Suspended: the training is to end here.
        """
        if self.keeper:
            self.keeper.ended(epoch + 1, self.history.workload.epochs, lambda: self._state(epoch + 1))

    def _state(self, epochs: int) -> State:
        return {
            "epoch": epochs,
            "history": self.history.state(),
            "engine": self.engine.state(),
            "feed": self.feed.state(),
            "random": _random(self.device),
        }


def to_bytes(state: State) -> bytes:
    """Return a state as bytes.

    Raises:
        ValueError: something of it has no form as bytes, such as a function.
    """
    content = io.BytesIO()
    try:
        torch.save(state | {"format": FORMAT}, content)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ValueError(f"a state that cannot be kept: {error}") from error
    return content.getvalue()


def from_bytes(data: bytes) -> State:
    """Read what `to_bytes` wrote, onto the CPU.

    Raises:
        ValueError: the bytes are no checkpoint, or another version of this package wrote it.
    """
    try:
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever its reader meets in a damaged file
        # torch says at length how to trust the file, which nobody is to do.
        held = UNREAD.search(str(error))
        words = f"it holds a {held[1]}, which no file is trusted to make" if held else str(error)
        raise ValueError(f"not a checkpoint: {words}") from error
    if not isinstance(state, dict) or not {"epoch", "history", "engine", "feed", "random"} <= state.keys():
        raise ValueError("not a checkpoint: it holds something else")
    if state.get("format") != FORMAT:
        raise ValueError("another version of this package wrote it")
    return state


def _random(device: str) -> State:
    state = {"cpu": torch.get_rng_state()}
    return state | ({"cuda": torch.cuda.get_rng_state()} if device == "cuda" else {})


def _set_random(state: State, device: str) -> None:
    torch.set_rng_state(state["cpu"])
    if device == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"])
