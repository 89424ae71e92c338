"""Starting a study as a job: one job at a time of a study and a place of results, whoever submits it and how often."""

from __future__ import annotations

import hashlib
import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from robustness import redaction
from robustness.jobs.errors import JobsError
from robustness.jobs.job import CLUSTERS_OWN, RESULTS, STUDY, SUBMITTED_WITH, VERSION
from robustness.jobs.versions import SUBMITTED_WITH as SUBMITTED_WITH_ENV
from robustness.jobs.versions import installed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from robustness.jobs.cluster import Cluster
    from robustness.jobs.job import Job
    from robustness.jobs.package import Package
    from robustness.results import Place

STOP_WAIT_S = 3600
"""How long Ray waits for running stacks when a job is stopped; by itself it kills after 3 s."""

_ATTEMPTS = 5
_NOWHERE = (
    "this cluster does not say where results go: give a --results URI, or start Ray with "
    "ROBUSTNESS_RESULTS in its environment"
)


SEEN = (
    "whoever may see the cluster's jobs would read: leave it out and give it to the nodes, by a role of the machines, "
    "~/.aws/credentials, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment of `ray start`; or set "
    "ROBUSTNESS_RESULTS there, and submit without --results"
)
"""What to do about a key that is to go to a cluster."""


@dataclass(frozen=True)
class Order:
    """What is to be run.

    Attributes:
        study: the name of the study, as it is stored.
        package: the study.
        results: where results go, without any key; None leaves it to the cluster.
        options: further arguments of `robustness run`.
        env: environment variables of the job and its workers, without any key.

    Raises:
        JobsError: It holds a key, which a cluster shows to everybody who sees its jobs.
    """

    study: str
    package: Package
    results: Place | None
    options: Sequence[str]
    env: Mapping[str, str]

    def __post_init__(self) -> None:
        if self.results is not None and self.results.has_keys:
            raise JobsError(f"{self.results}: the URI holds a key, which {SEEN}")
        for name, value in self.env.items():
            if redaction.names_key(name) or redaction.text(value) != value:
                raise JobsError(f"{name} holds a key, which {SEEN}")

    @property
    def place(self) -> str:
        """Where results go, in the words of a message."""
        return str(self.results) if self.results else CLUSTERS_OWN

    @property
    def key(self) -> str:
        """What the ids of all jobs of this study and these results begin with."""
        place = self.place.rstrip("/")
        return f"{self.study}-{hashlib.sha256(place.encode()).hexdigest()[:8]}"

    @property
    def entrypoint(self) -> str:
        """The shell's command line. Where results go is in the environment."""
        run = ["python", "-m", "robustness.cli", "run", self.package.file, "--address", "auto", "--no-report"]
        command = f"exec {shlex.join([*run, *self.options])}"
        return command if self.results else f': "${{ROBUSTNESS_RESULTS:?{_NOWHERE}}}"; {command}'

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of the job."""
        ours = {
            "RAY_JOB_STOP_WAIT_TIME_S": str(STOP_WAIT_S),
            "PYTHONUNBUFFERED": "1",
            SUBMITTED_WITH_ENV: installed(),
        }
        return ours | ({"ROBUSTNESS_RESULTS": self.results.with_keys} if self.results else {}) | dict(self.env)

    @property
    def metadata(self) -> dict[str, str]:
        """What is kept beside the job."""
        return {
            STUDY: self.study,
            VERSION: self.package.version,
            RESULTS: self.place,
            SUBMITTED_WITH: installed(),
        }


def start(cluster: Cluster, order: Order) -> tuple[Job, bool]:
    """Start a job, or find the one that runs already; return it and whether it is new.

    Raises:
        JobsError: another version of the study is running, or the server cannot be reached.
    """
    for _ in range(_ATTEMPTS):
        earlier = [job for job in cluster.jobs() if job.id.rpartition("-")[0] == order.key]
        for job in earlier:
            if not job.ended:
                _check_version(job, order, cluster.address)
                return job, False
        job_id = f"{order.key}-{max((job.number for job in earlier), default=0) + 1}"
        if _submitted(cluster, job_id, order):
            return cluster.job(job_id), True
    raise JobsError(f"the cluster at {cluster.address} takes no id for a job of {order.study}: submit it again")


def _check_version(job: Job, order: Order, address: str) -> None:
    if job.version != order.package.version:
        raise JobsError(
            f"{job.id} is running another version of {job.study}: wait for its end, or stop it first, which lets "
            f"running stacks finish: robustness stop {job.id} --address {address}"
        )


def _submitted(cluster: Cluster, job_id: str, order: Order) -> bool:
    with tempfile.TemporaryDirectory(prefix="robustness-") as folder:
        package = Path(folder) / "study.zip"
        package.write_bytes(order.package.archive)
        return cluster.submit(job_id, order.entrypoint, package=package, env=order.environment, metadata=order.metadata)
