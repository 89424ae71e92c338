"""The file that keeps what cookies are signed with from one start to the next."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from robustness.private_files import SharedFileError, secret_text

if TYPE_CHECKING:
    from pathlib import Path

LEAST = 32
"""Characters of a secret that cookies are signed with."""


class SecretError(Exception):
    """There is no usable secret where one was said to be; the text says why."""


def kept_secret(path: Path) -> str:
    """Return the secret in a file; where there is no such file, it is made, for its owner alone.

    Raises:
        SecretError: It can neither be read nor made, or has no secret.
    """
    place = f"--secret-file {path}"
    try:
        return _made(path)
    except FileExistsError:
        pass
    except OSError as error:
        raise SecretError(f"{place}: cannot be made: {error}") from error
    try:
        secret = secret_text(path).strip()
    except SharedFileError as error:
        raise SecretError(f"--secret-file: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(f"{place}: cannot be read: {error}") from error
    if len(secret) < LEAST:
        raise SecretError(f"{place}: a secret has at least {LEAST} characters; without the file, one is made")
    return secret


def _made(path: Path) -> str:
    secret = secrets.token_urlsafe(LEAST)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(f"{secret}\n")
    return secret
