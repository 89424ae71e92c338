"""Studies as jobs of a Ray cluster: packed and submitted, followed, listed, stopped. Loads no Ray until it connects."""

from robustness.jobs.cluster import Cluster
from robustness.jobs.errors import JobsError
from robustness.jobs.job import Job, choose
from robustness.jobs.package import Package, pack

__all__ = ["Cluster", "Job", "JobsError", "Package", "choose", "pack"]
