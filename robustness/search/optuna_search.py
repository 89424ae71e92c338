"""One optimizer's Optuna search: it asks for cells and learns their mean validation error over the seeds.

The Parquet is the only memory. A search starts from what is stored, so an interrupted one goes on.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
import optuna

from robustness.results import finished
from robustness.results.tables.cells import taken
from robustness.search.coordinates import Cell, Coordinate
from robustness.study import Sampled
from robustness.study.samplers import SAMPLERS

if TYPE_CHECKING:
    import pandas as pd

    from robustness.search.source import RunOutcome
    from robustness.study import Run, Study
    from robustness.study.optimizer_entry import OptimizerEntry

REPEATS = 200
"""How often a sampler may name known cells in a row before an unknown one is drawn for it."""


class OptunaSearch:
    """Cells of one optimizer on one workload, asked for until the study's number is reached.

    A diverged run counts with the error of chance. A cell none of whose seeds could be trained is told to Optuna as
    failed. Stored cells that another sampler or a grid chose are known to Optuna if they lie in the space, but do not
    count: only where lists have too few others left do they stand for cells that can't be chosen anew.

    Attributes:
        total: runs of this search, those of stored cells included.
        optuna_study: what Optuna knows: a trial for each cell.
        done: runs of its cells that were stored when it started.
    """

    def __init__(self, study: Study, entry: OptimizerEntry, stored: pd.DataFrame) -> None:
        assert isinstance(study.search, Sampled)
        self._study, self._entry = study, entry
        self._asked, self._ahead = study.search.cells, study.search.cells_ahead
        space = study.space_of(entry)
        self._axes = (Coordinate("lr", space.lr), Coordinate("weight_decay", space.weight_decay))
        self._errors: dict[Cell, list[float]] = {}
        self._waiting: dict[Cell, set[str]] = {}
        self._trials: dict[Cell, optuna.Trial] = {}
        self._cells: dict[str, Cell] = {}
        self._counted: set[Cell] = set()
        self._stored: set[str] = set()
        self.done = 0
        self._enter(stored)
        whole = [cell for cell, errors in self._errors.items() if len(errors) == len(study.seeds)]
        self._unfinished = [cell for cell, errors in self._errors.items() if len(errors) < len(study.seeds)]
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.optuna_study = optuna.create_study(sampler=SAMPLERS[study.search.sampler].sampler(len(whole)))
        for cell in whole:
            self._add_known(cell)
        self._count_known(whole)
        self.total = max(self._asked, len(self._counted)) * len(study.seeds)

    def ask(self) -> list[Run]:
        """Return the missing runs of the next cells; none while enough are out, or when all are asked for."""
        runs = [run for cell in self._unfinished for run in self._hand_out(cell)]
        self._unfinished = []
        # Half at a time: a stack of some cells is worth training, and workers do not wait for the slowest seed.
        if len(self._waiting) > self._ahead // 2:
            return runs
        for _ in range(min(self._ahead - len(self._waiting), self._asked - len(self._counted))):
            cell, trial = self._new_cell()
            self._counted.add(cell)
            self._trials[cell] = trial
            runs += self._hand_out(cell)
        return runs

    def tell(self, outcome: RunOutcome) -> None:
        """Learn how a run went; Optuna is told when the cell's last seed is in."""
        cell = self._cells.pop(outcome.run_id)
        error = outcome.test_error if outcome.validation_error is None else outcome.validation_error
        if outcome.status != "failed" and error is not None and math.isfinite(error):
            self._errors[cell].append(error)
        self._waiting[cell].discard(outcome.run_id)
        if self._waiting[cell]:
            return
        del self._waiting[cell]
        trial = self._trials.pop(cell, None)
        if trial is None:
            self._add_known(cell)
        elif self._errors[cell]:
            self.optuna_study.tell(trial, float(np.mean(self._errors[cell])))
        else:
            self.optuna_study.tell(trial, state=optuna.trial.TrialState.FAIL)

    def _hand_out(self, cell: Cell) -> list[Run]:
        runs = [run for run in self._runs(cell) if run.run_id not in self._stored]
        self._errors.setdefault(cell, [])
        self._waiting[cell] = {run.run_id for run in runs}
        self._cells |= {run.run_id: cell for run in runs}
        return runs

    def _runs(self, cell: Cell) -> list[Run]:
        return [self._study.run(self._entry, cell.lr, cell.weight_decay, seed) for seed in self._study.seeds]

    def _enter(self, stored: pd.DataFrame) -> None:
        """Take in stored cells: those with every seed are known; this sampler's count, and get what they lack."""
        results = finished(stored)
        known = taken(results, "validation_error").fillna(taken(results, "test_error"))
        errors = dict(zip(results["run_id"], known, strict=True))
        self._stored = set(errors)
        ours = set(stored.loc[stored["sampler"] == self._study.search.sampler, "run_id"])
        pairs = stored[["lr", "weight_decay"]].drop_duplicates().itertuples(index=False)
        for cell in sorted(Cell(float(lr), float(decay)) for lr, decay in pairs):
            if self._coordinates(cell) is None:
                continue
            ids = [run.run_id for run in self._runs(cell)]
            found = [float(errors[run_id]) for run_id in ids if run_id in errors]
            counts = not ours.isdisjoint(ids)
            if counts:
                self._counted.add(cell)
                self.done += len(found)
            if counts or len(found) == len(ids):
                self._errors[cell] = found

    def _count_known(self, whole: list[Cell]) -> None:
        """Count as many finished cells of others as the space lacks unknown ones, in their order."""
        left = self._unknown()
        if left is None:
            return
        lacking = max(0, self._asked - len(self._counted) - len(left))
        for cell in [cell for cell in whole if cell not in self._counted][:lacking]:
            self._counted.add(cell)
            self.done += len(self._study.seeds)

    def _unknown(self) -> list[Cell] | None:
        """Return the cells of lists that are neither stored nor out; None where the space has a range."""
        lr, weight_decay = (axis.values for axis in self._axes)
        if lr is None or weight_decay is None:
            return None
        cells = (Cell(*pair) for pair in itertools.product(lr, weight_decay))
        return [cell for cell in cells if cell not in self._errors]

    def _add_known(self, cell: Cell) -> None:
        """Tell Optuna of a cell that it did not choose in this process."""
        coordinates = self._coordinates(cell)
        # What a diverged run of a workload without a baseline is worth, nobody knows.
        errors = [error for error in self._errors[cell] if math.isfinite(error)]
        if coordinates is None or not errors:
            return
        self.optuna_study.add_trial(
            optuna.trial.create_trial(
                params=coordinates,
                distributions={axis.name: axis.distribution for axis in self._axes},
                value=float(np.mean(errors)),
            )
        )

    def _coordinates(self, cell: Cell) -> dict[str, float] | None:
        """Return a cell as Optuna's parameters, None if it lies outside the space."""
        places = {axis.name: axis.coordinate(value) for axis, value in zip(self._axes, cell, strict=True)}
        return None if None in places.values() else {name: p for name, p in places.items() if p is not None}

    def _new_cell(self) -> tuple[Cell, optuna.Trial]:
        """Ask Optuna for a cell that is neither stored nor out.

        `random` and `qmc` name the stored cells again, in their order, before they come to new ones. A sampler that
        has settled on known cells of a list is given an unknown one: by chance, and in the end the first there is.
        """
        limit = len(self._errors) + REPEATS
        for attempt in range(2 * limit + 1):
            if attempt >= limit:
                left = self._unknown() if attempt == 2 * limit else None
                self.optuna_study.enqueue_trial((left and self._coordinates(left[0])) or self._random_place(attempt))
            trial = self.optuna_study.ask({axis.name: axis.distribution for axis in self._axes})
            cell = Cell(*(axis.value(trial.params[axis.name]) for axis in self._axes))
            if cell not in self._errors:
                return cell, trial
            self.optuna_study.tell(trial, state=optuna.trial.TrialState.FAIL)
        raise RuntimeError(f"the space has fewer than the {self._asked} cells that were asked for")

    def _random_place(self, seed: int) -> dict[str, float]:
        generator = np.random.default_rng(seed)
        return {axis.name: axis.draw(generator) for axis in self._axes}
