"""What a sweep asks for runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from robustness.study import Run


@dataclass(frozen=True)
class RunOutcome:
    """How one run went, as the driver needs to know it; errors in percent, None for a failed run.

    One that diverged has its baseline for a test error, and no validation error.
    """

    run_id: str
    status: str
    validation_error: float | None
    test_error: float | None


class Source(Protocol):
    """Where runs come from: a grid, or searches that want to know how the last ones went.

    Attributes:
        total: runs of the study.
        done: those that were stored at the start.
    """

    total: int
    done: int

    def next(self) -> list[Run]:
        """Return runs to train now; none means that all are handed out, or that outcomes must come first."""

    def tell(self, outcomes: Sequence[RunOutcome]) -> None:
        """Learn how runs went."""
