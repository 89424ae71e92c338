"""What every page is made from: the studies, the cluster's jobs, and where the other pages are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.service.base.address import View

if TYPE_CHECKING:
    from analysis.service.base.paths import Paths
    from analysis.service.cluster.ray_jobs import RayJobs
    from analysis.service.cluster.submitting import Submitting
    from analysis.service.studies.snapshot import Snapshot
    from analysis.service.studies.studies import Studies
    from analysis.service.visitors.visit_log import VisitLog


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What a page is made from.

    Attributes:
        studies: The stored studies.
        jobs: Those of them that are jobs of a cluster.
        submitting: Starts studies there; None where nothing may be started.
        paths: Of all pages.
        log: Where what is started and stopped is set down.
    """

    studies: Studies
    jobs: RayJobs
    submitting: Submitting | None
    paths: Paths
    log: VisitLog

    def snapshot(self, view: View) -> Snapshot | None:
        """Return the study of an address as it is stored now; None where it names none that there is.

        Raises:
            robustness.results.StorageError: The results cannot be read.
        """
        return None if view.study is None else self.studies.snapshot(view.study)

    def view(self, path: str | None, search: str | None) -> View:
        """Return what an address shows, given its path and its query."""
        address = self.paths.at(path)
        return View.parse(search, None if address is None else address.study)
