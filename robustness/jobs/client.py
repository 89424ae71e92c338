"""Ray's client of a cluster's job server, with time-outs. Loads Ray."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ray
import requests
from ray.dashboard.modules.job.common import JobSubmitResponse
from ray.job_submission import JobSubmissionClient

from robustness.jobs.errors import AnswerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ray.job_submission import JobDetails

TIMEOUT_S = (10.0, 60.0)
"""How long to wait for a connection, and for an answer. Ray waits for ever, which a lost link makes come true."""

OLDEST = "2.0"
"""The oldest Ray that takes a job as this client sends it."""


class Client(JobSubmissionClient):
    """The client, where no request hangs, and an answer of another kind is told from any other error."""

    def __init__(self, address: str, headers: dict[str, str]) -> None:
        """Connect to the dashboard at `address`.

        Raises:
            AnswerError: what answers is no dashboard.
        """
        for name in ("dashboard_sdk", "job.sdk"):
            logging.getLogger(f"ray.dashboard.modules.{name}").setLevel(logging.ERROR)
        # Past the constructor of JobSubmissionClient, which prefers $RAY_API_SERVER_ADDRESS to what it is given.
        super(JobSubmissionClient, self).__init__(address=address, headers=headers)
        self._client_ray_version = ray.__version__
        with _shaped():
            self._check_connection_and_version(
                min_version=OLDEST, version_error_message=f"It must be {OLDEST} or higher."
            )

    def versions(self) -> tuple[str, str]:
        """Return the versions of Ray on the cluster and here."""
        return self._server_ray_version or "unknown", self._client_ray_version

    def list_jobs(self) -> list[JobDetails]:
        """Return all jobs."""
        with _shaped():
            found: list[JobDetails] = super().list_jobs()
            return found

    def get_job_info(self, job_id: str) -> JobDetails:
        """Return what is known of a job."""
        with _shaped():
            return super().get_job_info(job_id)

    def get_job_logs(self, job_id: str) -> str:
        """Return what a job has printed."""
        with _shaped():
            return str(super().get_job_logs(job_id))

    def stop_job(self, job_id: str) -> bool:
        """Ask a job to stop."""
        with _shaped():
            return bool(super().stop_job(job_id))

    def _do_request(self, method: str, endpoint: str, **options: Any) -> Any:
        answer = super()._do_request(method, endpoint, **{"timeout": TIMEOUT_S, **options})
        if (method, endpoint) == ("POST", "/api/jobs/") and answer.status_code == 200:
            with _shaped():  # here, for `submit_job` also raises these errors of what it is given
                JobSubmitResponse(**answer.json())
        return answer


@contextmanager
def _shaped() -> Iterator[None]:
    """Turn what Ray raises where an answer has not the shape that it takes for granted."""
    try:
        yield
    except requests.JSONDecodeError as error:
        raise AnswerError(f"no JSON: {error}") from error
    except requests.RequestException:  # of which some are ValueErrors: an address that `requests` does not take
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise AnswerError(f"{type(error).__name__}: {error}") from error
