"""What the pages say of a study's progress."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from analysis.figures.theme import count
from analysis.service.stored import ago

if TYPE_CHECKING:
    from analysis.service.stored import Line

LIVE_S = 120.0
"""A study whose last run ended longer ago than this, in seconds, is not said to be running."""


def runs(line: Line) -> str:
    """Return how many runs of how many are done."""
    done = count(line.done) if line.asked is None else f"{count(line.done)} of {count(line.asked)}"
    return f"{done}, {count(line.failed)} failed" if line.failed else done


def state(line: Line, now: datetime | None = None) -> str:
    """Return what the last write says of the sweep: the results do not say whether one is running."""
    if line.last is None:
        return "no run yet"
    when = ago(line.last, now)
    if line.asked is not None and line.done >= line.asked:
        return f"complete, last run {when}"
    recent = ((now or datetime.now(UTC)) - line.last).total_seconds() < LIVE_S
    return f"running, last run {when}" if recent else f"incomplete, last run {when}"


def best(line: Line) -> list[str]:
    """Return a line a workload: the least error of each optimizer."""
    several = len(line.best) > 1
    return [
        (f"{workload}: " if several else "") + ", ".join(f"{label} {value:.2f} %" for label, value in errors.items())
        for workload, errors in line.best.items()
        if errors
    ]
