"""What a folder of results is, wherever it lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Entry:
    """What a folder holds under a name."""

    name: str
    is_file: bool


class Folder(Protocol):
    """A folder; paths below it are relative, with slashes. Every method raises StorageError."""

    threads: int
    """How many reads at once pay."""

    def entries(self, folder: str = "") -> list[Entry]:
        """Return what `folder` holds, sorted by name; nothing if it does not exist."""

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes; None if it does not exist (any more)."""

    def local(self, path: str) -> str | None:
        """Return where a file can be opened in place; None if its bytes come over a network."""

    def write(self, path: str, data: bytes) -> None:
        """Write a file whole, in place of one that is there."""

    def move(self, source: str, target: str) -> bool:
        """Move a file or folder to a free name; False if it is gone."""

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""

    def clean(self, folder: str, older_than_s: float) -> None:
        """Remove what killed writers left behind."""

    def age(self, path: str) -> float | None:
        """Return the seconds since a file was written; None if it does not exist (any more)."""


PUBLISHED = "published.json"
"""What marks results that were published: nothing in their folder is moved."""
