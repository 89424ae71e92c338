"""Why results cannot be written or read: in one clear line, and whether waiting may cure it."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from typing import TYPE_CHECKING

import pyarrow as pa

from robustness import redaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class StorageError(Exception):
    """Results cannot be written or read; the text names the path and the cause."""


class Unreachable(StorageError):  # noqa: N818 - it says what it is
    """The server or network disk that holds the results is away or overloaded: it may come back."""


class ResultsWarning(UserWarning):
    """Something in a results folder was not what it should be, and was left out."""


_AWAY = {
    errno.ECONNABORTED,
    errno.ECONNREFUSED,
    errno.ECONNRESET,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.EIO,
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.ENOTCONN,
    errno.ESTALE,
    errno.ETIMEDOUT,
}
"""What a network disk says while its server is away."""

_AWAY_TEXT = re.compile(
    r"AWS Error (NETWORK_CONNECTION|SERVICE_UNAVAILABLE|SLOW_DOWN|THROTTLING|INTERNAL_FAILURE|REQUEST_TIMEOUT)"
    r"|HTTP status (408|429|5\d\d)|curlCode: \d+"
    r"|\b(UNAVAILABLE|DEADLINE_EXCEEDED|RESOURCE_EXHAUSTED|INTERNAL)\b"  # of Google's status
    r"|[Cc]ould ?n[o']t (connect|resolve host)|[Cc]onnection (refused|reset|timed out)"
)
"""The same of object stores: pyarrow gives them no number, only text."""


@contextlib.contextmanager
def explained(action: str, path: object, hidden: Callable[[str], str] = redaction.text) -> Iterator[None]:
    """Turn the errors of the operating system and of pyarrow into a StorageError with path and cause.

    Args:
        action: What was to be done.
        path: With what.
        hidden: Takes the keys out of a text: pyarrow's errors repeat the URI that they are about.
    """
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        kind = Unreachable if _is_away(error) else StorageError
        raise kind(hidden(f"cannot {action} {path}: {_cause(error)}")) from _without_keys(error, hidden)


def _without_keys(error: Exception, hidden: Callable[[str], str]) -> Exception:
    """Return an error as a traceback may show it: of the same kind, with the keys taken out of its words."""
    words = [hidden(each) if isinstance(each, str) else each for each in error.args]
    if words == list(error.args):
        return error
    copy = type(error)(*words)
    return copy.with_traceback(error.__traceback__)


def _is_away(error: Exception) -> bool:
    if isinstance(error, OSError) and error.errno:
        return error.errno in _AWAY
    return isinstance(error, OSError) and _AWAY_TEXT.search(str(error)) is not None


def _cause(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"the disk is full ({os.strerror(error.errno)})"
    if isinstance(error, OSError) and error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"{os.strerror(error.errno)}; check who owns the folder and whether it may be written"
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        return "a file stands where a folder should be"
    if isinstance(error, OSError) and error.errno:
        return error.strerror or os.strerror(error.errno)
    return re.sub(r" error_info=\{.*\}", "", " ".join(str(error).split()))  # pages of it, from Google's library
