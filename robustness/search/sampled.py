"""A sampled study: one Optuna search for each workload and optimizer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness.search.optuna_search import OptunaSearch

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from robustness.search.source import RunOutcome
    from robustness.study import Run, Study


class SampledSource:
    """Optuna's searches, one for each workload and optimizer, asked for several cells at a time so that stacks fill.

    All of them start from the same sampler seed: `random` and `qmc` give every optimizer the same cells, so that
    differences between optimizers are paired.

    Attributes:
        searches: one for each workload and optimizer.
        total: runs of the study.
        done: those already stored.
    """

    def __init__(self, study: Study, stored: pd.DataFrame) -> None:
        self.searches = [OptunaSearch(part, entry, stored) for part in study.parts for entry in part.optimizers]
        self._owner: dict[str, OptunaSearch] = {}
        self.total = sum(search.total for search in self.searches)
        self.done = sum(search.done for search in self.searches)

    def next(self) -> list[Run]:
        """Return the runs of the next cells of every search that may ask for some now."""
        runs: list[Run] = []
        for search in self.searches:
            asked = search.ask()
            self._owner |= {run.run_id: search for run in asked}
            runs += asked
        return runs

    def tell(self, outcomes: Sequence[RunOutcome]) -> None:
        """Pass each outcome to the search that asked for it."""
        for outcome in outcomes:
            self._owner.pop(outcome.run_id).tell(outcome)
