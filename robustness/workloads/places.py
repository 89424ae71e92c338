"""Where data lie on the machine that trains."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from robustness.options import ELSEWHERE

VARIABLE: Final = "ROBUSTNESS_DATA"
"""The environment variable that names the folder of all data."""

CACHE: Final = "hyperparameter-robustness"
"""The folder's name below the user's cache folder."""


class DataError(Exception):
    """Data are absent or not what they should be; `str()` says which file, and what to do."""


def data_folder(data_dir: str | None = None) -> Path:
    """Return the folder of all data: `data_dir`, else $ROBUSTNESS_DATA, else one in the user's cache folder.

    The cache folder is $XDG_CACHE_HOME if that is an absolute path, else ~/.cache. The folder need not exist.

    Raises:
        DataError: the path is relative, or begins with the ~ of nobody.
    """
    given, name = (data_dir, "data_dir") if data_dir else (os.environ.get(VARIABLE), VARIABLE)
    if given:
        try:
            return _absolute(given)
        except ValueError as error:
            raise DataError(f"{name} {error}") from None
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The XDG base directory specification has a relative path ignored.
    return (cache if cache.is_absolute() else Path("~/.cache").expanduser()) / CACHE


def _absolute(given: str) -> Path:
    try:
        folder = Path(given).expanduser()
    except RuntimeError:
        raise ValueError(f"names the home of an unknown user, got {given!r}") from None
    if not folder.is_absolute():
        # A worker's current folder is not that of whoever wrote the path.
        raise ValueError(f"must be an absolute path, or one that begins with ~, got {given!r}")
    return folder


def _usable(given: str | None) -> str | None:
    if given is not None:
        _absolute(given)
    return given


DataDir = Annotated[
    str | None,
    AfterValidator(_usable),
    Field(description=f"Absolute folder of the data; if absent, ${VARIABLE} or a folder in the cache."),
    ELSEWHERE,
]
