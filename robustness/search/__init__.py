"""Where a sweep's runs come from: a grid's missing cells, or Optuna."""

from robustness.search.make import make_source
from robustness.search.source import RunOutcome, Source

__all__ = ["RunOutcome", "Source", "make_source"]
