"""Published files are held to the digests that were written when they were published."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustness.results.files.errors import StorageError
from robustness.results.files.folder import PUBLISHED

if TYPE_CHECKING:
    from robustness.results.files.folder import Entry, Folder
    from robustness.results.files.place import Place

LISTED = ("runs/", "curves/", "provenance/", "study.yaml", "resolved.json")
"""What no published folder has beyond those that its `published.json` lists."""
MEND = (
    "bring it back as it was (git checkout, or install the package again), or publish the study anew with `robustness"
    " publish`; nothing of this folder is used"
)
_sound: dict[str, tuple[int, int]] = {}
"""By path, when files that were read whole by this process had been written, and their size."""


class AlteredError(StorageError):
    """A published file is not the one that was published; the text says which, and what to do."""


class CheckedFolder:
    """A folder; if it is a published one, each file that is read from it is the one that was published."""

    def __init__(self, folder: Folder, root: Place) -> None:
        self._folder, self._root = folder, root
        self._known: tuple[dict[str, str] | None] | None = None
        self.threads = folder.threads

    def unchecked(self, path: str) -> bytes | None:
        """Return a file's bytes, whatever they are; None if it does not exist (any more)."""
        return self._folder.read(path)

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes; None if it does not exist (any more).

        Raises:
            AlteredError: It is not the file that was published.
        """
        data = self._folder.read(path)
        if data is not None and self._fault(path, data) is not None:
            self._known = None  # it may have been published anew meanwhile
            if (fault := self._fault(path, data)) is not None:
                raise AlteredError(fault)
        return data

    def local(self, path: str) -> str | None:
        """Return where a file can be opened in place; of a published one all was compared once."""
        place = self._folder.local(path)
        if place is not None and self.digests() is not None:
            try:
                state = Path(place).stat()
            except OSError:  # whoever opens it is told
                return place
            found = (state.st_mtime_ns, state.st_size)
            if _sound.get(place) != found:
                self.read(path)
                _sound[place] = found
        return place

    def digests(self) -> dict[str, str] | None:
        """Return the SHA-256 of each published file by its path; None where the folder is no published one.

        Raises:
            AlteredError: Its `published.json` lists none.
        """
        if self._known is None:
            data = self._folder.read(PUBLISHED)
            self._known = (None if data is None else _listed(data, f"{self._root}/{PUBLISHED}"),)
        return self._known[0]

    def _fault(self, path: str, data: bytes) -> str | None:
        """Return what is wrong with the bytes of a file."""
        digests = self.digests() if path.startswith(LISTED) else None
        if digests is None:
            return None
        if (expected := digests.get(path)) is None:
            return f"{self._root}/{path} is not among the files that were published: remove it, or {MEND}"
        found = hashlib.sha256(data).hexdigest()
        if found == expected:
            return None
        return (
            f"{self._root}/{path} is not the file that was published: its SHA-256 is {found}, {PUBLISHED} says"
            f" {expected}; {MEND}"
        )

    def entries(self, folder: str = "") -> list[Entry]:
        """Return what `folder` holds, sorted by name; nothing if it does not exist."""
        return self._folder.entries(folder)

    def write(self, path: str, data: bytes) -> None:
        """Write a file whole, in place of one that is there."""
        self._folder.write(path, data)
        self._known = None

    def move(self, source: str, target: str) -> bool:
        """Move a file or folder to a free name; False if it is gone."""
        return self._folder.move(source, target)

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""
        self._folder.remove(path)

    def clean(self, folder: str, older_than_s: float) -> None:
        """Remove what killed writers left behind."""
        self._folder.clean(folder, older_than_s)

    def age(self, path: str) -> float | None:
        """Return the seconds since a file was written; None if it does not exist (any more)."""
        return self._folder.age(path)


def _listed(data: bytes, name: str) -> dict[str, str]:
    try:
        files: Any = json.loads(data)["files"]
        return {str(path): str(digest) for path, digest in files.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise AlteredError(f"{name} does not list the digests of its files: {MEND}") from None
