"""A study being executed."""

from robustness.errors import ClusterError
from robustness.sweep.tune import Sweep, SweepError, run

__all__ = ["ClusterError", "Sweep", "SweepError", "run"]
