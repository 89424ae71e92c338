"""A figure of a study as a row of the registry: what it is called, how it is drawn, and where it is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.contents.gather import Contents
    from analysis.figures.base.theme import Drawing

    Draw = Callable[[Contents], Drawing | "NotDrawn"]

Source = Literal["maps", "cut", "curves", "runs"]
ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
AFTER_OURS = 1000
"""The place in the report of a figure that asks for none: after all that have one."""


@dataclass(frozen=True)
class NotDrawn:
    """Why the data do not allow a figure.

    Attributes:
        reason: In plain words, to follow "not drawn: "; no capital, no full stop.
    """

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True)
class OnPaper:
    """What the paper has under a figure's number.

    Attributes:
        trained: What the paper trained for it; None where that does not matter.
        claims: Ids of the claims that it makes.
    """

    trained: str | None
    claims: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure of a study.

    Attributes:
        id: What it is called in addresses, in names of files and on the command line: small letters, digits and
            hyphens.
        heading: What stands over it; plain text.
        draw: From all that is known of one workload to the drawing, or to the reason why these data do not allow it.
        on_paper: What the paper has under this number; None for a figure of our own.
        in_report: Its place in the report and in the service's list, the least first; None keeps it out of both.
        as_file: Whether `robustness figures` writes it.
        source: What it is drawn from: whole maps, a cut through them, the learning curves, or the runs as they are. A
            claim is shown by another figure where there is no such thing.

    Raises:
        ValueError: The id has other signs in it.
    """

    id: str
    heading: str
    draw: Draw
    on_paper: OnPaper | None = None
    in_report: int | None = AFTER_OURS
    as_file: bool = True
    source: Source = "runs"

    def __post_init__(self) -> None:
        if not ID.fullmatch(self.id):
            raise ValueError(f"{self.id!r} is no id of a figure: small letters, digits and single hyphens")
