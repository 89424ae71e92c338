"""What the pages say of a study's progress."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dash import html

from analysis.formats import count
from analysis.service.base.attributes import aria
from analysis.service.cluster.ray_jobs import state_words

if TYPE_CHECKING:
    from analysis.service.studies.progress import StudyLine
    from robustness.jobs import Job


def runs(line: StudyLine) -> str:
    """Return how many runs of how many are done, and how many failed."""
    return f"{done(line)}, {failed(line)}" if line.failed else done(line)


def done(line: StudyLine) -> str:
    """Return how many runs of how many are done."""
    return count(line.done) if line.asked is None else f"{count(line.done)} of {count(line.asked)}"


def failed(line: StudyLine) -> str:
    """Return how many runs failed."""
    return f"{count(line.failed)} failed"


def bar(line: StudyLine) -> Any:
    """Return the share of runs that are done as a bar; nothing where it is unknown or whole."""
    if line.asked is None or line.complete:
        return None
    share = f"{line.done} of {line.asked} runs"
    return html.Progress(value=str(line.done), max=str(max(line.asked, 1)), **aria(label=share))


def state(line: StudyLine, job: Job | None = None, now: datetime | None = None) -> str:
    """Return what the last write says of the sweep, and Ray of its job where there is one."""
    named = line.state(now)
    if job is not None and not job.ended and named in {"interrupted", "no run yet"}:
        named = "running"
    parts = [named, left(line) if named == "running" else None, training(line, now)]
    words = ", ".join(part for part in parts if part is not None)
    return words if job is None else f"{words} · {state_words(job)}"


def training(line: StudyLine, now: datetime | None = None) -> str | None:
    """Return "16 runs 41 % through 3 min ago": what checkpoints have of long trainings; None if there are none."""
    found = line.training
    if found is None or line.complete:
        return None
    return f"{count(found.runs)} runs {100 * found.share:.0f} % through {ago(found.at, now)}"


def left(line: StudyLine) -> str | None:
    """Return "about 3 min left"; None where that is unknown."""
    seconds = line.left_s()
    return None if seconds is None else f"about {span(seconds)} left"


def last(line: StudyLine, now: datetime | None = None) -> str:
    """Return when the last run ended."""
    return "–" if line.last is None else ago(line.last, now)


def best(line: StudyLine) -> list[str]:
    """Return a line a workload: the best error of each optimizer that has one."""
    several = len(line.best) > 1
    return [
        (f"{workload}: " if several else "") + ", ".join(f"{name} {value:.2f}\u00a0%" for name, value in found.items())
        for workload, found in line.best.items()
        if found
    ]


def ago(then: datetime, now: datetime | None = None) -> str:
    """Return how long ago a moment is."""
    return f"{span(max(((now or datetime.now(UTC)) - then).total_seconds(), 0))} ago"


def span(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    for limit, size, unit in ((90, 1, "s"), (5400, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86400:.0f} days"
