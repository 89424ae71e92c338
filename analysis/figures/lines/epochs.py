"""Quantities over the epochs: of chosen cells, and of several weight decays at one learning rate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from plotly.colors import sample_colorscale

from analysis.figures.base.line_panels import Panel, Polyline, draw
from analysis.figures.base.theme import Drawing, hexadecimal
from analysis.figures.lines.learning_curves import EPOCH_AXIS, line, panel
from analysis.formats import bands, number, seed_counts, short

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import pandas as pd

    from analysis.figures.lines.learning_curves import Quantity

MOST_DECAYS = 7
SEQUENCE = ("Plasma", 0.28, 0.82)
"""Perceptually uniform for all kinds of color vision; without the ends that white or black swallows."""
NO_DECAY = "#8a8a8a"


def over_epochs(
    curves: pd.DataFrame,
    chosen: Mapping[str, list[str]],
    quantities: Sequence[Quantity],
    at: str = "The chosen cell of each optimizer",
    slots: Mapping[str, int] | None = None,
) -> Drawing:
    """Return quantities over the epochs, a panel each, a line an optimizer.

    Args:
        curves: The curves table, of the chosen runs at least.
        chosen: label -> run_ids of one cell; one without runs has no line.
        quantities: What to draw, at least one.
        at: What the cells are, for the caption.
        slots: label -> slot of its look; default: in the order of the labels.
    """
    panels = [panel(curves, chosen, what, slots) for what in quantities]
    held = set(curves["run_id"])
    counts = [sum(run in held for run in ids) for ids in chosen.values()]
    nothing = [one.title.lower() for one in panels if not one.lines]
    missing = f" Not recorded for these runs: {', '.join(nothing)}." if nothing else ""
    shown = [one for one in panels if one.lines] or panels
    caption = f"{at}: mean over {seed_counts(counts)}.{bands(counts)}{missing}"
    return draw(shown, caption, columns=_columns(len(shown)))


def decays_over_epochs(
    curves: pd.DataFrame,
    runs: pd.DataFrame,
    rates: Mapping[str, float],
    quantities: Sequence[Quantity],
    chosen: Mapping[str, float] | None = None,
) -> Drawing:
    """Return quantities over the epochs for several weight decays: a panel an optimizer and quantity.

    At most seven weight decays are drawn, spread evenly over those that have curves; the chosen ones are among them.

    Args:
        curves: The curves table, of the runs at these learning rates at least.
        runs: A runs table with the column `label`.
        rates: label -> learning rate, in the order of the panels.
        quantities: What to draw, at least one.
        chosen: label -> chosen weight decay (common scale), drawn as a thicker line.
    """
    chosen = chosen or {}
    held = set(curves["run_id"])
    here = {label: _by_decay(runs, label, lr, held) for label, lr in rates.items()}
    measured = sorted({decay for decays in here.values() for decay in decays})
    drawn = spread_evenly(measured, [decay for label, decay in chosen.items() if label in rates])
    inks = _inks(drawn)
    panels = [
        _panel(label, rates[label], what, _lines(curves, decays, inks, chosen.get(label), what))
        for what in quantities
        for label, decays in here.items()
    ]
    shown = {line.label for one in panels for line in one.lines}
    inks = {decay: ink for decay, ink in inks.items() if _name(decay) in shown}
    panels[:1] = [replace(one, lines=[*_legend(inks), *one.lines]) for one in panels[:1]]
    counts = [len(ids) for decays in here.values() for decay, ids in decays.items() if decay in inks]
    return draw(panels, _caption(counts, drawn, measured, chosen), columns=_columns(len(rates)))


def _panel(label: str, lr: float, what: Quantity, lines: list[Polyline]) -> Panel:
    title = f"{short(label, 20)} at learning rate {number(lr)}"
    return Panel(title=title, unit=what.unit, x_title="epoch", lines=lines, x_axis=EPOCH_AXIS, scale=what.title)


def _columns(count: int) -> int:
    return count if count in {1, 2, 3} else 2 if count == 4 else 3


def _by_decay(runs: pd.DataFrame, label: str, lr: float, held: Collection[str]) -> dict[float, list[str]]:
    """Return weight decay -> run_ids of one optimizer at one learning rate, of runs with curves."""
    rows = runs[(runs["label"] == label) & np.isclose(runs["lr"], lr, rtol=1e-9, atol=0) & runs["run_id"].isin(held)]
    decays = np.unique(rows["weight_decay"].to_numpy(dtype=np.float64))
    return {decay: rows.loc[rows["weight_decay"] == decay, "run_id"].tolist() for decay in decays.tolist()}


def spread_evenly(measured: Sequence[float], chosen: Collection[float], most: int = MOST_DECAYS) -> list[float]:
    """Return at most `most` of the ascending `measured` values, evenly spread, the first and all `chosen` among them.

    More than `most` only where that many are chosen.
    """
    if len(measured) <= most:
        return list(measured)
    picked = {int(place) for place in np.round(np.linspace(0, len(measured) - 1, most))}
    wanted = {measured.index(value) for value in chosen if value in measured}
    for place in sorted(wanted - picked):
        free = sorted(picked - wanted - {0}, key=lambda other: abs(other - place))
        picked -= set(free[:1])
        picked.add(place)
    return [measured[place] for place in sorted(picked)]


def _inks(decays: Sequence[float]) -> dict[float, str]:
    positive = [decay for decay in decays if decay > 0]
    name, start, end = SEQUENCE
    places = np.linspace(start, end, len(positive)) if len(positive) > 1 else np.array([end / 2])
    colors = sample_colorscale(name, places.tolist(), colortype="tuple")
    return {**dict.fromkeys(set(decays) - set(positive), NO_DECAY), **{
        decay: hexadecimal(rgb) for decay, rgb in zip(positive, colors, strict=False)
    }}  # fmt: skip


def _legend(inks: Mapping[float, str]) -> list[Polyline]:
    """Return lines without points: the legend lists every weight decay once, ascending, all equally thick."""
    nothing = np.full(2, np.nan)
    return [
        Polyline(
            label=_name(decay),
            number=place,
            x=nothing,
            y=nothing,
            low=nothing,
            high=nothing,
            texts=["", ""],
            ink=inks[decay],
            dash=_dash(decay),
        )
        for place, decay in enumerate(sorted(inks))
    ]


def _name(decay: float) -> str:
    return f"λ = {number(decay)}"


def _dash(decay: float) -> str:
    return "solid" if decay else "dash"


def _lines(
    curves: pd.DataFrame,
    decays: Mapping[float, list[str]],
    inks: Mapping[float, str],
    chosen: float | None,
    what: Quantity,
) -> list[Polyline]:
    lines = []
    for place, decay in enumerate(sorted(inks)):
        look = {"ink": inks[decay], "dash": _dash(decay), "width": 3.5 if decay == chosen else 1.8}
        one = line(curves, decays.get(decay, []), place, _name(decay), what, **look)
        # A quantity that is 0 throughout would take the log axis away from the others.
        if (one.y != 0).any():
            lines.append(one)
    return lines


def _caption(
    counts: Sequence[int], drawn: Sequence[float], measured: Sequence[float], chosen: Mapping[str, float]
) -> str:
    some = "" if len(drawn) == len(measured) else f" Drawn: {len(drawn)} of {len(measured)} measured weight decays."
    thick = " Thick line: the chosen weight decay." if chosen else ""
    zero = " Gray dashes: weight decay 0; a line that is 0 throughout is left out." if 0 in drawn else ""
    return (
        f"Lines: mean over {seed_counts(counts)}, colored by weight decay λ on the common scale."
        f"{bands(counts)}{thick}{zero}{some} Panels of one quantity have one y axis."
    )
