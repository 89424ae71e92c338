"""What workers have written of trainings that are not done: the only thing in a study's folder that is no result.

    checkpoints/<part>.pt      the state of a stack, or of a single run, after an epoch
    checkpoints/<part>.json    which runs it is of

There is one a stack, that of its latest epoch; it goes when the stack's rows are stored.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from robustness.results.store import Store

FOLDER = "checkpoints"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint.

    Attributes:
        name: Its files' without ending.
        run_ids: The runs that it is of.
        epoch: The epoch, counted from 1, that had ended.
        epochs: Those that the training has.
        at: When it was written.
    """

    name: str
    run_ids: tuple[str, ...]
    epoch: int
    epochs: int
    at: datetime


class Checkpoints:
    """The checkpoints of a study; every method raises StorageError."""

    def __init__(self, store: Store) -> None:
        self._store, self._files = store, store.folder

    def write(self, run_ids: Sequence[str], epoch: int, epochs: int, data: bytes) -> None:
        """Write the state that `run_ids` have come to after `epoch` of `epochs`, in place of what was there of them."""
        name = self._store.part_name(run_ids)
        # First the state: a name that is listed has one.
        self._files.write(f"{FOLDER}/{name}.pt", data)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        note = {"run_ids": list(run_ids), "epoch": epoch, "epochs": epochs, "at": now}
        self._files.write(f"{FOLDER}/{name}.json", json.dumps(note).encode())

    def listed(self) -> list[Checkpoint]:
        """Return the checkpoints that are there, the latest epochs first."""
        names = [entry.name for entry in self._files.entries(FOLDER) if entry.name.endswith(".json")]
        found = [self._read(name.removesuffix(".json")) for name in names]
        return sorted((each for each in found if each), key=lambda checkpoint: -checkpoint.epoch)

    def find(self, run_ids: Iterable[str]) -> Checkpoint | None:
        """Return the latest checkpoint that is of all these runs; it may be of others too."""
        wanted = set(run_ids)
        return next((each for each in self.listed() if wanted <= set(each.run_ids)), None)

    def read(self, checkpoint: Checkpoint) -> bytes | None:
        """Return the state that was written; None if it is gone."""
        return self._files.read(f"{FOLDER}/{checkpoint.name}.pt")

    def remove(self, name: str) -> None:
        """Remove a checkpoint, if it is there."""
        for ending in ("json", "pt"):
            self._files.remove(f"{FOLDER}/{name}.{ending}")

    def tidy(self, over: set[str] | None) -> None:
        """Remove the checkpoints of runs that are all in `over`; None stands for any."""
        for checkpoint in self.listed():
            if over is None or over.issuperset(checkpoint.run_ids):
                self.remove(checkpoint.name)

    def _read(self, name: str) -> Checkpoint | None:
        data = self._files.read(f"{FOLDER}/{name}.json")
        try:
            note = json.loads(data or b"")
            epochs, at = (int(note["epoch"]), int(note["epochs"])), datetime.fromisoformat(note["at"])
            return Checkpoint(name, tuple(map(str, note["run_ids"])), *epochs, at.astimezone(UTC))
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return None
