"""A folder that shows what another holds and keeps what is newly written there: for code that is only tried."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 5_000
"""Entries of a folder and those above it that are mirrored; where there are more, the folder itself is used."""


@contextmanager
def mirror_of(folder: Path) -> Iterator[Path]:
    """Yield a mirror of links to what `folder` and the folders above it hold, so that `../table.csv` is found too.

    Where none can be made the folder itself is yielded.
    """
    with TemporaryDirectory(prefix="robustness-dry-run-", ignore_cleanup_errors=True) as root:
        place = None
        with suppress(OSError, _TooManyError):
            place = _mirrored(folder.resolve(), Path(root))
        yield place or folder


class _TooManyError(Exception):
    """There is too much to mirror."""


def _mirrored(folder: Path, root: Path) -> Path:
    real, place, left = Path(folder.anchor), root, MOST
    for part in (*folder.parts[1:], None):
        entries = [each for each in _listed(real) if each.name != part]
        left -= len(entries)
        if left < 0:
            raise _TooManyError
        for each in entries:
            (place / each.name).symlink_to(each.path)
        if part is not None:
            real, place = real / part, place / part
            place.mkdir()
    return place


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    """Return what is in a folder; of one that may be passed through but not listed, nothing."""
    with suppress(PermissionError), os.scandir(folder) as entries:
        return list(entries)
    return []
