"""The test error of optimizers that have a single cell each: last epoch and best epoch, with intervals over seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from analysis.conventions import LEVEL
from analysis.figures.base.interval_rows import Group, Row, layout
from analysis.figures.base.layout import names
from analysis.figures.base.theme import LINES, Drawing, plain
from analysis.figures.maps.heatmap_cells import runs_words
from analysis.formats import number, seed_counts, short, spread
from analysis.statistics.confidence_interval import t_interval
from robustness.results.tables.cells import at_chance, taken

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

UNIT = "test error, %"
KINDS = (
    ("test_error", "last epoch", "circle", LINES[0], 0.0),
    ("best_test_error", "best epoch", "diamond-open", LINES[1], -0.2),
)
"""Column, its name, symbol, color, and how far above its row's middle it stands, in rows."""
FAR = 4.0
"""An interval is drawn at most this many times as far as the points lie apart: of two seeds it may be huge."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Values:
    """The values of one optimizer's cell.

    `errors`: column -> (S,) test errors of its runs with a result, percent; NaN where unknown.
    """

    label: str
    lr: float
    weight_decay: float
    native: float
    errors: dict[str, Floats]
    diverged: int
    at_chance: int


def single_cells(runs: pd.DataFrame) -> Drawing:
    """Return a row an optimizer, with the mean test error after the last epoch and at the best one.

    Args:
        runs: A runs table with the column `label`, of one cell a label; at least one run has a result.
    """
    cells = _cells(runs)
    limits = _limits(cells)
    group = Group(unit=UNIT, rows=[_row(cell) for cell in cells], limits=limits, alone=True, line=False)
    traces = [_trace(cells, limits, kind) for kind in KINDS]
    wide, narrow = (layout([group], narrow=small) for small in (False, True))
    return Drawing(go.Figure(traces, wide), go.Layout(narrow), _caption(cells))


def _cells(runs: pd.DataFrame) -> list[Values]:
    known = runs[runs["status"] != "failed"]
    found = []
    for label, rows in known.groupby("label", observed=True, sort=True):
        lr, decay, native = (float(rows[name].iloc[0]) for name in ("lr", "weight_decay", "weight_decay_native"))
        errors = {name: taken(rows, name).to_numpy(dtype=np.float64, na_value=np.nan) for name, *_ in KINDS}
        found.append(
            Values(
                label=str(label),
                lr=lr,
                weight_decay=decay,
                native=native,
                errors=errors,
                diverged=int((rows["status"] == "diverged").sum()),
                at_chance=int(at_chance(rows).sum()),
            )
        )
    return found


def _limits(cells: Sequence[Values]) -> tuple[float, float]:
    """Return the drawn range of errors: all means, and of the intervals what is not too far."""
    found = [t_interval(errors, LEVEL) for cell in cells for errors in cell.errors.values()]
    means = np.array([float(one.mean) for one in found if one.seeds])
    least, most = float(means.min()), float(means.max())
    ends = np.array([(float(one.low), float(one.high)) for one in found]).ravel()
    room = FAR * (most - least) or np.inf
    every = np.concatenate([means, np.clip(ends[np.isfinite(ends)], least - room, most + room)])
    margin = 0.05 * (float(every.max()) - float(every.min())) or 0.5
    return max(float(every.min()) - margin, 0.0), float(every.max()) + margin


def _row(cell: Values) -> Row:
    words = f"lr {number(cell.lr)}, λ {number(cell.weight_decay)}"
    native = "" if cell.native == cell.weight_decay else f" (given {number(cell.native)})"
    return Row(plain(short(cell.label, 38)), words + native, "<br>".join(_means(cell)))


def _means(cell: Values) -> list[str]:
    """Return "last epoch 5.08 ± 0.07" and "best epoch ..." of those that are known."""
    return [
        f"{name} {spread(float(known.mean()), float(known.std(ddof=1)) if len(known) > 1 else np.nan)}"
        for column, name, *_ in KINDS
        if len(known := cell.errors[column][np.isfinite(cell.errors[column])])
    ]


def _trace(cells: Sequence[Values], limits: tuple[float, float], kind: tuple[str, str, str, str, float]) -> Any:
    """Return the points of one of `KINDS`."""
    column, name, symbol, ink, above = kind
    found = [t_interval(cell.errors[column], LEVEL) for cell in cells]
    mean, low, high = (np.array([float(getattr(one, part)) for one in found]) for part in ("mean", "low", "high"))
    bars = {"array": np.minimum(high, limits[1]) - mean, "arrayminus": mean - np.maximum(low, limits[0])}
    x, y = names(0)
    return go.Scatter(
        x=mean,
        y=[above - place for place in range(len(cells))],
        mode="markers",
        name=name,
        marker={"symbol": symbol, "color": ink, "size": 10, "line": {"color": ink, "width": 2}},
        error_x={"type": "data", "color": ink, "thickness": 1.6, "width": 4, "symmetric": False, **bars},
        text=[_words(cell, name, one) for cell, one in zip(cells, found, strict=True)],
        hovertemplate="%{text}<extra></extra>",
        xaxis=x,
        yaxis=y,
        cliponaxis=False,
    )


def _words(cell: Values, name: str, found: Any) -> str:
    ends = (
        f"<br>{100 * LEVEL:g} % interval {found.low:.2f} to {found.high:.2f}" if found.seeds > 1 else "<br>no interval"
    )
    return (
        f"<b>{plain(cell.label)}</b>, {name}<br><b>{found.mean:.2f} %</b>{ends}<br>"
        f"{runs_words(int(found.seeds), cell.diverged, cell.at_chance)}"
    )


def _caption(cells: Sequence[Values]) -> str:
    counts = [int(np.isfinite(cell.errors["test_error"]).sum()) for cell in cells]
    bars = (
        f"Bars: {100 * LEVEL:g} % Student-t interval of each mean, each by itself and cut off where the picture ends; "
        "seeds are paired, so a difference may be surer than two bars look. Numbers: mean ± standard deviation."
        if max(counts, default=0) > 1
        else "One seed: there is no interval."
    )
    return (
        f"Mean test error over {seed_counts(counts)} of each optimizer’s only cell: after the last epoch, and at the "
        f"epoch of least test error, which flatters it as the paper’s protocol does. {bars}"
    )
