"""What happened over the epochs in one cell: a line a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.figures.base.figure import NotDrawn
from analysis.figures.base.line_panels import Panel, Polyline, draw
from analysis.figures.base.metrics import place
from analysis.figures.lines.learning_curves import EFFECTIVE_DECAY, EPOCH_AXIS, GRAD_NORM
from analysis.formats import number, plural

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from analysis.figures.base.theme import Drawing


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """A column of the curves table, what it is called, how its numbers are written, and its line."""

    column: str
    name: str
    form: str
    dash: str = "solid"


DASHES = {"train": ("training", "solid"), "test": ("test", "dash"), "validation": ("validation", "dot")}


def _splits(what: str, form: str) -> list[_Kind]:
    return [
        _Kind(column=f"{split}_{what}", name=f"{name} {what}", form=form, dash=dash)
        for split, (name, dash) in DASHES.items()
    ]


PANELS: dict[tuple[str, str], list[_Kind]] = {
    ("Loss", "nats"): _splits("loss", "{:.3g}"),
    ("Error", "%"): _splits("error", "{:.2f} %"),
    (GRAD_NORM.title, GRAD_NORM.unit): [_Kind(column=GRAD_NORM.column, name="gradient norm", form=GRAD_NORM.form)],
    (EFFECTIVE_DECAY.title, EFFECTIVE_DECAY.unit): [
        _Kind(column=EFFECTIVE_DECAY.column, name="effective decay", form=EFFECTIVE_DECAY.form)
    ],
}
"""Title and unit -> the lines of each seed."""


def cell_curves(curves: pd.DataFrame, runs: pd.DataFrame) -> Drawing | NotDrawn:
    """Return loss, error, gradient norm and effective decay over the epochs, a line a seed, or why there are none.

    Args:
        curves: The curves table, of these runs at least.
        runs: The runs of one cell, with the column `label`.
    """
    if not len(runs):
        return NotDrawn("no run of this cell is stored yet")
    runs = runs.sort_values(["seed", "run_id"], kind="stable")
    own = curves[curves["run_id"].isin(runs["run_id"])].sort_values("epoch", kind="stable")
    parts = {str(run): rows for run, rows in own.groupby("run_id", sort=False)}
    names = _names(runs)
    panels = [
        Panel(title=title, unit=unit, x_title="epoch", lines=lines, x_axis=EPOCH_AXIS)
        for (title, unit), kinds in PANELS.items()
        if (lines := [line for kind in kinds for line in _lines(parts, names, kind)])
    ]
    if not panels:
        return NotDrawn("no run of this cell has a finished epoch")
    return draw(panels, _caption(runs, [line for panel in panels for line in panel.lines]))


def _names(runs: pd.DataFrame) -> dict[str, str]:
    """Return run_id -> "seed 0", with what became of a run that did not complete, and no two alike."""
    found: dict[str, str] = {}
    for run, seed, status in runs[["run_id", "seed", "status"]].itertuples(index=False, name=None):
        name = f"seed {seed}" if status == "completed" else f"seed {seed}, {status}"
        again = sum(one.partition(" (")[0] == name for one in found.values())
        found[str(run)] = f"{name} ({again + 1})" if again else name
    return found


def _lines(parts: Mapping[str, pd.DataFrame], names: Mapping[str, str], kind: _Kind) -> list[Polyline]:
    lines = []
    for i, (run, name) in enumerate(names.items()):
        if run not in parts or kind.column not in parts[run]:
            continue
        values = parts[run][kind.column].to_numpy(dtype=np.float64, na_value=np.nan)
        shown = np.isfinite(values)
        if not shown.any():
            continue
        y, x = values[shown], parts[run]["epoch"].to_numpy(dtype=np.float64)[shown]
        texts = [
            f"epoch {epoch:.0f}<br>{kind.name} <b>{kind.form.format(value)}</b>"
            for epoch, value in zip(x.tolist(), y.tolist(), strict=True)
        ]
        lines.append(Polyline(label=name, number=i, x=x, y=y, low=y, high=y, texts=texts, dash=kind.dash))
    return lines


def _caption(runs: pd.DataFrame, lines: list[Polyline]) -> str:
    first = runs.iloc[0]
    where = place(float(first["lr"]), float(first["weight_decay"]))
    given = number(float(first["weight_decay_native"]))
    drawn = {line.dash for line in lines}
    kinds = {"solid": "solid: training", "dash": "dashed: test", "dot": "dotted: validation"}
    words = "; ".join(text for dash, text in kinds.items() if dash in drawn)
    missing = len(runs) - len({line.label for line in lines})
    without = f" {plural(missing, 'run')} without a curve." if missing else ""
    return (
        f"{first['label']} at {where} (given to the optimizer: {given}). A line a seed; "
        f"of loss and error, {words}.{without} The gradient is that of the loss alone, without weight decay."
    )
