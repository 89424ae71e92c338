"""Studies from the browser to the Ray cluster: checked, planned, started, followed and stopped."""

from __future__ import annotations

import base64
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from analysis.service.cluster.checker import Checker, CheckerError
from analysis.service.cluster.ray_jobs import state_words
from robustness.results.files.place import Place

if TYPE_CHECKING:
    from analysis.service.cluster.ray_jobs import RayJobs
    from analysis.service.studies.studies import Studies
    from robustness.jobs import Cluster, Job
    from robustness.jobs.submit import Order

START_S = 120.0
"""What starting a job may take: the cluster unpacks the study before it answers."""

LISTED = 50


class RefusedError(Exception):
    """What was asked is not done; the text says why."""


class Submitting:
    """What the page Submit does, on one cluster and one place of results.

    Attributes:
        jobs: the cluster's.
        address: of its dashboard; None where there is no cluster.
        place: where results go, without keys.
    """

    def __init__(self, studies: Studies, jobs: RayJobs, address: str | None, results: str | Place) -> None:
        """Take the cluster, and the service's own folder or URI of results, which all its nodes must share."""
        self.jobs, self.address = jobs, address
        self.place, self._results = studies.place, Place(results)
        self.checker = Checker()

    def check(self, text: str, file: str | None = None, price: float | None = None) -> dict[str, Any]:
        """Return what is wrong with a study, and the plan of one that is right.

        Args:
            text: of the study file.
            file: its name, None without one: a study without a name is called after it.
            price: of a GPU-hour.

        Returns:
            `problems`, each with `line` (from 1, or None), `key` and `message`; without any also `name`, `runs`, the
            lines of the `plan`, and `stored` and `left` runs where the results can be read.
        """
        try:
            found = self._checked(text, file)
        except RefusedError as error:
            return {"problems": [{"line": None, "key": "", "message": str(error)}]}
        if found["problems"]:
            return found
        try:
            planned = self.checker.ask("plan", results=self._results.with_keys, price=price, **_source(text, file))
        except CheckerError as error:
            planned = {"plan": [f"no plan: {error}"]}
        return found | _or_words(planned)

    def start(self, text: str, file: str | None = None) -> dict[str, Any]:
        """Start a study as a job; return the `job`'s id, its `study`, and whether it is `new` rather than running.

        Raises:
            RefusedError: the study is wrong, or the cluster does not take it.
        """
        found = self._checked(text, file)
        if found["problems"]:
            raise RefusedError("the study has problems: nothing was started")
        order = self._order(text, file)

        def begin(cluster: Cluster) -> tuple[Job, bool]:
            from robustness.jobs.submit import start

            return start(cluster, order)

        job, new = self._asked(begin, START_S)
        self.jobs.refresh(soon=True)
        return {"job": job.id, "study": job.study, "new": new}

    def stop(self, job_id: str) -> str:
        """Ask a job to end once its running stacks have; return its study's name.

        Raises:
            RefusedError: there is no such job, it has ended, or the cluster does not answer.
        """

        def end(cluster: Cluster) -> Job:
            job = next((job for job in cluster.jobs() if job.id == job_id), None)  # only studies, no other job
            if job is None:
                raise RefusedError(f"the cluster knows no job {job_id[:100]}")
            if not job.ended:
                cluster.stop(job_id)
            return job

        job: Job = self._asked(end)
        if job.ended:
            raise RefusedError(f"{job_id} has ended already")
        self.jobs.refresh(soon=True)
        return job.study

    def log(self, job_id: str) -> str | None:
        """Return the end of a job's log as of the last seconds; None where it is not known."""
        return self.jobs.tail(job_id)

    def rows(self) -> list[dict[str, Any]]:
        """Return the newest jobs, each with `id`, `study`, `state`, `ended`, `words`, `results` and `here`.

        `here` is whether its results are those that this service shows.
        """
        from robustness.jobs.job import CLUSTERS_OWN
        from robustness.jobs.job_text import last_words

        ours = {self.place.rstrip("/"), CLUSTERS_OWN}
        return [
            {
                "id": job.id,
                "study": job.study,
                "state": state_words(job).partition(": ")[2],
                "ended": job.ended,
                "words": last_words(job, self.jobs.tail(job.id) or ""),
                "results": job.results,
                "here": job.results.rstrip("/") in ours,
            }
            for job in self.jobs.jobs[:LISTED]
        ]

    def _checked(self, text: str, file: str | None) -> dict[str, Any]:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise RefusedError("the study file is not UTF-8") from error
        try:
            return self.checker.ask("check", **_source(text, file))
        except CheckerError as error:
            raise RefusedError(str(error)) from error

    def _order(self, text: str, file: str | None) -> Order:
        from robustness.jobs.package import Package
        from robustness.jobs.submit import Order

        try:
            found = self.checker.ask("pack", **_source(text, file))
        except CheckerError as error:
            raise RefusedError(str(error)) from error
        if problems := found.get("problems"):
            raise RefusedError(problems[0]["message"])
        archive = base64.b64decode(found["archive"])
        package = Package(file=found["file"], archive=archive, version=found["version"])
        return Order(study=found["study"], package=package, results=self._results, options=[], env={})

    def _asked(self, ask: Any, limit_s: float = 30.0) -> Any:
        from robustness.errors import ClusterError

        if self.address is None:
            raise RefusedError("this service knows no Ray cluster: start it with --address")
        try:
            return self.jobs.call(ask, limit_s)
        except ClusterError as error:
            raise RefusedError(str(error)) from error


def _source(text: str, file: str | None) -> dict[str, str]:
    """Return a study's text and a plain file name for messages."""
    name = PurePath((file or "").replace("\\", "/")).name[:100]
    return {"text": text, "file": name if name.isprintable() and name else "study.yaml"}


def _or_words(planned: dict[str, Any]) -> dict[str, Any]:
    """Return a plan, or in its place why there is none: the study itself is right."""
    if problems := planned.get("problems"):
        return {"plan": [f"no plan: {problems[0]['message']}"]}
    return planned
