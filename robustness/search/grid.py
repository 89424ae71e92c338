"""The runs of a grid that are not stored yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness.results import finished

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from robustness.search.source import RunOutcome
    from robustness.study import Run, Study


class GridSource:
    """The runs of a grid that are not stored yet, all at once.

    Attributes:
        total: runs of the study.
        done: those already stored.
    """

    def __init__(self, study: Study, stored: pd.DataFrame) -> None:
        runs = study.grid()
        have = set(finished(stored)["run_id"])
        self._missing = [run for run in runs if run.run_id not in have]
        self.total = len(runs)
        self.done = self.total - len(self._missing)

    def next(self) -> list[Run]:
        """Return all missing runs the first time, none afterwards."""
        runs, self._missing = self._missing, []
        return runs

    def tell(self, outcomes: Sequence[RunOutcome]) -> None:
        """Nothing to learn: a grid is fixed."""
