"""Cuts through each landscape at its best cell: error against weight decay, and against the learning rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.figures.base.axes import ZERO_WORDS, cell_axis, place_of_zero
from analysis.figures.base.line_panels import Panel, Polyline, draw
from analysis.figures.base.metrics import DEFAULT
from analysis.figures.maps.heatmap_cells import cell_words, outcome_grids
from analysis.formats import bands, number, seed_counts
from analysis.landscapes.basin import Place, best_cell, has_result
from analysis.landscapes.landscape import Status
from analysis.landscapes.slots import own_slots

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from analysis.figures.base.metrics import Look
    from analysis.figures.base.theme import Drawing
    from analysis.landscapes.landscape import Landscape

AXES = ("weight_decay", "lr")


def slices(
    landscapes: Mapping[str, Landscape],
    chosen: Mapping[str, Place | None] | None = None,
    axes: Collection[str] = AXES,
    look: Look = DEFAULT,
    *,
    at: str = "ringed",
    slots: Mapping[str, int] | None = None,
) -> Drawing:
    """Return test error against weight decay and against lr, through one cell of each map.

    Args:
        landscapes: Maps of the test error in percent, by label; of what `look` shows where it is given.
        chosen: That cell; without it, the one of least test error. A map without one has no line.
        axes: Columns along which to cut.
        look: What is shown of the cells, the mean test error by default.
        at: What the cells are called.
        slots: label -> slot of its look; default: in the order of the labels.
    """
    cells = {name: best_cell(one) for name, one in landscapes.items()} if chosen is None else chosen
    slots = slots or own_slots(landscapes)
    cuts = [(slots[name], m, cell) for name, m in landscapes.items() if (cell := cells.get(name)) is not None]
    decays = np.unique(np.concatenate([np.zeros(0), *(m.weight_decay for _, m, _ in cuts)]))
    rates = np.unique(np.concatenate([np.zeros(0), *(m.lr for _, m, _ in cuts)]))
    zero = place_of_zero(decays)
    panels = {
        "weight_decay": Panel(
            title="Against weight decay",
            unit=f"{look.unit}, at the {at} learning rate",
            x_title="weight decay λ, common scale",
            lines=[_line(i, m, cell, zero, look, along_decay=True) for i, m, cell in cuts],
            x_axis=cell_axis(decays, zero),
        ),
        "lr": Panel(
            title="Against learning rate",
            unit=f"{look.unit}, at the {at} weight decay",
            x_title="learning rate",
            lines=[_line(i, m, cell, zero, look, along_decay=False) for i, m, cell in cuts],
            x_axis=cell_axis(rates),
        ),
    }
    shown = [panel for name, panel in panels.items() if name in axes]
    return draw(shown, _caption([(m, cell) for _, m, cell in cuts], zero, look, at), columns=len(shown))


def _line(i: int, landscape: Landscape, best: Place, zero: float | None, look: Look, *, along_decay: bool) -> Polyline:
    cut = (slice(None), best.column) if along_decay else (best.row, slice(None))
    known = has_result(landscape) & np.isfinite(look.values(landscape))
    if look.spread:
        known &= landscape.status != Status.DIVERGED  # the error of chance has no spread
    shown = np.flatnonzero(known[cut])
    x = (landscape.weight_decay if along_decay else landscape.lr)[shown]
    grids = outcome_grids(landscape)
    said = zip(shown.tolist(), *(grid[cut][shown].tolist() for grid in grids), strict=True)
    texts = [
        _text(landscape, (place, best.column) if along_decay else (best.row, place), cell_words(values, look=look))
        for place, *values in said
    ]
    mean = look.values(landscape)[cut][shown]
    low, high = (mean, mean) if look.spread else (grid[cut][shown] for grid in (landscape.low, landscape.high))
    crossed = landscape.status[cut][shown] == Status.DIVERGED
    if along_decay and zero is not None and len(x) and x[0] == 0:
        # A break in the line says that 0 is not where the axis would have it.
        x = np.concatenate([[zero, np.nan], x[1:]])
        mean, low, high = (np.insert(values, 1, np.nan) for values in (mean, low, high))
        crossed = np.insert(crossed, 1, False)
        texts.insert(1, "")
    return Polyline(
        label=landscape.label, number=i, x=x, y=mean, low=low, high=high, texts=texts, markers=True, crossed=crossed
    )


def _text(landscape: Landscape, cell: tuple[int, int], words: tuple[str, str]) -> str:
    row, column = cell
    place = [number(value) for value in (landscape.lr[column], landscape.weight_decay[row])]
    native = number(landscape.weight_decay_native[row])
    where = f"learning rate {place[0]}<br>weight decay {place[1]}<br>given to the optimizer {native}"
    return f"{where}<br><b>{words[0]}</b><br>{words[1]}"


def _caption(cuts: list[tuple[Landscape, Place]], zero: float | None, look: Look, at: str) -> str:
    counts = [int(c) for m, _ in cuts for c in np.unique(m.seeds[has_result(m)])]
    places = [(m.label, number(m.lr[cell.column]), number(m.weight_decay[cell.row])) for m, cell in cuts]
    where = "; ".join(f"{label}: learning rate {lr}, weight decay {decay}" for label, lr, decay in places)
    over = f" over {seed_counts(counts)}" if look.seed is None else ""
    bands_words = "" if look.spread or look.seed is not None else bands(counts)
    lost = " A cross: every seed diverged, shown with the error of chance."
    if look.metric.kind != "error" or look.spread:
        lost = " A cell in which every seed diverged has no point."
    return (
        f"Lines: {look.what}{over}.{bands_words}{lost} Cut through the {at} cells ({where or 'none yet'})."
        f"{ZERO_WORDS if zero else ''}"
    )
