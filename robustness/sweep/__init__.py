"""A study being executed."""

from robustness.sweep.execute import Sweep, SweepError, run
from robustness.sweep.ray_session import ClusterError

__all__ = ["ClusterError", "Sweep", "SweepError", "run"]
