"""The version of this package here and on the cluster: a job runs the cluster's."""

from __future__ import annotations

import os
from importlib import metadata

SUBMITTED_WITH = "ROBUSTNESS_SUBMITTED_WITH"
_UNKNOWN = "unknown"


def installed() -> str:
    """Return this package's version; `unknown` where it is not installed but lies on the path."""
    try:
        return metadata.version("hyperparameter-robustness")
    except metadata.PackageNotFoundError:
        return _UNKNOWN


def difference() -> str | None:
    """Return a line on a job that was submitted with another version than runs here; None if there is none."""
    theirs, here = os.environ.get(SUBMITTED_WITH, _UNKNOWN), installed()
    if _UNKNOWN in {theirs, here} or theirs == here:
        return None
    return f"warning: submitted with robustness {theirs}, and the cluster has {here}, which is what runs"
