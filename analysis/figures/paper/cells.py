"""Which of a study's cells the figures of the paper are drawn from, and what is missing."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.figures.base.figure import NotDrawn
from analysis.landscapes.labels import names_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import pandas as pd

    from analysis.contents.gather import Contents
    from analysis.landscapes.basin import Place


class At(NamedTuple):
    """A cell by its values."""

    lr: float
    weight_decay: float


class Cells:
    """The chosen cells of a study, and the runs in them."""

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self.runs: pd.DataFrame = contents.runs

    @property
    def labels(self) -> list[str]:
        """All labels in the order of their colors."""
        return [str(label) for label in self.runs["label"].cat.categories]

    @cached_property
    def optimizers(self) -> dict[str, str]:
        """Label -> registry name of its optimizer, of labels with runs."""
        return names_of(self.runs)

    def of(self, names: Collection[str] | None) -> list[str]:
        """Return the labels with runs whose optimizer is one of `names`; all with runs for None."""
        return [
            label
            for label in self.labels
            if label in self.optimizers and (names is None or self.optimizers[label] in names)
        ]

    def missing(self, names: Collection[str], *, some: bool = False) -> NotDrawn | None:
        """Return which of the optimizers have no runs; None if each of them (any of them, for `some`) has."""
        absent = [name for name in names if name not in self.optimizers.values()]
        if not absent or (some and len(absent) < len(names)):
            return None
        which = " or ".join(absent) if some else " and ".join(absent)
        return NotDrawn(f"it needs runs of {which}, and this study has none")

    @cached_property
    def places(self) -> dict[str, At]:
        """Label -> its chosen cell; where none is chosen, that of least test error."""
        chosen: Mapping[str, Place | None] = self.contents.chosen
        found = {}
        for label in self.labels:
            cell, landscape = chosen.get(label), self.contents.maps.get(label)
            if cell is not None and landscape is not None:
                found[label] = At(float(landscape.lr[cell.column]), float(landscape.weight_decay[cell.row]))
            elif best := self.contents.best.get(label):
                rows = self.runs[self.runs["run_id"].isin(best)]
                if len(rows):
                    found[label] = At(float(rows["lr"].iloc[0]), float(rows["weight_decay"].iloc[0]))
        return found

    def at(self, names: Collection[str] | None) -> dict[str, At]:
        """Return label -> chosen cell of these optimizers; one without a trained cell is not there."""
        return {label: self.places[label] for label in self.of(names) if label in self.places}

    def chosen(self, names: Collection[str] | None) -> dict[str, list[str]]:
        """Return label -> run_ids of its chosen cell, of all labels: empty for optimizers that are not asked for."""
        at = self.at(names)
        return {label: self._runs(label, at[label]) if label in at else [] for label in self.labels}

    def _runs(self, label: str, cell: At) -> list[str]:
        rows = self._row(label, cell.lr)
        return [str(run) for run in rows.loc[rows["weight_decay"] == cell.weight_decay, "run_id"]]

    def _row(self, label: str, lr: float) -> pd.DataFrame:
        return self.runs[(self.runs["label"] == label) & (self.runs["lr"] == lr)]

    def at_rate(self, label: str, lr: float) -> dict[float, list[str]]:
        """Return weight decay -> run_ids with curves, at one learning rate."""
        rows = self._row(label, lr)
        rows = rows[rows["run_id"].isin(self._held)]
        decays = np.unique(rows["weight_decay"].to_numpy(dtype=np.float64)).tolist()
        return {decay: rows.loc[rows["weight_decay"] == decay, "run_id"].tolist() for decay in decays}

    @cached_property
    def _held(self) -> set[str]:
        return set(self.contents.curves["run_id"])

    def unrecorded(self, chosen: Mapping[str, Sequence[str]], columns: Sequence[str]) -> NotDrawn | None:
        """Return what is missing where the curves of these runs hold none of the columns; None if they hold any."""
        ids = {run for some in chosen.values() for run in some}
        if not ids:
            return NotDrawn("no cell of these optimizers has trained")
        curves = self.contents.curves
        rows = curves[curves["run_id"].isin(ids)]
        if not len(rows):
            return NotDrawn("no curves are stored of the runs that it needs")
        if not any(column in rows and rows[column].notna().any() for column in columns):
            return NotDrawn(f"the curves of these runs do not hold {' or '.join(columns)}")
        return None

    @property
    def restarts(self) -> bool:
        """Whether the learning rate of a run rises again after it has fallen."""
        curves = self.contents.curves.sort_values(["run_id", "epoch"])
        before = curves.groupby("run_id")["lr"].shift()
        peak = curves.groupby("run_id")["lr"].cummax().groupby(curves["run_id"]).shift()
        return bool(((before < 0.999 * peak) & (curves["lr"] > 1.001 * before)).any())
