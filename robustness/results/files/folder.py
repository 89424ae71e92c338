"""What a folder of results is, wherever it lies, and how its place is written."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from robustness.results.files.errors import StorageError
from robustness.results.files.links import refuse_link


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


def absolute(root: str | Path) -> str:
    """Return `root` as a URI, or as an absolute local path (also for a `file:` URI)."""
    text = os.fspath(root)
    if text.startswith("file:"):
        parts = urlsplit(text)
        if parts.netloc not in {"", "localhost"} or not parts.path.startswith("/"):
            raise StorageError(f"{text}: a file URI has the form file:///absolute/path")
        return unquote(parts.path)
    if is_uri(text):
        return text
    return str(Path(text).expanduser().absolute())


def shown(root: str) -> str:
    """Return a path or URI for a message, without the key and secret that a URI may carry."""
    return re.sub(r"://[^/@\s]*@", "://***@", root)


def is_uri(text: str) -> bool:
    """Tell `s3://bucket/x` from a local path."""
    return re.match(r"^[A-Za-z][A-Za-z0-9+.-]+://", text) is not None


def child(root: str | Path, name: str) -> str:
    """Return the folder `name` below `root`; the query of a URI stays at its end.

    Raises:
        LinkError: It is a link that leads out of `root`; see `links`.
    """
    text = absolute(root)
    if not is_uri(text):
        place = Path(text) / name
        if not Path(name).is_absolute():  # a folder that is named whole is asked for as it is
            refuse_link(place, text)
        return str(place)
    path, mark, query = text.partition("?")
    return f"{path.rstrip('/')}/{name}{mark}{query}"


PUBLISHED = "published.json"
"""What marks results that were published: nothing in their folder is moved."""
