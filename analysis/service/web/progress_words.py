"""What the pages say of a study's progress."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dash import html

from analysis.formats import count
from analysis.service.base.attributes import aria

if TYPE_CHECKING:
    from analysis.service.studies.progress import Line
    from robustness.jobs import Job


def runs(line: Line) -> str:
    """Return how many runs of how many are done, and how many failed."""
    return f"{done(line)}, {failed(line)}" if line.failed else done(line)


def done(line: Line) -> str:
    """Return how many runs of how many are done."""
    return count(line.done) if line.asked is None else f"{count(line.done)} of {count(line.asked)}"


def failed(line: Line) -> str:
    """Return how many runs failed."""
    return f"{count(line.failed)} failed"


def bar(line: Line) -> Any:
    """Return the share of runs that are done as a bar; nothing where it is unknown or whole."""
    if line.asked is None or line.complete:
        return None
    share = f"{line.done} of {line.asked} runs"
    return html.Progress(value=str(line.done), max=str(max(line.asked, 1)), **aria(label=share))


def state(line: Line, job: Job | None = None, now: datetime | None = None) -> str:
    """Return what the last write says of the sweep, and Ray of its job where there is one."""
    said = line.state(now)
    held = training(line, now)
    if job is not None and not job.ended and said in {"interrupted", "no run yet"}:
        said = "running"
    if job is not None:
        from analysis.service.cluster.ray_jobs import state_words

        return f"{said}{left(line) if said == 'running' else ''}{held} · {state_words(job)}"
    return f"{said}{left(line)}{held}" if said == "running" else f"{said}{held}"


def training(line: Line, now: datetime | None = None) -> str:
    """Return ", 16 runs 41 % through 3 min ago": what long trainings have set down; "" if nothing."""
    held = line.training
    if held is None or line.complete:
        return ""
    return f", {count(held.runs)} runs {100 * held.share:.0f} % through {ago(held.at, now)}"


def left(line: Line) -> str:
    """Return ", about 3 min left", or nothing where that is unknown."""
    seconds = line.left_s()
    return "" if math.isnan(seconds) else f", about {span(seconds)} left"


def last(line: Line, now: datetime | None = None) -> str:
    """Return when the last run ended."""
    return "–" if line.last is None else ago(line.last, now)


def best(line: Line) -> list[str]:
    """Return a line a workload: the least error of each optimizer."""
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
