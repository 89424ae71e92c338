"""Error against weight decay at each optimizer's own learning rate, with intervals over the seeds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.conventions import LEVEL
from analysis.figures.base.axes import ZERO_WORDS, cell_axis, place_of_zero
from analysis.figures.base.line_panels import Panel, Polyline, draw, log_axis
from analysis.figures.base.theme import Drawing, finite
from analysis.figures.lines.learning_curves import TEST_ERROR
from analysis.formats import number, seed_counts
from analysis.landscapes.slots import own_slots
from analysis.statistics.confidence_interval import t_interval
from robustness.results.tables.cells import at_chance, taken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from analysis.figures.lines.learning_curves import Quantity


def decay_cut(
    runs: pd.DataFrame,
    rates: Mapping[str, float | None],
    what: Quantity = TEST_ERROR,
    level: float = LEVEL,
    slots: Mapping[str, int] | None = None,
) -> Drawing:
    """Return a column of the runs table against weight decay, a line an optimizer.

    Args:
        runs: A runs table with the column `label`.
        rates: label -> learning rate of the cut; None: no line.
        what: The column; runs without a value of it do not count.
        level: Confidence level of each cell's interval over its seeds, 0..1.
        slots: label -> slot of its look; default: in the order of the labels.
    """
    shown = runs.assign(**{what.column: taken(runs, what.column)}) if what.column in runs else runs
    table = runs.assign(value=what.of(shown))[runs["status"] != "failed"].dropna(subset="value")
    cuts = {
        label: table[(table["label"] == label) & np.isclose(table["lr"], lr or np.nan, rtol=1e-9, atol=0)]
        for label, lr in rates.items()
    }
    decays = np.unique(np.concatenate([np.zeros(0), *(part["weight_decay"].to_numpy(float) for part in cuts.values())]))
    zero = place_of_zero(decays)
    slots = slots or own_slots(rates)
    lines = [
        _line(slots[label], label, part, what, zero=zero, level=level) for label, part in cuts.items() if len(part)
    ]
    step = float(np.median(np.diff(np.log10(decays[decays > 0])))) if (decays > 0).sum() > 1 else 0.0
    lines = _apart(lines, step)
    panel = Panel(
        title=f"{what.title} against weight decay",
        unit=what.unit,
        x_title="weight decay λ, common scale",
        lines=_within(lines),
        x_axis=cell_axis(decays, zero),
        y_axis=_y_axis(lines),
    )
    counts = [int(n) for part in cuts.values() for n in part.groupby("weight_decay").size()]
    return draw([panel], _caption(rates, counts, zero, level), columns=1)


def _line(i: int, label: str, rows: pd.DataFrame, what: Quantity, *, zero: float | None, level: float) -> Polyline:
    decays, place = np.unique(rows["weight_decay"].to_numpy(float), return_inverse=True)
    seeds = rows.groupby(place).cumcount().to_numpy()
    values = np.full((int(seeds.max()) + 1, len(decays)), np.nan)
    values[seeds, place] = rows["value"].to_numpy(float)
    lost = ((rows["status"] == "diverged") | at_chance(rows)).groupby(place).mean().to_numpy(float)
    found = t_interval(values, level)
    native = rows.groupby(place)["weight_decay_native"].first().to_numpy(float)
    outcome = (part.tolist() for part in (found.mean, found.low, found.high, found.seeds, lost))
    said = [
        _words(what, mean, (low, high), seeds, share) for mean, low, high, seeds, share in zip(*outcome, strict=True)
    ]
    texts = [
        f"weight decay {number(decay)}<br>given to the optimizer {number(given)}<br>{words}"
        for decay, given, words in zip(decays, native, said, strict=True)
    ]
    x, mean, low, high, crossed = decays, found.mean, found.low, found.high, lost == 1
    if zero is not None and len(x) and x[0] == 0:
        # A break in the line says that 0 is not where the axis would have it.
        x = np.concatenate([[zero, np.nan], x[1:]])
        mean, low, high = (np.insert(part, 1, np.nan) for part in (mean, low, high))
        crossed, texts = np.insert(crossed, 1, False), [texts[0], "", *texts[1:]]
    return Polyline(
        label=label,
        number=i,
        x=x,
        y=mean,
        low=low,
        high=high,
        texts=texts,
        markers=True,
        crossed=crossed,
        whiskers=True,
    )


def _apart(lines: Sequence[Polyline], step: float) -> list[Polyline]:
    """Return the lines moved sideways by a part of the axis's `step` in decades: their bars don't cover each other."""
    places = (np.arange(len(lines)) - (len(lines) - 1) / 2) * 0.4 / max(len(lines), 1)
    return [replace(line, x=line.x * 10 ** (step * place)) for line, place in zip(lines, places, strict=True)]


def _words(what: Quantity, mean: float, span: tuple[float, float], seeds: int, lost: float) -> str:
    form = what.form.format
    ends = f", {form(span[0])} to {form(span[1])}" if np.isfinite(span[0]) else ", no interval"
    nothing = f", {round(seeds * lost)} no better than chance" if lost else ""
    return f"<b>{form(mean)}</b>{ends}<br>{seed_counts([seeds])}{nothing}"


def _y_axis(lines: Sequence[Polyline]) -> dict[str, Any]:
    """Return the axis for the means and a part of their bars: with two seeds these may be a hundred times as wide."""
    means, low, high = (
        finite(np.concatenate([np.zeros(0), *(getattr(line, part) for line in lines)])) for part in ("y", "low", "high")
    )
    if not len(means):
        return {}
    least, most = float(means.min()), float(means.max())
    if least > 0 and log_axis(means):
        return log_axis(np.concatenate([means, np.maximum(low, least / 3), np.minimum(high, most)]), 1.2)
    room = 0.6 * (most - least) or abs(most) or 1.0
    top = min(max(most, *high, most), most + room) if len(high) else most
    return {"range": [0.0 if least >= 0 else least - room, top * 1.05 if top > 0 else top + room]}


def _within(lines: Sequence[Polyline]) -> list[Polyline]:
    """Return the lines with bars that end at the axis: a log axis has no place for what is below 0."""
    axis = _y_axis(lines)
    if not axis:
        return list(lines)
    low, high = np.array(axis["range"]) if axis.get("type") != "log" else 10 ** np.array(axis["range"])
    return [replace(line, low=np.maximum(line.low, low), high=np.minimum(line.high, high)) for line in lines]


def _caption(rates: Mapping[str, float | None], counts: Sequence[int], zero: float | None, level: float) -> str:
    at = "; ".join(f"{label}: {number(lr)}" for label, lr in rates.items() if lr is not None)
    if max(counts, default=0) > 1:
        bars = (
            f" Bars: {100 * level:g} % Student-t interval of each cell’s mean over its seeds, cut off where the axis "
            "ends; a cell with one seed has none. The optimizers stand a little apart, so that their bars do too."
        )
    else:
        bars = " One seed: there is no interval."
    return (
        f"Points: mean over {seed_counts(counts)}, each optimizer at its own learning rate "
        f"({at or 'no cell has trained yet'}).{bars} "
        f"A cross: no seed was better than chance, or all diverged.{ZERO_WORDS if zero else ''}"
    )
