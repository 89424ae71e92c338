"""The landscapes of a study together with its runs and curves: what measures of one number a seed read."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions import CHOOSER, METRIC
from analysis.landscapes.by_seed import arrange
from analysis.measures.chance_loss import LOSSES, chance_loss, loss_landscape
from analysis.measures.study_landscapes import StudyLandscapes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from analysis.landscapes.by_seed import Replicates

    Floats = NDArray[np.float64]


class StudyRuns(StudyLandscapes):
    """The measured landscapes of a study, and other columns of its runs on them, arranged on first use.

    It belongs to the one who makes it: no other thread may use it.
    """

    def __init__(
        self,
        found: Mapping[str, Replicates],
        *,
        metric: str = METRIC,
        chooser: str = CHOOSER,
        chance: float | None = None,
        runs: pd.DataFrame | None = None,
        curves: pd.DataFrame | None = None,
    ) -> None:
        """Choose each optimizer's cell.

        Args:
            found: The landscapes of every optimizer, which may have the columns that measures read too.
            metric: The error that is measured, percent.
            chooser: What chooses cells.
            chance: Error of chance, percent; without it, the greatest error there is.
            runs: The labelled runs table, for other columns and for measures over epochs.
            curves: The curves of the chosen cells, for those over epochs.
        """
        super().__init__(found, metric=metric, chooser=chooser, chance=chance)
        self.runs, self.curves = runs, curves
        self._columns: dict[tuple[str, str], Floats] = {}

    def column(self, label: str, name: str) -> Floats:
        """Return (S, W, L) a column of the runs table, NaN where it has no value; arranged on first use."""
        one, key = self.replicates[label], (label, name)
        if name in one.values:
            return one.values[name]
        if key not in self._columns:
            own = self.runs[self.runs["label"] == label] if self.runs is not None and name in self.runs else None
            empty = np.full(one.lost.shape, np.nan)
            self._columns[key] = empty if own is None else arrange(own, name, one.seeds, one.weight_decay, one.lr)
        return self._columns[key]

    @cached_property
    def losses(self) -> StudyLandscapes:
        """The landscapes of the test loss in nats, each with the cell of least validation loss.

        A run that diverged has no loss, and counts with that of chance: of as many classes as its error tells.
        """
        lost = any((one.lost == 1).any() for one in self.replicates.values())
        chance = chance_loss(self.chance) if lost else None
        found = {
            name: loss_landscape(one, {column: self.column(name, column) for column in LOSSES}, chance)
            for name, one in self.replicates.items()
        }
        return StudyLandscapes(found, metric=LOSSES[0], chooser=LOSSES[1], chance=chance)
