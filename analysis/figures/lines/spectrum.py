"""The greatest eigenvalues of the Hessian, by rank, in each optimizer's cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.figures.base.line_panels import Panel, Polyline, draw, log_axis
from analysis.formats import bands, seed_counts
from analysis.landscapes.slots import own_slots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from analysis.figures.base.theme import Drawing

    Floats = NDArray[np.float64]

COLUMN = "hessian_eigenvalues"


def eigenvalues(runs: pd.DataFrame, run_ids: Sequence[str]) -> Floats:
    """Return (n, k) eigenvalues, descending, of those runs that have any; NaN where a run has fewer than k."""
    if COLUMN not in runs:
        return np.zeros((0, 0))
    lists = runs.loc[runs["run_id"].isin(run_ids), COLUMN]
    rows = [np.asarray(row, dtype=np.float64) for row in lists if np.ndim(row) and np.size(row)]
    most = max(map(len, rows), default=0)
    found = [np.pad(row, (0, most - len(row)), constant_values=np.nan) for row in rows]
    return np.array(found, dtype=np.float64).reshape(len(rows), most)


def spectrum(runs: pd.DataFrame, chosen: Mapping[str, list[str]], slots: Mapping[str, int] | None = None) -> Drawing:
    """Return the k greatest eigenvalues against their rank, 1 to k, a line an optimizer.

    Args:
        runs: A runs table.
        chosen: label -> run_ids of one cell; one without runs has no line.
        slots: label -> slot of its look; default: in the order of the labels.
    """
    found = {label: eigenvalues(runs, ids) for label, ids in chosen.items()}
    slots = slots or own_slots(chosen)
    lines = [_line(slots[label], label, values) for label, values in found.items() if values.size]
    every = np.concatenate([np.zeros(0), *(line.y for line in lines)])
    ranks = max((values.shape[1] for values in found.values()), default=0)
    panel = Panel(
        title="Spectrum of the Hessian",
        unit="eigenvalue",
        x_title="rank, 1 is the greatest",
        lines=lines,
        x_axis={"range": [0.5, ranks + 0.5], "nticks": min(ranks, 10), "showgrid": False},
        y_axis=log_axis(every) or {"rangemode": "normal"},
    )
    counts = [len(values) for values in found.values()]
    caption = (
        f"The greatest eigenvalues of the Hessian of the training loss after the last epoch, in each optimizer’s cell: "
        f"mean over {seed_counts(counts)}, rank by rank.{bands(counts)}"
    )
    return draw([panel], caption, columns=1)


def _line(number: int, label: str, values: Floats) -> Polyline:
    known = np.isfinite(values).any(axis=0)
    values = values[:, known]
    ranks = 1 + np.flatnonzero(known).astype(np.float64)
    mean, low, high = (of(values, axis=0).astype(np.float64) for of in (np.nanmean, np.nanmin, np.nanmax))
    seeds = np.isfinite(values).sum(axis=0)
    texts = [
        f"eigenvalue {rank:.0f}<br><b>{value:.3g}</b><br>{seed_counts([count])}"
        for rank, value, count in zip(ranks, mean, seeds, strict=True)
    ]
    return Polyline(label=label, number=number, x=ranks, y=mean, low=low, high=high, texts=texts, markers=True)
