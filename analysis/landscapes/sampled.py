"""A study whose cells a search chose: the cells as points, and a map interpolated between them.

Points that a search chose crowd where it looked, so a count of them says nothing of area; the map between
them is interpolated, and whoever draws it says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions import METRIC
from analysis.landscapes.labels import labelled
from robustness.results.tables.cells import at_chance, taken

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from analysis.landscapes.labels import Labels


@dataclass(frozen=True, eq=False, kw_only=True)
class InterpolatedMap:
    """An interpolated map: `values` (W, L) at `weight_decay` (W,), `lr` (L,); NaN outside the hull."""

    lr: NDArray[np.float64]
    weight_decay: NDArray[np.float64]
    values: NDArray[np.float64]


def samples(runs: pd.DataFrame, metric: str = METRIC, labels: Labels | None = None) -> pd.DataFrame:
    """Return one row a cell, named by its label, lr, weight_decay and weight_decay_native.

    `mean`, `std` (ddof 1), `low` and `high` are over its `seeds` runs with a result, in the metric's unit;
    `diverged` is their share that diverged, `at_chance` that of others no better than chance, `lost` that of both;
    `failed` is the number of runs without a result.
    """
    rows = labelled(runs, labels)
    known = rows["status"] != "failed"
    rows = rows.assign(
        value=taken(rows, metric).where(known),
        diverged=(rows["status"] == "diverged").astype(np.float64).where(known),
        at_chance=at_chance(rows, metric).astype(np.float64).where(known),
        failed=(~known).astype(np.int64),
    ).sort_values(["lr", "weight_decay", "seed"])
    cells = rows.groupby(["label", "lr", "weight_decay"], observed=True, sort=True).agg(
        weight_decay_native=("weight_decay_native", "first"),
        mean=("value", "mean"),
        std=("value", "std"),
        low=("value", "min"),
        high=("value", "max"),
        seeds=("value", "count"),
        diverged=("diverged", "mean"),
        at_chance=("at_chance", "mean"),
        failed=("failed", "sum"),
    )
    return cells.assign(lost=cells["diverged"] + cells["at_chance"]).reset_index()


def interpolated_map(cells: pd.DataFrame, size: int = 80) -> InterpolatedMap | None:
    """Return the piecewise linear interpolation of cell means over (log10 lr, log10 weight decay).

    On Delaunay triangles (Qhull; Barber et al. 1996), size x size points over the cells' bounding box. A
    diverged run enters with the error of chance. None with fewer than three cells, or with all on one line.
    """
    from scipy.interpolate import LinearNDInterpolator
    from scipy.spatial import QhullError

    cells = cells[(cells["weight_decay"] > 0) & cells["mean"].notna()]
    points = np.log10(cells[["lr", "weight_decay"]].to_numpy(dtype=np.float64))
    if len(points) < 3 or np.linalg.matrix_rank(points - points.mean(axis=0), tol=1e-9) < 2:
        return None
    axes = [np.linspace(low, high, size) for low, high in zip(points.min(axis=0), points.max(axis=0), strict=True)]
    try:
        interpolate = LinearNDInterpolator(points, cells["mean"].to_numpy(dtype=np.float64), rescale=True)
    except QhullError:
        return None
    x, y = np.meshgrid(*axes)
    values = np.asarray(interpolate(x, y), dtype=np.float64)
    return InterpolatedMap(lr=10 ** axes[0], weight_decay=10 ** axes[1], values=values)
