"""A study being executed."""

from robustness.sweep.execute import Sweep, SweepError, run
from robustness.errors import ClusterError

__all__ = ["ClusterError", "Sweep", "SweepError", "run"]
