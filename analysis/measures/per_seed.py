"""Measures with one number a seed: cell by cell where two basins overlap, and trends along weight decay.

What a network is like in one chosen cell depends on which of many like cells was chosen, and that is noise. So two
optimizers are compared at the same learning rates and weight decays, over all cells that lie in both of their basins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions import WITHIN
from analysis.landscapes.by_seed import in_cells
from analysis.measures.equal_loss import adjusted

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from analysis.measures.study_landscapes import StudyLandscapes
    from analysis.measures.study_runs import StudyRuns

    Floats = NDArray[np.float64]
    Rows = tuple[Floats, Floats]


def _same(value: Floats | float) -> Floats | float:
    return value


@dataclass(frozen=True, kw_only=True)
class PerSeed:
    """The formula of a measure of which every seed gives one number.

    Attributes:
        rows: (study, of, against, column) -> two (S,) rows, paired by seed; NaN where a seed has none. `against` and
            `column` are "" where there is none.
        shown: From a mean of the rows to the value.
        depth_of: Of a depth, the landscapes whose chosen cells it is the depth of.
        halved: Whether only those seeds score that did not choose the cell.
    """

    rows: Callable[[StudyRuns, str, str, str], Rows]
    shown: Callable[[Floats | float], Floats | float] = _same
    depth_of: Callable[[StudyRuns], StudyLandscapes] | None = None
    halved: bool = False


def _unknown(study: StudyLandscapes) -> Floats:
    return np.full(study.seed_count, np.nan)


def _logarithms(study: StudyRuns, label: str, column: str) -> Floats:
    """Return (S, W, L) log10 of a column; NaN where it is missing or not positive."""
    values = study.column(label, column)
    return np.log10(values, out=np.full(values.shape, np.nan), where=values > 0)


def shared(study: StudyLandscapes, of: str, against: str) -> NDArray[np.bool_]:
    """Return (W, L): the cells that lie in both basins; none where the two are not on the same axes."""
    first, second = study.inside(of, WITHIN), study.inside(against, WITHIN)
    return first & second if study.on_one_grid(of, against) else np.zeros_like(first)


def _means(values: Floats, known: NDArray[np.bool_]) -> Floats:
    """Return (S,) means of (S, ...) values over the places that are known for that seed; NaN without any."""
    count = known.reshape(len(known), -1).sum(axis=1)
    total = np.where(known, values, 0.0).reshape(len(known), -1).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def paired_means(rows: Rows) -> list[float]:
    """Return the means of two paired rows over the seeds that both have."""
    both = np.isfinite(rows[0]) & np.isfinite(rows[1])
    return [float(row[both].mean()) if both.any() else float("nan") for row in rows]


def _depth(study: StudyRuns, of: str, against: str, _column: str) -> Rows:
    """Test errors of the chosen cells, from the seeds that did not choose them, percent."""
    return _scores(study, of, against)


def _scores(study: StudyLandscapes, of: str, against: str) -> Rows:
    choices = study.choices.get(of), study.choices.get(against)
    rows = [_unknown(study) if choice is None else choice.scores for choice in choices]
    return rows[0], rows[1]


def _loss_depth(study: StudyRuns, of: str, against: str, _column: str) -> Rows:
    """Test losses of the cells of least validation loss, from the seeds that did not choose them, nats."""
    return _scores(study.losses, of, against)


def _best_epoch(study: StudyRuns, of: str, against: str, _column: str) -> Rows:
    """The least test error over the epochs, in the chosen cells, percent: the paper's way to score."""
    rows = []
    for label in (of, against):
        values, cell = study.column(label, "best_test_error"), study.chosen[label]
        rows.append(_unknown(study) if cell is None else values[:, cell.row, cell.column])
    return rows[0], rows[1]


def _matched(study: StudyRuns, of: str, against: str, column: str) -> Rows:
    """log10 of a column, mean over the shared cells: the difference is the log of a ratio of geometric means."""
    if not study.on_one_grid(of, against):
        return _unknown(study), _unknown(study)
    first, second = (_logarithms(study, label, column) for label in (of, against))
    known = np.isfinite(first) & np.isfinite(second) & shared(study, of, against)
    return _means(first, known), _means(second, known)


def _trend(study: StudyRuns, of: str, against: str, column: str) -> Rows:
    """Slopes of log10(column) on log10(weight decay); against nothing: against 0."""
    first = _slopes(study, of, column)
    return first, _slopes(study, against, column) if against else np.zeros_like(first)


def _slopes(study: StudyRuns, label: str, column: str) -> Floats:
    """Return (S,) least-squares slopes, mean over the learning rates at which the optimizer has a basin.

    At each over the cells in which every run completed, weight decay 0 aside, three at least.
    """
    one, inside = study.replicates[label], study.inside(label, WITHIN)
    completed = (np.nan_to_num(one.lost, nan=0.0).max(axis=0) == 0) & (one.weight_decay > 0)[:, None]
    y = np.where(completed, _logarithms(study, label, column), np.nan)
    with np.errstate(divide="ignore"):
        x = np.broadcast_to(np.log10(one.weight_decay)[:, None], y.shape)
    known = np.isfinite(y)
    count = known.sum(axis=1)
    apart = [np.where(known, v, 0.0) - np.where(known, np.where(known, v, 0.0).sum(axis=1, keepdims=True)
             / np.maximum(count, 1)[:, None], 0.0) for v in (x, y)]  # fmt: skip
    squares = (apart[0] ** 2).sum(axis=1)
    usable = (count >= 3) & (squares > 0) & (inside & (one.weight_decay > 0)[:, None]).any(axis=0)
    slopes = np.divide((apart[0] * apart[1]).sum(axis=1), squares, out=np.zeros_like(squares), where=usable)
    # A column that does not change has no slope, not one of 1e-17 that all seeds share.
    return np.round(_means(slopes, usable), 12)


def _equal_loss(study: StudyRuns, of: str, against: str, _column: str) -> Rows:
    """Test errors at a common training loss over the last epochs, mean over the shared cells, percent."""
    runs, curves = study.runs, study.curves
    if runs is None or curves is None or not len(curves) or of == against:
        return _unknown(study), _unknown(study)
    one = study.replicates[of]
    identity = ["seed", "lr", "weight_decay"]
    some = runs[(runs["status"] == "completed") & runs["label"].isin([of, against])]
    some = some[in_cells(some, one, shared(study, of, against))]
    sides = [some.loc[some["label"] == label, [*identity, "run_id"]] for label in (of, against)]
    pairs = sides[0].merge(sides[1], on=identity).rename(columns={"run_id_x": "first", "run_id_y": "second"})
    found = adjusted(curves, pairs).groupby("seed")[["first_error", "second_error"]].mean().reindex(one.seeds)
    return found["first_error"].to_numpy(dtype=np.float64), found["second_error"].to_numpy(dtype=np.float64)


def _power(value: Floats | float) -> Floats | float:
    return np.power(10.0, value)


def _errors(study: StudyRuns) -> StudyLandscapes:
    return study


def _losses(study: StudyRuns) -> StudyLandscapes:
    return study.losses


FORMULAS: dict[str, PerSeed] = {
    "depth": PerSeed(rows=_depth, depth_of=_errors, halved=True),
    "loss_depth": PerSeed(rows=_loss_depth, depth_of=_losses, halved=True),
    "best_epoch_depth": PerSeed(rows=_best_epoch, depth_of=_errors),
    "matched": PerSeed(rows=_matched, shown=_power),
    "trend": PerSeed(rows=_trend),
    "equal_loss_error": PerSeed(rows=_equal_loss),
}
"""Of those rows of `robustness.claims.measures` of which every seed gives one number, by name."""
