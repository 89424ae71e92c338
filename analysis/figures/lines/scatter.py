"""Training loss against test error in the last epochs: who generalizes better at an equal training loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.figures.base.line_panels import Panel, Polyline, draw, log_axis
from analysis.figures.base.theme import Drawing, fine_ticks
from analysis.formats import seed_counts
from analysis.landscapes.slots import own_slots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

LAST = 40
"""The paper's choice of epochs."""


def scatter(curves: pd.DataFrame, chosen: Mapping[str, list[str]], slots: Mapping[str, int] | None = None) -> Drawing:
    """Return one point an epoch and seed, over the last 40 epochs or the last half of a shorter training.

    Args:
        curves: The curves table, of the chosen runs at least.
        chosen: label -> run_ids of one cell.
        slots: label -> slot of its look; default: in the order of the labels.
    """
    rows = curves[curves["run_id"].isin([run for ids in chosen.values() for run in ids])]
    epochs = int(rows["epoch"].max()) if len(rows) else 0
    last = min(LAST, -(-epochs // 2))
    late = rows[(rows["epoch"] > epochs - last)].dropna(subset=["train_loss", "test_error"])
    late = late[late["train_loss"] > 0]
    slots = slots or own_slots(chosen)
    lines = [_points(slots[label], label, late[late["run_id"].isin(ids)]) for label, ids in chosen.items() if len(ids)]
    losses = late["train_loss"].to_numpy(float)
    panel = Panel(
        title="Test error at equal training loss",
        unit="test error, %",
        x_title="training loss, nats",
        lines=[line for line in lines if len(line.x)],
        x_axis=_x_axis(losses),
        y_axis=_y_axis(late["test_error"].to_numpy(float)),
    )
    return draw([panel], _caption(late, chosen, last, epochs), columns=1)


def _points(i: int, label: str, rows: pd.DataFrame) -> Polyline:
    loss, error = (rows[column].to_numpy(float) for column in ("train_loss", "test_error"))
    # Numbers, not the runs' ids, tell the seeds apart.
    run = rows.groupby("run_id", sort=True).ngroup().to_numpy() + 1
    texts = [
        f"run {number}, epoch {epoch}<br>training loss {x:.3g}<br>test error {y:.2f} %"
        for number, epoch, x, y in zip(run, rows["epoch"], loss, error, strict=True)
    ]
    return Polyline(
        label=label, number=i, x=loss, y=error, low=error, high=error, texts=texts, markers=True, joined=False
    )


def _x_axis(losses: NDArray[np.float64]) -> dict[str, Any]:
    wide = log_axis(losses)
    if wide or not len(losses):
        return wide or {"type": "log"}
    margin = (losses.max() / losses.min()) ** 0.05 * 1.005
    limits = [float(np.log10(v)) for v in (losses.min() / margin, losses.max() * margin)]
    ticks, texts = fine_ticks(10 ** limits[0], 10 ** limits[1])
    given = {"tickvals": ticks, "ticktext": texts} if len(ticks) > 1 else {"nticks": 5}
    return {"type": "log", "range": limits, **given}


def _y_axis(errors: NDArray[np.float64]) -> dict[str, Any]:
    """Return an axis around the errors: the last epochs differ by little, and 0 is far away."""
    return log_axis(errors) or {"rangemode": "normal", "autorange": True}


def _caption(late: pd.DataFrame, chosen: Mapping[str, Sequence[str]], last: int, epochs: int) -> str:
    held = set(late["run_id"])
    counts = [sum(run in held for run in ids) for ids in chosen.values()]
    half = "the last half" if last < LAST else f"the last {LAST} epochs"
    return (
        f"One point an epoch and seed: {half} of training ({last} of {epochs} epochs), {seed_counts(counts)}, "
        "in each optimizer’s cell. At an equal training loss the lower point generalizes better. "
        "Points of one run are not independent; no interval is drawn."
    )
