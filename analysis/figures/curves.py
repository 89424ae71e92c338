"""What happened over the epochs in each optimizer's best cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.figures.lines import Line, Panel, draw
from analysis.figures.theme import Drawing, bands, seed_counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

EPOCH_AXIS = {"showgrid": False, "rangemode": "tozero"}


@dataclass(frozen=True)
class Quantity:
    """A column of the curves table, what a panel of it is called, and how its numbers are written."""

    column: str
    title: str
    unit: str
    form: str


def learning_curves(curves: pd.DataFrame, chosen: Mapping[str, list[str]]) -> Drawing:
    """Return test error and training loss over the epochs.

    Args:
        curves: The curves table, of the chosen runs at least.
        chosen: label -> run_ids of one cell, in the order of the optimizers' colors.
    """
    error = Quantity("test_error", "Test error", "test error, %", "{:.2f} %")
    loss = Quantity("train_loss", "Training loss", "training loss, nats", "{:.3g}")
    return draw([_panel(curves, chosen, what) for what in (error, loss)], _caption(curves, chosen))


def gradient_norms(curves: pd.DataFrame, chosen: Mapping[str, list[str]]) -> Drawing:
    """Return gradient norm and effective decay over the epochs; arguments as in `learning_curves`."""
    norm = Quantity("grad_norm", "Gradient norm", "‖∇L‖, mean over an epoch’s minibatches", "{:.3g}")
    decay = Quantity("effective_decay", "Effective decay", "d in w ← w (1 − lr · d)", "{:.3g}")
    caption = (
        f"{_caption(curves, chosen)} The gradient is that of the loss alone, without weight decay. "
        "Effective decay: what the optimizer multiplied by the learning rate to shrink the weights; an "
        "L2 penalty acts through the gradient and has none."
    )
    return draw([_panel(curves, chosen, what) for what in (norm, decay)], caption)


def _panel(curves: pd.DataFrame, chosen: Mapping[str, list[str]], what: Quantity) -> Panel:
    lines = [_line(curves[curves["run_id"].isin(ids)], i, label, what) for i, (label, ids) in enumerate(chosen.items())]
    return Panel(what.title, what.unit, "epoch", [line for line in lines if len(line.x)], EPOCH_AXIS)


def _line(curves: pd.DataFrame, i: int, label: str, what: Quantity) -> Line:
    rows = curves[curves[what.column].notna()]
    table = rows.groupby("epoch")[what.column].agg(["mean", "min", "max", "count"])
    epochs = table.index.to_numpy(dtype=np.float64)
    mean, low, high = (table[c].to_numpy(dtype=np.float64) for c in ("mean", "min", "max"))
    form = what.form.format
    texts = [
        f"epoch {epoch:.0f}<br><b>{form(value)}</b><br>{seed_counts([seeds])}"
        + (f", {form(least)} to {form(most)}" if seeds > 1 else "")
        for epoch, value, least, most, seeds in zip(epochs, mean, low, high, table["count"], strict=True)
    ]
    return Line(label, i, epochs, mean, low, high, texts)


def _caption(curves: pd.DataFrame, chosen: Mapping[str, list[str]]) -> str:
    held = set(curves["run_id"])
    counts = [sum(run in held for run in ids) for ids in chosen.values()]
    return f"The ringed cell of each optimizer: mean over {seed_counts(counts)}.{bands(counts)}"
