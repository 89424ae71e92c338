"""A study as a job of a cluster: what is known of it, and which one is meant by a name."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from robustness import redaction
from robustness.jobs.errors import MissingJobError

if TYPE_CHECKING:
    from collections.abc import Sequence

STUDY = "robustness_study"
VERSION = "robustness_study_version"
RESULTS = "robustness_results"
SUBMITTED_WITH = "robustness_version"
CLUSTERS_OWN = "the cluster's own $ROBUSTNESS_RESULTS"


@dataclass(frozen=True)
class Job:
    """A submitted study.

    Attributes:
        id: `<study>-<hash of the results' place>-<number>`.
        study: the study's name.
        version: a hash of the study file and of its own modules.
        results: where results go, without keys.
        status: PENDING, RUNNING, SUCCEEDED, FAILED or STOPPED.
        message: Ray's words on the status; of a failed job, why.
        started_s: when it was submitted, in seconds since 1970.
        ended_s: when it ended; None if it has not.
        exit_code: of its driver, where it ended by itself.
    """

    id: str
    study: str
    version: str
    results: str
    status: str
    message: str
    started_s: float
    ended_s: float | None
    exit_code: int | None

    @staticmethod
    def is_ours(details: Any) -> bool:
        """Whether one of Ray's jobs is a study."""
        return bool(details.submission_id) and STUDY in (details.metadata or {})

    @classmethod
    def of(cls, details: Any) -> Job:
        """Return one of Ray's jobs."""
        known = details.metadata or {}
        return cls(
            id=details.submission_id,
            study=known.get(STUDY, ""),
            version=known.get(VERSION, ""),
            results=redaction.place(known.get(RESULTS, CLUSTERS_OWN)),
            status=details.status.value,
            message=details.message or "",
            started_s=(details.start_time or 0) / 1000,
            ended_s=details.end_time / 1000 if details.end_time else None,
            exit_code=details.driver_exit_code,
        )

    @property
    def number(self) -> int:
        """Which job of this study and place of results it is, from 1."""
        end = self.id.rpartition("-")[2]
        return int(end) if end.isdigit() else 0

    @property
    def ended(self) -> bool:
        """Whether it has ended, in any way."""
        return self.status not in {"PENDING", "RUNNING"}

    @property
    def took_s(self) -> float:
        """Seconds from its submission to its end or to now."""
        return max(0.0, (self.ended_s or time.time()) - self.started_s)


def choose(jobs: Sequence[Job], name: str, address: str) -> Job:
    """Return the job that `name` means: its id, the name of its study (then the newest), or how its id begins.

    Args:
        jobs: newest first.
        name: what somebody typed.
        address: where the jobs are, for the message.

    Raises:
        MissingJobError: it means none, or several.
    """
    exact = [job for job in jobs if job.id == name] or [job for job in jobs if job.study == name]
    if exact:
        return exact[0]
    begun = [job for job in jobs if name and job.id.startswith(name)]
    if len(begun) == 1:
        return begun[0]
    ids = ", ".join(job.id for job in (begun or jobs)[:10])
    if begun:
        raise MissingJobError(f"'{name}' may be any of {ids}")
    raise MissingJobError(
        f"the cluster at {address} knows no job '{name}'; " + (f"it knows {ids}" if ids else "it has none")
    )
