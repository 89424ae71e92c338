"""Ray's client of a cluster's job server, with time-outs. Loads Ray."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ray.job_submission import JobSubmissionClient

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT_S = (10.0, 60.0)
"""How long to wait for a connection, and for an answer. Ray waits for ever, which a lost link makes come true."""

_ADDRESS = "RAY_API_SERVER_ADDRESS"


class Client(JobSubmissionClient):
    """The client, where no request hangs."""

    def __init__(self, address: str, headers: dict[str, str]) -> None:
        for name in ("dashboard_sdk", "job.sdk"):
            logging.getLogger(f"ray.dashboard.modules.{name}").setLevel(logging.ERROR)
        with _named(address):
            super().__init__(address, headers=headers)

    def versions(self) -> tuple[str, str]:
        """Return the versions of Ray on the cluster and here."""
        return self._server_ray_version or "unknown", self._client_ray_version

    def _do_request(self, method: str, endpoint: str, **options: Any) -> Any:
        return super()._do_request(method, endpoint, **{"timeout": TIMEOUT_S, **options})


@contextmanager
def _named(address: str) -> Iterator[None]:
    """Let Ray take `address`: it prefers environment variables to what it is given."""
    before = os.environ.get(_ADDRESS)
    os.environ[_ADDRESS] = address
    try:
        yield
    finally:
        if before is None:
            del os.environ[_ADDRESS]
        else:
            os.environ[_ADDRESS] = before
