"""Measures of a study's optimizers, and their differences with intervals from one paired bootstrap."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions import CHOOSER, LEVEL
from analysis.landscapes.by_seed import replicates
from analysis.measures import per_seed
from analysis.measures.clipped_basin import clipped
from analysis.measures.draws import Surfaces
from analysis.measures.over_landscape import MEASURES
from analysis.statistics.bootstrap import contrast, interval
from analysis.statistics.comparing import comparison
from analysis.statistics.confidence_interval import t_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from analysis.landscapes.landscape import Axis
    from analysis.measures.chosen_cell import Choice
    from analysis.statistics.comparison import Comparison

    Floats = NDArray[np.float64]


class Contrasts(Surfaces):
    """What one study says of its optimizers, with the same draws of seeds for all of them.

    Example:
        >>> from analysis import gather
        >>> from robustness.published.shipped import published
        >>> contrasts = gather(published()["cifar10"]).contrasts
        >>> contrasts.labels
        ['AdamS', 'AdamW', 'Adam']
        >>> round(contrasts.value("depth", "AdamS"), 2)  # percent
        47.42
        >>> wider = contrasts.compare("basin_area", "Adam", "AdamS", delta=1.0)
        >>> wider.side, round(wider.estimate, 2)
        (0, 1.5)
    """

    @classmethod
    def of_runs(
        cls,
        runs: pd.DataFrame,
        lr: Axis = None,
        weight_decay: Axis = None,
        *,
        metric: str = "test_error",
        chance: float | None = None,
        curves: pd.DataFrame | None = None,
    ) -> Contrasts:
        """Arrange the labelled runs of a grid (see `analysis.landscapes.labels.label`) on its axes."""
        found = replicates(runs, [metric, CHOOSER], lr, weight_decay)
        return cls(found, metric=metric, chance=chance, runs=runs, curves=curves)

    def value(self, measure: str, label: str, *, delta: float | None = None, column: str | None = None) -> float:
        """Return a measure of one optimizer; NaN where it is unknown.

        Raises:
            KeyError: No such measure.
            ValueError: A basin without its delta.
        """
        if measure in per_seed.SERIES:
            rows = self._rows(measure, label, label, column)
            return float(per_seed.SERIES[measure].shown(self._means(rows)[0]))
        return float(MEASURES[measure].formula(self.surface(label), _delta(measure, delta))[0])

    def compare(
        self,
        measure: str,
        of: str,
        against: str | None,
        *,
        delta: float | None = None,
        column: str | None = None,
        level: float = LEVEL,
    ) -> Comparison:
        """Return a measure of two optimizers and the percentile interval of their difference or ratio.

        Args:
            measure: Name of the measure.
            of: Label of the first optimizer.
            against: Label of the second; None compares a `trend` with 0.
            delta: Points of error that bound the basin, for measures of basins.
            column: Column of the runs table, for measures that leave it open.
            level: Confidence level of the interval, 0..1.

        Returns:
            Value of both, difference or ratio, and its interval; NaN where a value is unknown.

        Raises:
            KeyError: No such measure.
            ValueError: A basin without its delta, a column that is not named, or no second optimizer for a measure
                that needs one.
        """
        if measure in per_seed.SERIES:
            return self._compare_series(measure, of, against, column, level)
        if against is None:
            raise ValueError(f"{measure} compares two optimizers")
        if self._crowded:
            return self._among(of, against).compare(measure, of, against, delta=delta, level=level)
        points, scale = _delta(measure, delta), MEASURES[measure].scale
        values = [self.value(measure, name, delta=delta) for name in (of, against)]
        seeds, ends = self.seeds(of, against), (float("nan"), float("nan"))
        if seeds > 1 and not np.isnan(values).any():
            sides = [MEASURES[measure].formula(self.draws(name, seeds), points) for name in (of, against)]
            ends = interval(contrast(sides[0], sides[1], scale), level)
        found = comparison(measure, of, against, values, ends, delta=delta, scale=scale, level=level, seeds=seeds)
        return self._of_all_seeds(found, self.choices)

    def _compare_series(
        self, measure: str, of: str, against: str | None, column: str | None, level: float
    ) -> Comparison:
        kind = per_seed.SERIES[measure]
        rows = self._rows(measure, of, against or "", column)
        apart = rows[0] - rows[1]
        found = t_interval(apart, level)
        ends = float(kind.shown(float(found.low))), float(kind.shown(float(found.high)))
        shown = [float(kind.shown(value)) for value in self._means(rows)]
        names = measure, of, against or "", shown, ends
        made = comparison(*names, column=column or "", scale=kind.scale, level=level, seeds=int(found.seeds))
        if measure not in {"depth", "loss_depth"}:
            return made
        return self._of_all_seeds(made, self.choices if measure == "depth" else self.losses.choices)

    @staticmethod
    def _of_all_seeds(found: Comparison, choices: Mapping[str, Choice | None]) -> Comparison:
        """Count those seeds as needed too that choose the cells, where half of them do."""
        halved = any(choice and choice.by == "half" for choice in map(choices.get, (found.of, found.against)))
        return replace(found, needed=2 * found.needed) if halved and found.needed else found

    def _rows(self, measure: str, of: str, against: str, column: str | None) -> tuple[Floats, Floats]:
        if measure in per_seed.OF_COLUMNS and not column:
            raise ValueError(f"{measure} needs the column of the runs table that it reads")
        if not against and measure != "trend":
            raise ValueError(f"{measure} compares two optimizers")
        return per_seed.SERIES[measure].rows(self, of, against, column or "")

    @staticmethod
    def _means(rows: tuple[Floats, Floats]) -> list[float]:
        """Return the means of two paired rows over the seeds that both have."""
        both = np.isfinite(rows[0]) & np.isfinite(rows[1])
        return [float(row[both].mean()) if both.any() else float("nan") for row in rows]

    def clipped(self, comparison: Comparison) -> str:
        """Return why the edge of the box could turn a comparison round, "" if it could not."""
        if self._crowded and comparison.against and comparison.measure in MEASURES:
            return clipped(self._among(comparison.of, comparison.against), comparison)
        return clipped(self, comparison)

    @property
    def _crowded(self) -> bool:
        """Whether only pairs of optimizers can have a box in common: all of them together have none."""
        return self.box is None and len(self.replicates) > 2

    def _among(self, *labels: str) -> Contrasts:
        """Return the study of these optimizers alone; kept."""
        if labels not in self._pairs:
            found = {label: self.replicates[label] for label in labels}
            self._pairs[labels] = Contrasts(
                found, metric=self.metric, chance=self.chance, runs=self.runs, curves=self.curves, draws=self.most_draws
            )
        return self._pairs[labels]

    @cached_property
    def _pairs(self) -> dict[tuple[str, ...], Contrasts]:
        return {}

    def common_box(self, of: str, against: str) -> bool:
        """Whether two optimizers have a part of learning rate and weight decay in common."""
        return (self._among(of, against) if self._crowded else self).box is not None


def _delta(measure: str, delta: float | None) -> float:
    if MEASURES[measure].basin and delta is None:
        raise ValueError(f"{measure} needs delta, the points of error that bound the basin")
    return 0.0 if delta is None else delta
