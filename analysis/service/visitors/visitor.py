"""A visitor: the name, the role and the token of one who may come in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

LOOK, SUBMIT = "look", "submit"
ROLES = (LOOK, SUBMIT)

LEAST = 16
"""Characters of a token."""

NAME = r"[A-Za-z0-9][A-Za-z0-9._@-]{0,39}"

_KEY = "robustness.visitor"


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Who may come in.

    Attributes:
        name: What the log calls them.
        role: `look`, or `submit`, which may look and also start and stop studies.
        token: What they know; "" where nothing is asked. It is never printed.
    """

    name: str
    role: str
    token: str = field(repr=False)

    @property
    def submits(self) -> bool:
        """Whether they may start and stop studies, where the service lets anybody."""
        return self.role == SUBMIT


LOCAL = Visitor(name="local", role=SUBMIT, token="")
"""Whoever asks a service on a loopback address that asks for no token."""


def only(token: str) -> tuple[Visitor]:
    """Return the visitors of a service that has one token, which allows all."""
    return (Visitor(name="visitor", role=SUBMIT, token=token),)


def problem_of(token: str) -> str | None:
    """Return why a text is no token; None where it is one."""
    if len(token) >= LEAST and len(token.split()) == 1 and token.isascii() and token.isprintable():
        return None
    return f"a token is one word of at least {LEAST} ASCII characters"


def is_name(text: str) -> bool:
    """Return whether a visitor can be called so; `local` is taken."""
    return re.fullmatch(NAME, text) is not None and text != LOCAL.name


def note(environ: dict[str, Any], visitor: Visitor) -> None:
    """Set down who makes a request, in its WSGI environment."""
    environ[_KEY] = visitor


def noted(environ: Mapping[str, Any]) -> Visitor | None:
    """Return who makes a request; None before it is known, and where it is refused."""
    found: Visitor | None = environ.get(_KEY)
    return found
