"""Files and folders of ours on a machine with other users: what they cannot read, and cannot exchange for their own."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHERS_READ = stat.S_IRGRP | stat.S_IROTH
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH

USUAL = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - only where others cannot exchange what is ours
"""Where temporary files may lie, after the user's own choice."""


class SharedFileError(Exception):
    """A file that holds a secret can be read or written by others; the text names it and says what to do."""


def secret_text(path: Path) -> str:
    """Return the text of a file that holds a secret.

    Raises:
        SharedFileError: others than its owner can read or write it.
        OSError: it cannot be read.
        UnicodeDecodeError: it is no text.
    """
    with path.open(encoding="utf-8") as file:
        mode = os.fstat(file.fileno()).st_mode
        # Elsewhere the bits say nothing of who may read.
        if os.name == "posix" and mode & (OTHERS_READ | OTHERS_WRITE):
            raise SharedFileError(
                f"{path} can be read or written by others (mode {stat.S_IMODE(mode):04o}), and holds a secret: give "
                f"`chmod 600 {path}`, and make a new secret where others may have read it"
            )
        return file.read()


def temporary_places() -> Iterator[Path]:
    """Yield folders for temporary files in which nobody else can rename or exchange what is ours: $TMPDIR first."""
    named = (_chosen(), *USUAL, os.environ.get("XDG_RUNTIME_DIR", ""))
    yield from filter(guards, map(Path, filter(None, dict.fromkeys(named))))


def _chosen() -> str:
    try:
        return tempfile.gettempdir()
    except FileNotFoundError:  # none that it knows can be written
        return ""


def guards(folder: Path) -> bool:
    """Return whether we can write into `folder`, and others cannot exchange there what is ours."""
    try:
        found = folder.stat()
    except OSError:
        return False
    alone = found.st_uid in {0, os.geteuid()} and not found.st_mode & OTHERS_WRITE
    shared = bool(found.st_mode & stat.S_ISVTX)  # as /tmp is: a name is its owner's
    return stat.S_ISDIR(found.st_mode) and (alone or shared) and os.access(folder, os.W_OK | os.X_OK)


def is_ours(folder: Path) -> bool:
    """Return whether `folder` is one, no link to one, and ours, and nobody else can write into it."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & OTHERS_WRITE


def temporary_folder(prefix: str) -> Path:
    """Make a folder that only we can look into, where nobody else can exchange it; its maker removes it.

    Raises:
        OSError: there is no such place.
    """
    return Path(tempfile.mkdtemp(prefix=prefix, dir=_place()))


def kept_folder(name: str) -> Path:
    """Return the temporary folder `name` of this user, which stays from one process to the next.

    Where it is not ours alone another is taken, which ends with the process.

    Raises:
        OSError: there is no place for one.
    """
    folder = _place() / f"{name}-{os.geteuid()}"
    with contextlib.suppress(FileExistsError):  # it may be no folder
        folder.mkdir(mode=0o700, exist_ok=True)
    if is_ours(folder):
        return folder
    folder = temporary_folder(f"{name}-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _place() -> Path:
    for place in temporary_places():
        return place
    raise OSError(
        f"others could exchange what is ours in any folder for temporary files ({', '.join(USUAL)}): set TMPDIR to a "
        "folder that you alone can write to"
    )
