"""Files below one folder, on a local disk or any pyarrow filesystem: whole or not there, never torn.

Local files are written beside their place under a name that starts with a dot, synced and renamed. An
object store gets one PUT from memory, which is atomic by itself.

No link below the folder is followed out of it: see `links`. The folder itself may be one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import time
from pathlib import Path

from robustness.results.files.errors import explained
from robustness.results.files.folder import Entry
from robustness.results.files.links import refuse_link, refuse_outside

_IS_LINK = {errno.ELOOP, errno.EMLINK}
"""What is said of a link that is not to be followed; BSD says the second."""
_TEMPORARY = re.compile(r"^\..+\.tmp$")


class LocalFolder:
    """A folder on a local (or mounted) disk."""

    threads = 2  # decoding takes the time, and more threads only contend for it

    def __init__(self, root: str) -> None:
        self._root = Path(root)

    def entries(self, folder: str = "") -> list[Entry]:
        """Return what `folder` holds, sorted by name; nothing if it does not exist."""
        path = self._place(folder)
        with explained("list", path), contextlib.suppress(FileNotFoundError), os.scandir(path) as found:
            return sorted((Entry(e.name, _is_file(e)) for e in found), key=lambda e: e.name)
        return []

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes; None if it does not exist (any more)."""
        full = self._beside(path)
        with (
            explained("read", full),
            contextlib.suppress(FileNotFoundError),
            open(full, "rb", 0, opener=self._opened) as file,
        ):
            return file.read()
        return None

    def local(self, path: str) -> str | None:
        """Return where a file can be opened in place."""
        return str(self._place(path))

    def write(self, path: str, data: bytes) -> None:
        """Write a file whole: a reader sees the old one or the new one, also after a crash."""
        target = self._beside(path)
        temporary = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
        with explained("write", target):
            _make_folder(target.parent)
            try:
                with temporary.open("xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(target)
            except BaseException:
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)
                raise
            _sync_folder(target.parent)

    def move(self, source: str, target: str) -> bool:
        """Move a file or folder; False if it is gone."""
        old, new = self._beside(source), self._beside(target)
        with explained("move", old):
            _make_folder(new.parent)
            try:
                old.rename(new)
            except FileNotFoundError:
                return False
        return True

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""
        full = self._beside(path)
        with explained("remove", full):
            full.unlink(missing_ok=True)

    def clean(self, folder: str, older_than_s: float) -> None:
        """Remove the temporary files of killed writers."""
        limit = time.time() - older_than_s
        for entry in self.entries(folder):
            path = self._root / folder / entry.name
            with explained("remove", path), contextlib.suppress(FileNotFoundError):
                if entry.is_file and _TEMPORARY.match(entry.name) and path.stat().st_mtime < limit:
                    path.unlink()

    def age(self, path: str) -> float | None:
        """Return the seconds since a file was written; None if it does not exist (any more)."""
        full = self._place(path)
        with explained("look at", full), contextlib.suppress(FileNotFoundError):
            return time.time() - full.stat().st_mtime
        return None

    def _place(self, path: str) -> Path:
        """Return where a file or folder lies, if no link on the way leads out of this folder, it itself included."""
        full = self._beside(path) if path else self._root
        if path:
            refuse_link(full, self._root)
        return full

    def _beside(self, path: str) -> Path:
        """Return where a file lies, if no link on the way to it leads out of this folder; it may itself be one."""
        where = self._root
        for name in path.split("/")[:-1]:
            where = where / name
            refuse_link(where, self._root)
        return self._root / path

    def _opened(self, path: str, flags: int) -> int:
        """Open a file to read, which may become a link meanwhile; a pipe is empty, rather than waited for."""
        try:
            return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            if error.errno not in _IS_LINK:
                raise
        refuse_outside(path, self._root)
        return os.open(path, flags | os.O_NONBLOCK)


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link to itself: nobody else's files are less there for it
        return False


def _make_folder(path: Path) -> None:
    if path.is_dir():
        return
    _make_folder(path.parent)
    path.mkdir(exist_ok=True)
    _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # some network disks cannot sync a folder
            raise
    finally:
        os.close(handle)
