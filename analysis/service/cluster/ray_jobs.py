"""What Ray's job server says of studies: asked in the background, so that no page waits for a server."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from robustness.jobs import Cluster, Job

Value = TypeVar("Value")

EVERY_S = 10.0
SILENT_S = 15.0
"""A server that has not answered for so long is said to be silent; the request itself may take longer to fail."""

TAIL = 20_000
"""Characters of a job's log that are kept."""

NEWEST = 20
"""Jobs whose logs are read."""

OFF, ASKING, KNOWN, UNKNOWN = "off", "asking", "known", "unknown"


class RayJobs:
    """The studies that are jobs of one cluster, as far as its server answers. Nothing here waits but `call`.

    Attributes:
        address: of the cluster's dashboard; None where there is no cluster.
        problem: why nothing is known, None while there is no reason; it is kept until the server answers again.
    """

    def __init__(self, address: str | None) -> None:
        self.address = address
        self.problem: str | None = None
        self._jobs: tuple[Job, ...] = ()
        self._tails: dict[str, tuple[bool, str]] = {}
        self._lock = threading.Lock()
        self._asked_at, self._answered, self._asking = float("-inf"), False, False
        self._cluster: Cluster | None = None
        self._slots = threading.BoundedSemaphore(4)

    @property
    def state(self) -> str:
        """Whether the jobs are known: `off` without a cluster, `asking` at first, then `known` or `unknown`."""
        if self.address is None:
            return OFF
        self.refresh()
        late = time.monotonic() - self._asked_at > SILENT_S
        if self._asking and late:
            self.problem = f"no answer from {self.address} for {SILENT_S:.0f} s"
        if self.problem:
            return UNKNOWN
        return KNOWN if self._answered else ASKING

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The studies that are jobs, newest first; none where they are not known."""
        return self._jobs if self.state == KNOWN else ()

    def of(self, study: str, place: str) -> Job | None:
        """Return the newest job of a study whose results are in `place`, or wherever the cluster says.

        Args:
            study: its name.
            place: absolute path or URI of all results, without keys.
        """
        from robustness.jobs.job import CLUSTERS_OWN

        places = {CLUSTERS_OWN, place.rstrip("/")}
        return next((job for job in self.jobs if job.study == study and job.results.rstrip("/") in places), None)

    def tail(self, job_id: str) -> str | None:
        """Return the end of what a job had printed when the server was last asked; None if that is not known."""
        return self._tails.get(job_id, (False, None))[1]

    def refresh(self, *, soon: bool = False) -> None:
        """Ask in the background, unless it was asked a moment ago; with `soon` even so."""
        with self._lock:
            if self.address is None or self._asking:
                return
            if not soon and time.monotonic() - self._asked_at < EVERY_S:
                return
            self._asking, self._asked_at = True, time.monotonic()
        threading.Thread(target=self._ask, name="ray-jobs", daemon=True).start()

    def call(self, ask: Callable[[Cluster], Value], limit_s: float = SILENT_S) -> Value:
        """Return what `ask` is told by the cluster, now.

        Raises:
            robustness.jobs.JobsError: the server refuses, is away or takes longer than `limit_s` seconds.
        """
        from robustness.jobs.errors import UnreachableError

        silent = UnreachableError(f"no answer from the Ray cluster at {self.address} in time")
        if not self._slots.acquire(blocking=False):  # all hang already
            raise silent
        done: list[tuple[bool, Any]] = []

        def run() -> None:
            try:
                done.append((True, ask(self._connected())))
            except Exception as error:  # noqa: BLE001 - handed to whoever asked
                done.append((False, error))
            finally:
                self._slots.release()

        thread = threading.Thread(target=run, name="ray-call", daemon=True)
        thread.start()
        thread.join(limit_s)
        if not done:
            raise silent
        if not done[0][0]:
            raise done[0][1]
        value: Value = done[0][1]
        return value

    def _ask(self) -> None:
        problem = None
        try:
            cluster = self._connected()
            jobs = tuple(cluster.jobs())
            tails = {job.id: self._tail(cluster, job) for job in jobs[:NEWEST]}
            self._jobs, self._tails, self._answered = jobs, tails, True
        except Exception as error:  # noqa: BLE001 - whatever Ray's client raises, the pages go on
            problem = " ".join(str(error).split())[:500] or type(error).__name__
            self._cluster = None
        finally:
            self.problem, self._asking = problem, False

    def _tail(self, cluster: Cluster, job: Job) -> tuple[bool, str]:
        known = self._tails.get(job.id)
        return known if known and known[0] else (job.ended, cluster.log(job.id)[-TAIL:])

    def _connected(self) -> Cluster:
        assert self.address is not None
        cluster = self._cluster
        if cluster is None:
            cluster = self._cluster = connected(self.address)
        return cluster


def connected(address: str) -> Cluster:
    """Return the cluster whose dashboard is at an address.

    Raises:
        robustness.jobs.JobsError: It is no dashboard's address, or the cluster wants another token.
    """
    from robustness.jobs import Cluster

    return Cluster(address)


def state_words(job: Job) -> str:
    """Return a job and its state as a sentence's part, such as "Ray job digits-1a2b-3: running, 12 min"."""
    from robustness.jobs.job_text import duration

    states = {"PENDING": "waiting to start", "SUCCEEDED": "done"}
    after = duration(job.took_s) if not job.ended else f"after {duration(job.took_s)}"
    return f"Ray job {job.id}: {states.get(job.status, job.status.lower())}, {after}"
