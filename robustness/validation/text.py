"""The text of a file, or why it can't be had."""

from __future__ import annotations

from pathlib import Path

from robustness import redaction
from robustness.validation.problems import Problem, StudyError


def shown(path: Path) -> str:
    """Write a path as a message has it: below the current folder if it is there."""
    absolute, here = path.absolute(), Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else redaction.argument(str(path))


def read(path: Path) -> str:
    """Return the text of a study file.

    Raises:
        StudyError: if it can't be read or is not UTF-8.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise refused(shown(path), f"can't be read: {error.strerror}") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise refused(shown(path), f"is not UTF-8: byte 0x{content[error.start]:02x}", line) from None


def refused(file: str, message: str, line: int | None = None) -> StudyError:
    """Return the error of a file as a whole, or of one line of it."""
    return StudyError([Problem(file, line, "", message)])
