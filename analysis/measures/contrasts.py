"""Measures of a study's optimizers, and their differences with intervals from one paired bootstrap."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.conventions import ALIKE, CHOOSER, COARSE, LEVEL, METRIC, ROUNDING
from analysis.landscapes.basin import common_box
from analysis.landscapes.by_seed import replicates
from analysis.measures.clipped_basin import clipped
from analysis.measures.draws import still
from analysis.measures.over_landscape import OverLandscape
from analysis.measures.per_seed import paired_means
from analysis.measures.registry import formula
from analysis.measures.study_runs import StudyRuns
from analysis.statistics.bootstrap import DRAWS, interval, multipliers
from analysis.statistics.comparison import Question, comparison, contrast
from analysis.statistics.comparisons import Comparisons
from analysis.statistics.confidence_interval import t_interval
from robustness.claims.measures import measure as row_of
from robustness.results.tables.cells import chance_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from analysis.landscapes.by_seed import Replicates
    from analysis.landscapes.landscape import Axis
    from analysis.measures.chosen_cell import Choice
    from analysis.measures.draws import Draws
    from analysis.measures.per_seed import PerSeed
    from analysis.measures.study_landscapes import StudyLandscapes
    from analysis.statistics.comparison import Comparison
    from analysis.statistics.comparisons import Value

    Floats = NDArray[np.float64]

SPACE = 2**22
"""Numbers that the draws of one optimizer's landscape may take: 32 MB."""

NONE = (float("nan"), float("nan"))
"""The ends of an interval that there is not."""


class Contrasts(StudyRuns):
    """What one study says of its optimizers, with the same draws of seeds for all of them.

    The draws take some hundred megabytes for many cells, and go with it: it is made for the questions of one moment,
    and what it found is handed on as `Comparisons`.

    Example:
        >>> from analysis import Contrasts
        >>> from analysis.landscapes.labels import label
        >>> from robustness.published.shipped import published
        >>> contrasts = Contrasts.of_runs(label(published()["cifar10"].runs()))
        >>> contrasts.labels
        ['adam', 'adams', 'adamw']
        >>> round(contrasts.value("depth", "adams"), 2)  # percent
        47.42
        >>> wider = contrasts.compare("basin_area", "adam", "adams", delta=1.0)
        >>> wider.side, round(wider.estimate, 2)
        (0, 1.5)
    """

    def __init__(self, found: Mapping[str, Replicates], *, draws: int = DRAWS, **options: Any) -> None:
        """Choose each optimizer's cell.

        Args:
            found: The landscapes of every optimizer, seed by seed.
            draws: Bootstrap draws, a power of 2; fewer of very large landscapes.
            **options: Of `StudyRuns`.
        """
        super().__init__(found, **options)
        self._most_draws = draws
        self._drawn: dict[tuple[str, int], Draws] = {}
        self._measured: dict[tuple[str, str, int, float], Floats] = {}
        self._pairs: dict[tuple[str, ...], Contrasts] = {}

    @classmethod
    def of_runs(
        cls,
        runs: pd.DataFrame,
        lr: Axis = None,
        weight_decay: Axis = None,
        *,
        metric: str = METRIC,
        chance: float | None = None,
        curves: pd.DataFrame | None = None,
    ) -> Contrasts:
        """Arrange the labelled runs of a grid (see `analysis.landscapes.labels.label`) on its axes."""
        found = replicates(runs, [metric, CHOOSER], lr, weight_decay)
        known = chance_of(runs) if chance is None else chance
        return cls(found, metric=metric, chance=known, runs=runs, curves=curves)

    @classmethod
    def of(cls, study: StudyLandscapes, runs: pd.DataFrame, curves: pd.DataFrame | None = None) -> Contrasts:
        """Return the contrasts of a study whose runs are arranged already."""
        metric, chooser, chance = study.metric, study.chooser, study.chance
        return cls(study.replicates, metric=metric, chooser=chooser, chance=chance, runs=runs, curves=curves)

    def answers(self, questions: Iterable[Question], values: Iterable[Value] = ()) -> Comparisons:
        """Return the answers to questions, each worked out once, and these values of single optimizers.

        Raises:
            KeyError: No such measure.
            ValueError: As of `compare`.
        """
        asked = list(dict.fromkeys(questions))
        found = {one: self.answer(one) for one in asked}
        pairs = {(one.of, one.against) for one in asked if one.against is not None}
        reasons = {one: self.clipped(comparison) for one, comparison in found.items()}
        return Comparisons(
            labels=tuple(self.labels),
            found=found,
            clipped={one: reason for one, reason in reasons.items() if reason is not None},
            values={one: self.value(one.measure, one.label, delta=one.delta) for one in values},
            one_grid=frozenset(pair for pair in pairs if self.on_one_grid(*pair)),
            one_box=frozenset(pair for pair in pairs if self.common_box(*pair)),
        )

    def value(self, measure: str, label: str, *, delta: float | None = None, column: str | None = None) -> float:
        """Return a measure of one optimizer; NaN where it is unknown.

        Raises:
            KeyError: No such measure.
            ValueError: A basin without its delta.
        """
        kind = formula(measure)
        if isinstance(kind, OverLandscape):
            return float(kind.formula(self.means[label], _delta(measure, delta))[0])
        return float(kind.shown(paired_means(self._rows(measure, kind, label, label, column))[0]))

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
        return self.answer(Question(measure, of, against, delta, column, level))

    def answer(self, question: Question) -> Comparison:
        """Return the answer to one question, worked out anew; see `compare`."""
        kind = formula(question.measure)
        if isinstance(kind, OverLandscape):
            return self._compare_landscapes(question, kind)
        return self._compare_seeds(question, kind)

    def _compare_landscapes(self, question: Question, kind: OverLandscape) -> Comparison:
        measure, of, against, delta, _, level = question
        if against is None:
            raise ValueError(f"{measure} compares two optimizers")
        if self._crowded:
            return self._among(of, against)._compare_landscapes(question, kind)
        points, scale = _delta(measure, delta), row_of(measure).scale
        values = [self.value(measure, name, delta=delta) for name in (of, against)]
        seeds, ends, without = self.seeds(of, against), NONE, self._alike(of, against)
        if seeds > 1 and not np.isnan(values).any():
            sides = [self._drawn_values(measure, kind, name, seeds, points) for name in (of, against)]
            ends = interval(contrast(sides[0], sides[1], scale), level)
            alike = scale == "ratio" and np.allclose(ends, 1.0, rtol=0, atol=ROUNDING)
            if alike and still(sides, [self.replicates[name].values[self.metric] for name in (of, against)]):
                ends, without = NONE, COARSE
        found = comparison(measure, of, against, values, ends, delta=delta, scale=scale, level=level, seeds=seeds)
        return _of_all_seeds(replace(found, without=without), self.choices)

    def _alike(self, *labels: str) -> str | None:
        """Return why seeds give no interval where those of one of these optimizers do not change the outcome."""
        return ALIKE if any(self.replicates[label].alike for label in labels) else None

    def _drawn_values(self, measure: str, kind: OverLandscape, label: str, seeds: int, points: float) -> Floats:
        """Return (B,) a measure of each draw; kept, for an optimizer meets several rivals at several levels."""
        key = measure, label, seeds, points
        if key not in self._measured:
            self._measured[key] = kind.formula(self.draws(label, seeds), points)
        return self._measured[key]

    def _compare_seeds(self, question: Question, kind: PerSeed) -> Comparison:
        measure, of, against, _, column, level = question
        rows = self._rows(measure, kind, of, against or "", column)
        found = t_interval(rows[0] - rows[1], level)
        without = self._alike(of, *([against] if against else []))
        made = comparison(
            measure,
            of,
            against or "",
            [float(kind.shown(value)) for value in paired_means(rows)],
            NONE if without else (float(kind.shown(float(found.low))), float(kind.shown(float(found.high)))),
            column=column or "",
            scale=row_of(measure).scale,
            level=level,
            seeds=1 if without else int(found.seeds),
        )
        made = replace(made, without=without)
        return _of_all_seeds(made, kind.depth_of(self).choices) if kind.depth_of and kind.halved else made

    def _rows(self, measure: str, kind: PerSeed, of: str, against: str, column: str | None) -> tuple[Floats, Floats]:
        row = row_of(measure)
        if row.column and not column:
            raise ValueError(f"{measure} needs the column of the runs table that it reads")
        if not against and not row.against_zero:
            raise ValueError(f"{measure} compares two optimizers")
        return kind.rows(self, of, against, column or "")

    def draws(self, label: str, seeds: int) -> Draws:
        """Return the draws of an optimizer's landscape for comparisons with `seeds` seeds; kept."""
        key = label, seeds
        if key not in self._drawn:
            cells = max(one.trained.size for one in self.replicates.values())
            draws = int(np.clip(2 ** int(np.log2(SPACE / cells)), 256, self._most_draws))
            self._drawn[key] = self.around(label, multipliers(self.seed_count, seeds - 1, draws))
        return self._drawn[key]

    def clipped(self, comparison: Comparison) -> str | None:
        """Return why the edge of the box could turn a comparison round; None if it could not."""
        if self._crowded and comparison.against and isinstance(formula(comparison.measure), OverLandscape):
            return clipped(self._among(comparison.of, comparison.against), comparison)
        return clipped(self, comparison)

    def common_box(self, of: str, against: str) -> bool:
        """Whether two optimizers have a part of learning rate and weight decay in common."""
        return common_box([self.replicates[of], self.replicates[against]]) is not None

    @property
    def _crowded(self) -> bool:
        """Whether only pairs of optimizers can have a box in common: all of them together have none."""
        return self.box is None and len(self.replicates) > 2

    def _among(self, *labels: str) -> Contrasts:
        """Return the study of these optimizers alone; kept."""
        if labels not in self._pairs:
            found = {label: self.replicates[label] for label in labels}
            self._pairs[labels] = Contrasts(
                found,
                draws=self._most_draws,
                metric=self.metric,
                chooser=self.chooser,
                chance=self.chance,
                runs=self.runs,
                curves=self.curves,
            )
        return self._pairs[labels]


def _of_all_seeds(found: Comparison, choices: Mapping[str, Choice | None]) -> Comparison:
    """Count those seeds as needed too that choose the cells, where half of them do."""
    halved = any(choice and choice.by == "half" for choice in map(choices.get, (found.of, found.against)))
    return replace(found, needed=2 * found.needed) if halved and found.needed else found


def _delta(measure: str, delta: float | None) -> float:
    if row_of(measure).basin and delta is None:
        raise ValueError(f"{measure} needs delta, the points of error that bound the basin")
    return 0.0 if delta is None else delta
