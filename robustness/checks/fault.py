"""One thing that is wrong with a store, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field

RUN_AGAIN = "run the study again, which trains what is missing, once this part is gone from runs/ and curves/"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault.

    Attributes:
        file: Below the store's folder.
        run: The run's id; None where it is a matter of the file.
        what: What is wrong.
        advice: What to do.
    """

    file: str
    run: str | None = None
    what: str
    advice: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.file}: {f'run {self.run}: ' if self.run else ''}{self.what}; {self.advice}"


@dataclass
class Checked:
    """What was found.

    Attributes:
        runs: Rows that were read.
        parts: Parts of runs.
        faults: All that is wrong, in the order of the files.
        verified: What there was to verify, in words.
        notes: What is no fault, and worth knowing.
    """

    runs: int = 0
    parts: int = 0
    faults: list[Fault] = field(default_factory=list)
    verified: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
