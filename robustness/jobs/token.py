"""The token that a Ray cluster with authentication asks for, from where Ray itself looks for it."""

from __future__ import annotations

import os

from robustness.jobs.errors import JobsError
from robustness.machine.home import HomeError, expanded
from robustness.private_files import SharedFileError, secret_text


def headers() -> tuple[dict[str, str], str]:
    """Return the HTTP headers of this machine's token, and words on where it is from.

    They do no harm on a cluster without authentication. Where $RAY_AUTH_MODE says something else than `token`,
    there are none: then it is Ray's to know what is needed.

    Raises:
        JobsError: $RAY_AUTH_TOKEN_PATH names a file that cannot be read, others can read it, or the token is no single
            line.
    """
    mode = os.environ.get("RAY_AUTH_MODE", "token")
    if mode.lower() != "token":
        return {}, f"none is sent because RAY_AUTH_MODE is {mode}"
    found = _token()
    if found is None:
        return {}, "this machine has none"
    token, origin = found
    if len(token.split()) > 1 or not token.isascii():
        raise JobsError(f"the token in {origin} is no token: it must be one word of ASCII characters")
    return {"Authorization": f"Bearer {token}"}, f"the one in {origin} is another"


def _token() -> tuple[str, str] | None:
    """Return the token, and where it is from; None if there is none."""
    if text := os.environ.get("RAY_AUTH_TOKEN", "").strip():
        return text, "the environment variable RAY_AUTH_TOKEN"
    named = os.environ.get("RAY_AUTH_TOKEN_PATH", "").strip()
    try:
        path = expanded(named or "~/.ray/auth_token")
    except HomeError as error:
        if named:
            raise JobsError(f"RAY_AUTH_TOKEN_PATH: {error}") from None
        return None
    try:
        token = secret_text(path).strip()
    except SharedFileError as error:
        raise JobsError(f"RAY_AUTH_TOKEN_PATH: {error}" if named else str(error)) from error
    except OSError as error:
        if named:
            raise JobsError(f"RAY_AUTH_TOKEN_PATH: cannot read {path}: {error.strerror}") from error
        return None
    return (token, str(path)) if token else None
