"""What a dry run finds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

SINGLE = "`engine: single` in the workload trains it one run at a time"
"""The way out for what a stack cannot train."""


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        text: names what it is of, what it is, and what to write instead.
        fatal: whether nothing is trained for it; else it is said once.
        resumes: False where runs are not to be set down, because they would not go on as if they had not been.
        tried: False where nothing was tried, and is to be another time.
    """

    text: str
    fatal: bool = True
    resumes: bool = True
    tried: bool = True

    def plain(self) -> dict[str, Any]:
        """Return it in the form of JSON."""
        return asdict(self)


def words_of(failure: Exception) -> str:
    """Return an error of another's code as one line of at most some four hundred characters."""
    return f"{type(failure).__name__}: {' '.join(str(failure).split())[:400]}"


class Refusal(Exception):  # noqa: N818 - what is wrong is in the study, not in this program
    """Ends the dry run of a piece: what comes after it would say the same in other words."""
