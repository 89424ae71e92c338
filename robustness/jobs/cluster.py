"""A cluster's job server: the jobs there are, what they print, and new ones."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from robustness import redaction
from robustness.jobs import token
from robustness.jobs.errors import JobsError, explained
from robustness.jobs.job import Job

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEFAULT_ADDRESS = "http://127.0.0.1:8265"
SILENCE_S = 60.0
"""A log that is silent for so long is asked for anew: a connection that is dead looks no different."""


class Cluster:
    """The job server of a Ray cluster, at its dashboard's address.

    Attributes:
        address: the address, with its scheme, as it is shown.
    """

    def __init__(self, address: str) -> None:
        """Connect.

        Raises:
            UnreachableError: nothing answers at `address`.
            JobsError: it is no dashboard's address, or the cluster wants another token.
        """
        dashboard = _dashboard(address)
        self.address = redaction.place(dashboard)
        headers, self._token = token.headers()
        from robustness.jobs.client import Client

        with explained(self.address, self._token):
            self._client = Client(dashboard, headers)

    def other_ray(self) -> str | None:
        """Return a line on a cluster whose version of Ray is not this machine's; None if it is."""
        there, here = self._client.versions()
        if there.split(".")[:2] == here.split(".")[:2]:
            return None
        return f"warning: Ray is {there} on the cluster and {here} here; jobs run with the cluster's"

    def jobs(self) -> list[Job]:
        """Return the jobs that are studies, newest first.

        Raises:
            JobsError: the server cannot be reached, or refuses.
        """
        with explained(self.address, self._token):
            listed = self._client.list_jobs()
        found = [Job.of(each) for each in listed if Job.is_ours(each)]
        return sorted(found, key=lambda job: (job.started_s, job.number), reverse=True)

    def job(self, job_id: str) -> Job:
        """Return a job as it is now.

        Raises:
            MissingJobError: the cluster has no such job.
            JobsError: the server cannot be reached, or refuses.
        """
        with explained(self.address, self._token):
            details = self._client.get_job_info(job_id)
        return Job.of(details)

    def log(self, job_id: str) -> str:
        """Return all that a job has printed.

        Raises:
            JobsError: the server cannot be reached, or refuses.
        """
        with explained(self.address, self._token):
            return self._client.get_job_logs(job_id)

    def stop(self, job_id: str) -> None:
        """Ask a job to stop: it lets running stacks finish first, or sets them down.

        Raises:
            JobsError: the server cannot be reached, or refuses.
        """
        with explained(self.address, self._token):
            self._client.stop_job(job_id)

    def submit(
        self, job_id: str, entrypoint: str, *, package: Path, env: dict[str, str], metadata: dict[str, str]
    ) -> bool:
        """Start a job on the head, without a GPU or a core of its own; False where its id is taken.

        Args:
            job_id: the job's id.
            entrypoint: the shell's command line.
            package: a zip archive whose files lie in the folder in which the job starts.
            env: environment variables of the job and of its workers.
            metadata: what is kept beside the job.

        Raises:
            JobsError: the server cannot be reached, or refuses.
        """
        environment: dict[str, Any] = {"working_dir": str(package), "env_vars": env}
        try:
            with explained(self.address, self._token):
                self._client.submit_job(
                    entrypoint=entrypoint, submission_id=job_id, runtime_env=environment, metadata=metadata
                )
        except JobsError as error:
            if f"{job_id} already exists" in str(error):
                return False
            raise
        return True

    def tail(self, job_id: str) -> Iterator[str]:
        """Yield what a job prints, from its first line on, in pieces that may end within a line.

        It ends when the job has, when the server hangs up, and when nothing comes for SILENCE_S seconds.

        Raises:
            JobsError: the server cannot be reached, or refuses.
        """
        with asyncio.Runner() as runner:
            pieces = self._client.tail_job_logs(job_id)

            async def following() -> str | None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SILENCE_S):
                        return await anext(pieces, None)
                return None

            while True:
                with explained(self.address, self._token):
                    piece = runner.run(following())
                if piece is None:
                    return
                yield piece


def _dashboard(address: str) -> str:
    """Return the address of a dashboard with its scheme."""
    scheme, _, rest = address.rpartition("://")
    try:
        host = urlsplit(f"//{rest}").hostname
    except ValueError:  # brackets that do not fit
        host = None
    if scheme.lower() not in {"", "http", "https"} or not host or rest == "auto" or " " in rest:
        raise JobsError(
            f"{redaction.text(address)}: give the address of the cluster's dashboard, such as {DEFAULT_ADDRESS}"
        )
    return f"{scheme or 'http'}://{rest.rstrip('/')}"
