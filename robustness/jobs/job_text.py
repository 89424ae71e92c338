"""What is said of jobs: how one ended, how to go on with one, and all of them in a table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from robustness.sweep.progress import ProgressLine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from robustness.jobs.job import Job

_HINTS = (
    (
        ("No module named robustness", "No module named 'robustness"),
        "robustness is not installed on the cluster, or a version without this command: install it there, in the "
        "Python that `ray start` ran with",
    ),
    (
        ("python: not found", "python: command not found"),
        "the cluster has no `python` on the PATH with which `ray start` ran: start Ray inside of its environment",
    ),
)
"""What a log may hold, and what it means."""


def ending(job: Job, log: str) -> str:
    """Return how a job ended, and of a failed one why."""
    took = duration(job.took_s)
    if job.status == "SUCCEEDED":
        return f"{job.id} is done, after {took}; results in {job.results}"
    if job.status == "STOPPED":
        return f"{job.id} was stopped after {took}; submitting the study again goes on from what is stored"
    return f"{job.id} failed after {took}: {_why(job, log)}"


def _why(job: Job, log: str) -> str:
    for signs, hint in _HINTS:
        if any(sign in log for sign in signs):
            return hint
    if job.exit_code is None:  # the driver did not end by itself, or was never started
        return " ".join(job.message.split())[-1000:] or "Ray does not say why"
    if job.exit_code < 0:
        return (
            f"its driver was killed (signal {-job.exit_code}); submitting the study again goes on from what is stored"
        )
    return f"exit code {job.exit_code}; the reason stands above"


def going_on(job: Job, address: str) -> str:
    """Return the commands that fit a job that runs."""
    return (
        f"  follow it: robustness logs {job.id} --follow --address {address}\n"
        f"  stop it:   robustness stop {job.id} --address {address}"
    )


def duration(seconds: float) -> str:
    """Return a duration in the two units that matter."""
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    if minutes < 1:
        return f"{seconds:.0f} s"
    if hours < 1:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60} min"


def jobs_table(jobs: Sequence[Job], logs: Mapping[str, str]) -> str:
    """Return jobs as lines with columns; `logs` has what each has printed."""
    header = ("ID", "STUDY", "STATUS", "STARTED", "TOOK", "LAST")
    rows = [header, *(_row(job, logs.get(job.id, "")) for job in jobs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in rows
    )


def _row(job: Job, log: str) -> tuple[str, ...]:
    started = f"{datetime.fromtimestamp(job.started_s, UTC):%Y-%m-%d %H:%M} UTC"
    return job.id, job.study, job.status.lower(), started, duration(job.took_s), last_words(job, log)


def last_words(job: Job, log: str) -> str:
    """Return how far a job came, in its own words: its last line of progress, else its last line."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    for text in reversed(lines):
        if ProgressLine.parse(text):
            return text.removeprefix(f"{job.study}: ")
    if lines:
        return lines[-1][:200]
    return " ".join(job.message.split())[:200]
