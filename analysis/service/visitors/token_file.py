"""The file that says who may come in: a line a visitor, or one token alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.service.visitors.visitor import ROLES, Visitor, is_name, only, problem_of
from robustness.private_files import SharedFileError, secret_text

if TYPE_CHECKING:
    from pathlib import Path

FORM = "NAME ROLE TOKEN, with the role look or submit"


class TokenError(Exception):
    """There is no usable token where one was said to be; the text says why, and no token."""


def visitors_of(path: Path) -> tuple[Visitor, ...]:
    """Return who may come in, as a file says.

    A line is `NAME ROLE TOKEN`; a file may instead have one token alone, which allows all. Empty lines and those that
    begin with `#` are passed over.

    Raises:
        TokenError: The file cannot be read, others can read it too, or a line is none of these, has a name or a token
            of an earlier one, or a token that is too short; the line is named by its number.
    """
    place = f"--token-file {path}"
    try:
        text = secret_text(path).removeprefix("\ufeff")
    except SharedFileError as error:
        raise TokenError(f"--token-file: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise TokenError(f"{place}: cannot be read: {error}") from error
    lines = [(number, line.split()) for number, line in enumerate(text.split("\n"), 1)]
    lines = [(number, words) for number, words in lines if words and not words[0].startswith("#")]
    if len(lines) == 1 and len(lines[0][1]) == 1:
        token = lines[0][1][0]
        if problem := problem_of(token):
            raise TokenError(f"{place}: {problem}")
        return only(token)
    if not lines:
        raise TokenError(f"{place}: it has no line {FORM}, and no token alone")
    return _distinct(place, [(number, _visitor(f"{place}, line {number}", words)) for number, words in lines])


def _visitor(place: str, words: list[str]) -> Visitor:
    if len(words) != 3:
        raise TokenError(f"{place}: a line is {FORM}; a token alone is the only line of its file")
    name, role, token = words
    if not is_name(name):
        raise TokenError(f"{place}: a name has 1 to 40 letters, digits, or any of . _ @ - and is not `local`")
    if role not in ROLES:
        raise TokenError(f"{place}: the role of {name} must be {' or '.join(ROLES)}")
    if problem := problem_of(token):
        raise TokenError(f"{place}: {problem}; that of {name} is not")
    return Visitor(name=name, role=role, token=token)


def _distinct(place: str, found: list[tuple[int, Visitor]]) -> tuple[Visitor, ...]:
    names: dict[str, int] = {}
    tokens: dict[str, int] = {}
    for number, visitor in found:
        for what, known, value in (("name", names, visitor.name), ("token", tokens, visitor.token)):
            if value in known:
                raise TokenError(f"{place}, line {number}: it has the {what} of line {known[value]}; each has its own")
            known[value] = number
    return tuple(visitor for _, visitor in found)
