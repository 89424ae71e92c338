"""What happened over the epochs in each optimizer's best cell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.figures.base.line_panels import Panel, Polyline, draw
from analysis.formats import bands, seed_counts
from analysis.landscapes.slots import own_slots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.figures.base.theme import Drawing

EPOCH_AXIS = {"showgrid": False, "rangemode": "tozero"}


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A column of a table, what a panel of it is called, and how its numbers are written.

    `inverse`: 1 / column is drawn, run by run; `exponential`: exp(column). `ask`: how to have it measured, where that
    must be asked for.
    """

    column: str
    title: str
    unit: str
    form: str
    inverse: bool = False
    exponential: bool = False
    ask: str | None = None

    def of(self, table: pd.DataFrame) -> pd.Series:
        """Return the quantity of each row; NaN where it is unknown, or the column is not there."""
        if self.column not in table:
            return pd.Series(np.nan, index=table.index, dtype=np.float64)
        values = table[self.column].astype(np.float64)
        if self.exponential:
            # Beyond exp(700) a number has no room; a loss that large is one of a network that has come apart.
            return values.clip(upper=700.0).map(math.exp, na_action="ignore")
        return 1 / values.where(values > 0) if self.inverse else values


TEST_ERROR = Quantity(column="test_error", title="Test error", unit="test error, %", form="{:.2f} %")
TRAIN_LOSS = Quantity(column="train_loss", title="Training loss", unit="training loss, nats", form="{:.3g}")
PERPLEXITY = Quantity(
    column="test_loss",
    title="Test perplexity",
    unit="perplexity: e to the test loss in nats",
    form="{:.4g}",
    exponential=True,
)
GRAD_NORM = Quantity(
    column="grad_norm", title="Gradient norm", unit="‖∇L‖, mean over an epoch’s minibatches", form="{:.3g}"
)
GRAD_NORM_SQ = Quantity(
    column="grad_norm_sq", title="Gradient norm G", unit="G: mean of ‖∇L‖² over an epoch’s minibatches", form="{:.3g}"
)
EFFECTIVE_DECAY = Quantity(
    column="effective_decay", title="Effective decay", unit="d in w ← w (1 − lr · d)", form="{:.3g}"
)
EFFECTIVE_LR = Quantity(
    column="effective_lr", title="Effective learning rate", unit="η / ‖w‖², after the epoch", form="{:.3g}"
)
SCHEDULER = Quantity(
    column="root_mean_v",
    title="Scheduler of the decay",
    unit="1 / √v̄, v̄: mean second moment",
    form="{:.3g}",
    inverse=True,
)


def learning_curves(
    curves: pd.DataFrame, chosen: Mapping[str, list[str]], slots: Mapping[str, int] | None = None
) -> Drawing:
    """Return test error and training loss over the epochs.

    Args:
        curves: The curves table, of the chosen runs at least.
        chosen: label -> run_ids of one cell.
        slots: label -> slot of its look; default: in the order of the labels.
    """
    return draw([panel(curves, chosen, what, slots) for what in (TEST_ERROR, TRAIN_LOSS)], _caption(curves, chosen))


def gradient_norms(
    curves: pd.DataFrame, chosen: Mapping[str, list[str]], slots: Mapping[str, int] | None = None
) -> Drawing:
    """Return gradient norm, effective decay and effective learning rate over the epochs, as far as they are recorded.

    Arguments as in `learning_curves`.
    """
    caption = (
        f"{_caption(curves, chosen)} The gradient is that of the loss alone, without weight decay. "
        "Effective decay: what the optimizer multiplied by the learning rate to shrink the weights; an "
        "L2 penalty acts through the gradient and has none."
    )
    panels = [panel(curves, chosen, what, slots) for what in (GRAD_NORM, EFFECTIVE_DECAY)]
    rates = panel(curves, chosen, EFFECTIVE_LR, slots)
    if not rates.lines:
        return draw(panels, caption)
    caption += (
        " Effective learning rate: the learning rate over the weights’ squared norm, what is left of it in a network "
        "whose outputs do not depend on the scale of its weights."
    )
    return draw([*panels, rates], caption, columns=3)


def panel(
    curves: pd.DataFrame, chosen: Mapping[str, list[str]], what: Quantity, slots: Mapping[str, int] | None = None
) -> Panel:
    """Return one quantity over the epochs: a line a label, with the look of its slot."""
    slots = slots or own_slots(chosen)
    lines = [line(curves, ids, slots[label], label, what) for label, ids in chosen.items()]
    return Panel(
        title=what.title, unit=what.unit, x_title="epoch", lines=[one for one in lines if len(one.x)], x_axis=EPOCH_AXIS
    )


def line(
    curves: pd.DataFrame, run_ids: Sequence[str], number: int, label: str, what: Quantity, **look: Any
) -> Polyline:
    """Return a quantity over the epochs: mean over the runs, band from the least to the greatest of them."""
    rows = curves[curves["run_id"].isin(run_ids)]
    known = rows.assign(value=what.of(rows)).dropna(subset="value")
    table = known.groupby("epoch")["value"].agg(["mean", "min", "max", "count"])
    epochs = table.index.to_numpy(dtype=np.float64)
    mean, low, high = (table[c].to_numpy(dtype=np.float64) for c in ("mean", "min", "max"))
    form = what.form.format
    texts = [
        f"epoch {epoch:.0f}<br><b>{form(value)}</b><br>{seed_counts([seeds])}"
        + (f", {form(least)} to {form(most)}" if seeds > 1 else "")
        for epoch, value, least, most, seeds in zip(epochs, mean, low, high, table["count"], strict=True)
    ]
    return Polyline(label=label, number=number, x=epochs, y=mean, low=low, high=high, texts=texts, **look)


def _caption(curves: pd.DataFrame, chosen: Mapping[str, list[str]]) -> str:
    held = set(curves["run_id"])
    counts = [sum(run in held for run in ids) for ids in chosen.values()]
    return f"The ringed cell of each optimizer: mean over {seed_counts(counts)}.{bands(counts)}"
