"""The best errors of a sweep so far: of what was stored before it, and of what its workers report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from robustness.results.best import TEST, VALIDATION, best_errors
from robustness.search.cells import among, on_one_grid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from robustness.search.source import RunOutcome
    from robustness.study import Run, Study

COLUMNS = ["label", "lr", "weight_decay", "seed", "status", TEST, VALIDATION]


class Bests:
    """The best error of each optimizer by the definition of all pages, on the runs that are known.

    Of several workloads there is none: an optimizer's error means something on one alone.
    """

    def __init__(self, study: Study, stored: pd.DataFrame | None = None) -> None:
        self._study, self._one = study, len(study.workloads) == 1
        self._labels = {entry.optimizer: entry.label for entry in study.optimizers}
        self._rows: dict[str, tuple[Any, ...]] = {}
        self._known: dict[str, float] | None = {}
        if self._one and stored is not None and len(stored):
            asked = study.grid() if study.search.sampler == "grid" else among(study, stored)
            rows = stored[["run_id", "status", TEST, VALIDATION]].itertuples(index=False, name=None)
            known = {run_id: outcome for run_id, *outcome in rows}
            self._enter((run, *known[run.run_id]) for run in asked if run.run_id in known)

    def add(self, stack: Sequence[Run], outcomes: Sequence[RunOutcome]) -> None:
        """Learn how the runs of a stack went."""
        if self._one:
            runs = {run.run_id: run for run in stack}
            self._enter((runs[o.run_id], o.status, o.test_error, o.validation_error) for o in outcomes)

    def _enter(self, found: Iterable[tuple[Any, ...]]) -> None:
        for run, *outcome in found:
            self._rows[run.run_id] = (self._labels[run.optimizer], run.lr, run.weight_decay, run.seed, *outcome)
            self._known = None

    def now(self) -> dict[str, float]:
        """Return label -> best error, percent, in the study's order, of the optimizers that have one."""
        if self._known is None:
            runs = pd.DataFrame(list(self._rows.values()), columns=COLUMNS)
            runs = runs.assign(baseline=self._study.workloads[0].chance_error)
            found = best_errors(runs, one_grid=on_one_grid(self._study))
            errors = {label: found.get(label) for label in self._labels.values()}
            self._known = {label: error for label, error in errors.items() if error is not None}
        return self._known
