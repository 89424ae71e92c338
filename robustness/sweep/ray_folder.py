"""The folder of a Ray that a sweep starts here: ours alone, with a short path, removed at the end.

Ray keeps its sockets, logs and what it spills in it, and lets everybody on the machine write there.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from robustness.errors import ClusterError
from robustness.private_files import guards, is_ours, temporary_places

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "robustness-ray-"
LOCK = "lock"
RAY = "r"
"""Ray's own folder: it makes it writable for everybody, and ours around it keeps them out."""

LONGEST_SOCKET = 107 if sys.platform == "linux" else 103
"""Bytes that the path of a Unix socket may have."""

BELOW = "/session_2026-01-01_00-00-00_000000_4194304/sockets/plasma_store"
"""The longest path that Ray makes below its folder and has to be that short, but for its digits."""

LONGEST_PLACE = LONGEST_SOCKET - len(f"/{PREFIX}12345678/{RAY}{BELOW}")


@contextlib.contextmanager
def ray_folder() -> Iterator[Path]:
    """Make a folder for a Ray of this process and remove it at the end; before, remove what dead processes left.

    Raises:
        ClusterError: there is no place with a short path for it.
    """
    place = _place()
    clear(place)
    try:
        made = Path(tempfile.mkdtemp(prefix=f".{PREFIX}", dir=place))
        lock = FileLock(made / LOCK)  # it ends with the process, however that ends
        lock.acquire(blocking=False)
        folder = made.rename(place / made.name[1:])  # others that clear see no folder that is not locked
    except OSError as error:
        raise ClusterError(f"Ray does not start: no folder for it in {place}: {error.strerror or error}") from error
    try:
        yield folder / RAY
    finally:
        _remove(folder)
        lock.release()


def clear(place: Path) -> None:
    """Remove the folders that processes of ours left in `place` which were killed."""
    for folder in place.glob(f"{PREFIX}*"):
        if not is_ours(folder) or not (folder / LOCK).is_file():
            continue
        lock = FileLock(folder / LOCK)
        try:
            lock.acquire(blocking=False)
        except (Timeout, OSError):
            continue  # its process lives, or another one clears
        _remove(folder)
        lock.release()


def _remove(folder: Path) -> None:
    # What of Ray may still run finds no way to write into it, or removing it might meet new files.
    with contextlib.suppress(OSError):
        folder = folder.rename(folder.with_name(f"{folder.name}.gone"))
    shutil.rmtree(folder, ignore_errors=True)


def _place() -> Path:
    """Return where the folder can be: what the user names for Ray, or for temporary files, if Ray takes its path."""
    named = os.environ.get("RAY_TMPDIR")
    chosen = [Path(named)] if named and guards(Path(named)) else []
    for place in (*chosen, *temporary_places()):
        path = os.fsencode(place.absolute())
        if len(path) <= LONGEST_PLACE and path.isascii():  # Ray takes no other
            return place.absolute()
    raise ClusterError(
        f"Ray does not start: its sockets need a folder whose path has at most {LONGEST_PLACE} characters of ASCII and "
        "in which others cannot exchange files: set RAY_TMPDIR (or TMPDIR) to one"
    )
