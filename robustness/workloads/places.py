"""Where data lie on the machine that trains."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from robustness.machine.home import can_be_written, expanded, home
from robustness.options import ELSEWHERE
from robustness.private_files import kept_folder

VARIABLE: Final = "ROBUSTNESS_DATA"
"""The environment variable that names the folder of all data."""

CACHE: Final = "hyperparameter-robustness"
"""The folder's name below the user's cache folder."""


class DataError(Exception):
    """Data are absent or not what they should be; `str()` says which file, and what to do."""


def data_folder(data_dir: str | None = None) -> Path:
    """Return the folder of all data: `data_dir`, else $ROBUSTNESS_DATA, else one in the user's cache folder.

    The cache folder is $XDG_CACHE_HOME if that is an absolute path, else ~/.cache. The folder need not exist. Where the
    home is none, or nothing can be written there, it is a folder for temporary files that is this user's alone.

    Raises:
        DataError: the path is relative, or begins with the ~ of nobody, or there is no place at all.
    """
    given, name = (data_dir, "data_dir") if data_dir else (os.environ.get(VARIABLE), VARIABLE)
    if given:
        try:
            return _absolute(given)
        except ValueError as error:
            raise DataError(f"{name} {error}") from None
    given_cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if given_cache.is_absolute():  # the XDG base directory specification has a relative path ignored
        return given_cache / CACHE
    own = home()
    folder = own / ".cache" / CACHE if own else None
    # Not `Path.is_dir`, which fails in a home that is another user's.
    if folder and (os.path.isdir(folder) or can_be_written(folder)):  # noqa: PTH112
        return folder
    return _without_home()


@cache
def _without_home() -> Path:
    try:
        return kept_folder("robustness-data")
    except OSError as error:
        raise DataError(f"no place for data: {error}; or set HOME or {VARIABLE} to one") from None


def _absolute(given: str) -> Path:
    folder = expanded(given)
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
