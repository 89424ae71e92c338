"""The landscapes of a study's optimizers in one box: each with the cell by which it is judged, and its mean map."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions import CHOOSER, METRIC
from analysis.landscapes.basin import Box, axis_widths, cell_weights, common_box, contact, within
from analysis.measures.chosen_cell import choose
from analysis.measures.divergence_edge import least_beside, unsettled
from analysis.measures.draws import Draws
from analysis.statistics.bootstrap import moved
from robustness.results.best import first_least

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analysis.landscapes.basin import Contact, Place
    from analysis.landscapes.by_seed import Replicates
    from analysis.measures.chosen_cell import Choice

    Floats = NDArray[np.float64]


class StudyLandscapes:
    """The measured landscapes of a study, each with the cell by which it is judged.

    Optimizers on the same axes are compared on the cells that all of them have. Nothing in it changes.
    """

    def __init__(
        self,
        found: Mapping[str, Replicates],
        *,
        metric: str = METRIC,
        chooser: str = CHOOSER,
        chance: float | None = None,
    ) -> None:
        """Choose each optimizer's cell.

        Args:
            found: The landscapes of every optimizer, seed by seed, with the columns `metric` and `chooser`.
            metric: The error that is measured, percent.
            chooser: What chooses cells.
            chance: Error of chance, percent; without it, the greatest error there is.
        """
        self.metric, self.chooser = metric, chooser
        self.replicates = {name: one for name, one in found.items() if np.isfinite(one.values[metric]).any()}
        self.box: Box | None = common_box(self.replicates.values())
        known = [float(np.nanmax(one.values[metric])) for one in self.replicates.values()]
        self.chance = chance if chance is not None else max(known, default=float("nan"))
        self.choices: dict[str, Choice | None] = {
            name: choose(one, metric, chooser, self.common[name]) for name, one in self.replicates.items()
        }

    @property
    def labels(self) -> list[str]:
        """Optimizers with a result, in the study's order."""
        return list(self.replicates)

    @property
    def chosen(self) -> dict[str, Place | None]:
        """The cell by which each optimizer is judged."""
        return {name: choice.cell if choice else None for name, choice in self.choices.items()}

    def depth(self, label: str) -> float:
        """Return e*, the chosen cell's test error in percent; NaN without one."""
        choice = self.choices.get(label)
        return choice.error if choice else float("nan")

    @cached_property
    def best(self) -> str | None:
        """The optimizer whose chosen cell has the least choosing error: the reference of absolute areas.

        Of several that are alike but for rounding, the first.
        """
        errors = {
            name: float(np.nanmean(choice.chooser[:, choice.cell.row, choice.cell.column]))
            for name, choice in self.choices.items()
            if choice is not None
        }
        return list(errors)[int(first_least(np.array(list(errors.values()))))] if errors else None

    @cached_property
    def common(self) -> dict[str, NDArray[np.bool_]]:
        """(W, L) by label: cells that count. On common axes those that every optimizer has measured."""
        measured = {name: np.isfinite(one.values[self.metric]).any(axis=0) for name, one in self.replicates.items()}
        if self.on_one_grid(*self.replicates):
            joint = np.all(list(measured.values()), axis=0)
            return {name: np.asarray(joint if joint.any() else own) for name, own in measured.items()}
        return {name: np.asarray(own) for name, own in measured.items()}

    def on_one_grid(self, *labels: str) -> bool:
        """Whether these optimizers have the same learning rates and weight decays."""
        found = [self.replicates[label] for label in labels]
        return len({(one.lr.tobytes(), one.weight_decay.tobytes()) for one in found}) == 1

    def seeds(self, *labels: str) -> int:
        """Return the seeds behind a comparison: of the optimizer with fewer, those that score its chosen cell.

        Seeds that do not change the outcome are one.
        """
        if any(self.replicates[label].alike for label in labels):
            return 1
        counts = []
        for label in labels:
            choice = self.choices[label]
            scoring = int(np.isfinite(choice.scores).sum()) if choice else 0
            # Without a chosen cell every run diverged: that needs no score to be known.
            counts.append(min(self.replicates[label].count, scoring) if choice else self.replicates[label].count)
        return min(counts, default=0)

    def inside(self, label: str, delta: float, *, absolute: bool = False) -> NDArray[np.bool_]:
        """Return (W, L): the cells of an optimizer's basin, those at weight decay 0 included."""
        mean = self.means[label]
        limit = (mean.reference if absolute else mean.best) + delta
        return np.asarray(within(mean.mean, limit, mean.cells)[0])

    def contact(self, label: str, delta: float, *, absolute: bool = False) -> Contact:
        """Return how an optimizer's basin meets the edge of the box."""
        weights, one = self.means[label].weights, self.replicates[label]
        if not weights.any():
            # Of optimizers without a common box, each has an edge of its own.
            weights = np.where(self.common[label], cell_weights(one), 0.0)
        return contact(self.inside(label, delta, absolute=absolute), weights, self.chosen[label])

    @property
    def seed_count(self) -> int:
        """Seeds of the study."""
        return len(next(iter(self.replicates.values())).seeds) if self.replicates else 0

    @cached_property
    def means(self) -> dict[str, Draws]:
        """The mean landscape of each optimizer."""
        return {label: self.around(label) for label in self.replicates}

    def around(self, label: str, t: Floats | None = None) -> Draws:
        """Return the landscape of an optimizer, its mean or moved by multipliers (B, S)."""
        one, choice = self.replicates[label], self.choices[label]
        rival = self.choices[self.best] if self.best else None
        widths = self._widths(one)
        with np.errstate(divide="ignore"):
            logs = np.log10(one.lr), np.log10(one.weight_decay)
        cells = self.common[label]
        if t is None:
            t, lost = np.zeros((1, len(one.seeds))), moved(one.lost, np.zeros((1, len(one.seeds))))
        else:
            lost = unsettled(one.lost, t, self.labels.index(label))
        chooser = self._error(one, choice.chooser if choice else one.values[self.metric], lost, t)
        picked = np.array([choice.cell]) if choice and len(t) == 1 else _least(chooser, one.trained & cells)
        mean = self._error(one, one.values[self.metric], lost, t)
        return Draws(
            mean=mean if cells.all() else np.where(cells, mean, np.nan),
            best=moved(choice.scores, t) if choice else np.full(len(t), np.nan),
            reference=moved(rival.scores, t) if rival else np.full(len(t), np.nan),
            lost=lost,
            chooser=chooser,
            cells=one.trained & cells,
            log_lr=logs[0],
            log_decay=logs[1],
            widths=widths,
            weights=np.where(cells, np.outer(*widths), 0.0),
            picked=picked,
            chance=self.chance,
        )

    def _error(self, one: Replicates, values: Floats, lost: Floats, t: Floats) -> Floats:
        """Return (B, W, L) errors: that of the runs that completed, and that of chance for the share that is lost.

        Moved apart from each other, since moving their mean would take a cell in which one seed diverged below what
        any run in it has reached.
        """
        completed = moved(np.where(one.lost == 0, values, np.nan), t)
        # A run of a lost cell that came through would do about as well as the best of the cells beside it.
        stand_in = least_beside(
            np.where(one.trained, np.nan_to_num(completed.mean(axis=0), nan=self.chance), self.chance)
        )
        # A landscape of one cell has none beside it.
        stand_in = np.where(np.isfinite(stand_in), stand_in, self.chance)
        completed = np.where(np.isnan(completed) & ~one.trained, stand_in, completed)
        return np.asarray(lost * self.chance + (1 - lost) * completed)

    def _widths(self, one: Replicates) -> tuple[Floats, Floats]:
        if self.box is None:
            return np.zeros(len(one.weight_decay)), np.zeros(len(one.lr))
        return axis_widths(one.weight_decay, self.box.weight_decay), axis_widths(one.lr, self.box.lr)


def _least(errors: Floats, cells: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return (B, 2) row and column of the least error among `cells` (W, L) in each draw (B, W, L)."""
    counted = np.where(cells, np.nan_to_num(errors, nan=np.inf), np.inf).reshape(len(errors), -1)
    return np.stack(np.divmod(first_least(counted), cells.shape[1]), axis=1)
