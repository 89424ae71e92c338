"""From the runs table to every seed's own landscape, one array an optimizer and column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions import CHOOSER, METRIC
from analysis.landscapes.labels import labelled
from analysis.landscapes.landscape import of_label
from robustness.results.best import arranged
from robustness.results.tables.cells import at_chance, taken
from robustness.results.tables.columns import ERRORS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from analysis.landscapes.labels import Labels
    from analysis.landscapes.landscape import Axis

    Floats = NDArray[np.float64]


OUTCOMES = ("test_error", "test_loss", "train_loss", "weight_norm")
"""What two runs of different seeds hardly have in common, unless the seed changes nothing."""
SAME = 1e-5
"""Relative: a hundred times the rounding of single precision, in which the order of a batch changes a sum."""


@dataclass(frozen=True, eq=False)
class Replicates:
    """The landscapes of one optimizer, a seed each.

    Attributes:
        label: The optimizer's name in the study.
        lr: (L,) ascending.
        weight_decay: (W,) ascending, on the study's common scale; may start with 0.
        seeds: (S,) the same for all optimizers of a study.
        values: Column of the runs table -> (S, W, L); NaN where a run is missing, failed or has no such value. A run
            that diverged counts in an error with that of chance.
        lost: (S, W, L) 1 where the run has learnt nothing, 0 where it has learnt, NaN where it is missing or failed.
            It has learnt nothing if it diverged, or is no better than chance in the error that chooses cells: the
            validation error, or the test error where there is none.
        alike: Whether in every cell all seeds came to the same outcome, so that there is one observation a cell.
    """

    label: str
    lr: Floats
    weight_decay: Floats
    seeds: NDArray[np.int64]
    values: dict[str, Floats]
    lost: Floats
    alike: bool = False

    @property
    def trained(self) -> NDArray[np.bool_]:
        """(W, L): cells in which a seed has learnt."""
        return np.asarray((self.lost == 0).any(axis=0))

    @property
    def count(self) -> int:
        """Seeds of a typical cell: the median over the measured ones; 0 without any."""
        counts = np.isfinite(self.lost).sum(axis=0)
        return int(np.median(counts[counts > 0])) if (counts > 0).any() else 0


def replicates(
    runs: pd.DataFrame,
    columns: Sequence[str],
    lr: Axis = None,
    weight_decay: Axis = None,
    labels: Labels | None = None,
) -> dict[str, Replicates]:
    """Return the landscapes of every optimizer label; the order of rows and repeated rows change nothing.

    Args:
        runs: A runs table; runs off the axes are left out.
        columns: Numeric columns to arrange; one that the table lacks is all NaN.
        lr: The learning rates of the map, or label -> those of an optimizer; without them the rates of its runs.
        weight_decay: Likewise.
        labels: See `analysis.landscapes.labels.label`.
    """
    rows = labelled(runs, labels)
    rows = rows.assign(**{column: taken(rows, column) for column in columns if column in ERRORS and column in rows})
    seeds = np.unique(rows["seed"].to_numpy(dtype=np.int64))
    found = {}
    for name, part in rows.groupby("label", observed=lr is None or weight_decay is None, sort=True):
        given = {"lr": of_label(lr, str(name)), "weight_decay": of_label(weight_decay, str(name))}
        axes = [
            np.unique(np.asarray(part[column] if own is None else own, dtype=np.float64))
            for column, own in given.items()
        ]
        found[str(name)] = _replicates(str(name), part, columns, seeds, (axes[0], axes[1]))
    return found


def arrange(rows: pd.DataFrame, column: str, seeds: NDArray[np.int64], weight_decay: Floats, lr: Floats) -> Floats:
    """Return (S, W, L) a column of one optimizer's runs; NaN where there is none, or the column holds no numbers."""
    if column in ERRORS and column in rows:
        rows = rows.assign(**{column: taken(rows, column)})
    return _Places(rows, seeds, weight_decay, lr).column(column)


def in_cells(runs: pd.DataFrame, one: Replicates, cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return (N,): which runs, of whatever optimizer, lie in the cells (W, L) of a landscape."""
    rows, columns = np.nonzero(cells)
    wanted = set(zip(one.lr[columns].tolist(), one.weight_decay[rows].tolist(), strict=True))
    return np.array([cell in wanted for cell in zip(runs["lr"], runs["weight_decay"], strict=True)], dtype=bool)


def _replicates(
    name: str, rows: pd.DataFrame, columns: Sequence[str], seeds: NDArray[np.int64], axes: tuple[Floats, Floats]
) -> Replicates:
    lr, decay = axes
    places = _Places(rows, seeds, decay, lr)
    chooser = CHOOSER if places.rows[CHOOSER].notna().any() else METRIC
    lost = (places.rows["status"] == "diverged") | at_chance(places.rows, chooser)
    values = {column: places.column(column) for column in columns}
    numbers = places.arranged(lost.to_numpy().astype(np.float64))
    return Replicates(name, lr, decay, seeds, values, numbers, alike=_are_alike(places.rows))


def _are_alike(rows: pd.DataFrame) -> bool:
    """Whether the seeds of every cell end in the same numbers but for rounding, and some cell has several."""
    completed = rows[rows["status"] == "completed"]
    numbers = [name for name in OUTCOMES if name in completed]
    cells = completed.groupby(["lr", "weight_decay"])
    several = cells["seed"].min() < cells["seed"].max()
    low, high = (found[several] for found in (cells[numbers].min(), cells[numbers].max()))
    return bool(several.any()) and bool(
        ((high - low).abs().fillna(0.0) <= SAME * high.abs().fillna(0.0)).all(axis=None)
    )


class _Places:
    """Where each run of one optimizer stands among seeds, weight decays and learning rates."""

    def __init__(self, rows: pd.DataFrame, seeds: NDArray[np.int64], weight_decay: Floats, lr: Floats) -> None:
        self.shape = (len(seeds), len(weight_decay), len(lr))
        place, inside = np.zeros(len(rows), dtype=np.int64), np.ones(len(rows), dtype=bool)
        for axis, column in ((seeds, "seed"), (weight_decay, "weight_decay"), (lr, "lr")):
            numbers = rows[column].to_numpy()
            index = np.minimum(np.searchsorted(axis, numbers), max(len(axis) - 1, 0))
            inside &= axis[index] == numbers if len(axis) else False
            place = place * len(axis) + index
        self.rows, self.place = rows[inside], place[inside]
        if len(self.place) > len(np.unique(self.place)):
            # Each run once, and sums in one order: that of the rows must not change the last bit of a mean.
            _, order = np.unique(self.rows["run_id"].to_numpy(dtype=str), return_index=True)
            self.rows, self.place = self.rows.iloc[order], self.place[order]
        self.result = (self.rows["status"] != "failed").to_numpy()

    def column(self, name: str) -> Floats:
        """Return a column, see `arrange`."""
        if name not in self.rows or self.rows[name].dtype.kind not in "fiu":
            return np.full(self.shape, np.nan)
        return self.arranged(self.rows[name].to_numpy(dtype=np.float64, na_value=np.nan))

    def arranged(self, numbers: Floats) -> Floats:
        """Put one number a run in its place; runs that share a place (other options) are averaged."""
        return arranged(np.where(self.result, numbers, np.nan), self.place, self.shape)
