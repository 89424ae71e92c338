"""From an address to how its maps are looked at, and to the cell that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.figures.base.metrics import METRICS, TEST_ERROR, Look, Metric, recorded

if TYPE_CHECKING:
    import pandas as pd

    from analysis.service.base.address import View

DELTAS = ("1", "0.25", "0.5", "2", "5")
"""Points of error that bound a basin; the first is the default."""

KEYS = ("workload", "metric", "delta", "range", "decay", "seeds", "surface")
"""Of the query: what decides how the maps look."""


class CellOf(NamedTuple):
    """A cell by its optimizer and its exact values."""

    label: str
    lr: float
    weight_decay: float

    def written(self) -> str:
        """Return it as an address has it."""
        return f"{self.label}~{self.lr!r}~{self.weight_decay!r}"


def cell_of(text: str, runs: pd.DataFrame) -> CellOf | None:
    """Return the cell that an address names: the nearest one that the optimizer has; None without one."""
    label, *numbers = text.rsplit("~", 2)  # a label may hold a tilde
    try:
        lr, decay = map(float, numbers)
    except ValueError:
        return None
    own = runs.loc[runs["label"] == label, ["lr", "weight_decay"]]
    if not len(own) or not np.isfinite([lr, decay]).all():
        return None
    # Written with all digits, a number comes back as it was; one that somebody typed need not be exact.
    rates, decays = own["lr"].to_numpy(float), own["weight_decay"].to_numpy(float)
    far = np.abs(np.log(np.maximum(rates, 1e-300)) - np.log(max(lr, 1e-300)))
    far += np.where((decays > 0) == (decay > 0), 0.0, 1e3)
    both = (decays > 0) & (decay > 0)
    far[both] += np.abs(np.log(decays[both]) - np.log(max(decay, 1e-300)))
    best = int(np.argmin(far))
    return CellOf(label, float(rates[best]), float(decays[best]))


def runs_in(runs: pd.DataFrame, cell: CellOf) -> pd.DataFrame:
    """Return the runs of a cell, by seed."""
    here = (runs["label"] == cell.label) & (runs["lr"] == cell.lr) & (runs["weight_decay"] == cell.weight_decay)
    found: pd.DataFrame = runs[here].sort_values("seed")
    return found


def look_of(view: View, runs: pd.DataFrame) -> Look:
    """Return how an address wants the maps; what it may not want is left at its default."""
    seeds = view.one_of("seeds", ["mean", "spread", *(str(seed) for seed in seeds_of(runs))])
    return Look(
        metric=METRICS[view.one_of("metric", [metric.key for metric in metrics(runs)])],
        delta=float(view.one_of("delta", DELTAS)),
        limits="full" if view.get("range") == "full" else "robust",
        native=view.get("decay") == "given",
        seed=int(seeds) if seeds.isdigit() else None,
        spread=seeds == "spread",
        interpolated=view.get("surface") == "interpolated",
    )


def metrics(runs: pd.DataFrame) -> list[Metric]:
    """Return the metrics that the runs have; the test error in any case."""
    return recorded(runs) or [TEST_ERROR]


def seeds_of(runs: pd.DataFrame) -> list[int]:
    """Return the seeds of the runs, ascending."""
    return sorted(int(seed) for seed in runs["seed"].unique())
