"""The user's home, which need not be one: a container may run us under any user id, with HOME=/ or none."""

from __future__ import annotations

import os
from pathlib import Path


class HomeError(ValueError):
    """A path begins with the ~ of somebody who has no home here; the text says what to do."""


def home() -> Path | None:
    """Return the user's home; None where neither HOME nor the system says which it is."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def expanded(path: str | Path) -> Path:
    """Return a path whose first ~ is the home that it stands for.

    Raises:
        HomeError: there is no such home.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        own = str(path).partition("/")[0] == "~"
        words = "begins with ~, and this user has no home: set HOME" if own else "names the home of an unknown user"
        raise HomeError(f"{words}, got {str(path)!r}") from None


def can_be_written(folder: Path) -> bool:
    """Return whether we can write into a folder, or make it where it is not there yet."""
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
