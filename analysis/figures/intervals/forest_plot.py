"""Forest plot: every comparison behind the verdicts, with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from analysis.figures.base.interval_rows import Group, Row, layout
from analysis.figures.base.layout import names
from analysis.figures.base.theme import Drawing, plain
from analysis.formats import points, seed_counts, short
from robustness.claims.measures import measure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from analysis.claims.verdict import Verdict
    from analysis.statistics.comparison import Comparison

    Floats = NDArray[np.float64]

LOOKS = {
    "reproduced": ("circle", "#009E73"),
    "contradicted": ("x", "#D55E00"),
    "undecided": ("circle-open", "#8A8A8A"),
}
"""Symbol and color: an outcome is told without color too."""
ORDER = ("ratio", "points of error", "decades")
FAR = 4.0
"""An interval is drawn as far as this many times the typical distance of intervals' ends from equality."""


@dataclass(frozen=True)
class Entry:
    """A comparison and the verdict that it is behind."""

    verdict: Verdict
    comparison: Comparison


def forest(verdicts: Sequence[Verdict]) -> Drawing:
    """Return the intervals behind verdicts, a row a comparison: ratios, and differences of one unit, have a panel each.

    Args:
        verdicts: Those without data are named in the caption.
    """
    groups: dict[str, list[Entry]] = {}
    for verdict in verdicts:
        for comparison in verdict.comparisons:
            if np.isfinite(comparison.estimate) and verdict.outcome in LOOKS:
                groups.setdefault(_unit(comparison), []).append(Entry(verdict, comparison))
    units = [unit for unit in dict.fromkeys([*ORDER, *groups]) if unit in groups]
    panels = [_group(unit, groups[unit]) for unit in units]
    shown: set[str] = set()
    traces = [trace for i, panel in enumerate(panels) for trace in _traces(i, panel, groups[panel.unit], shown)]
    wide, narrow = (layout(panels, narrow=small) for small in (False, True))
    return Drawing(go.Figure(traces, wide), go.Layout(narrow), _caption(verdicts, groups))


def _unit(comparison: Comparison) -> str:
    if comparison.scale == "ratio":
        return "ratio"
    panel = measure(comparison.measure).panel
    return panel if comparison.against else f"{panel}, A alone"


def _group(unit: str, entries: Sequence[Entry]) -> Group:
    comparisons = [entry.comparison for entry in entries]
    estimates = np.array([one.estimate for one in comparisons])
    ends = np.array([(one.low, one.high) for one in comparisons if one.known]).reshape(-1)
    if unit == "ratio":
        with np.errstate(divide="ignore"):
            low, high = 10 ** np.array(_limits(np.log10(np.maximum(estimates, 1e-6)), np.log10(np.maximum(ends, 0.0))))
    else:
        low, high = _limits(estimates, ends)
    alone = not any(one.against for one in comparisons)
    return Group(unit=unit, rows=[_row(entry) for entry in entries], limits=(float(low), float(high)), alone=alone)


def _limits(estimates: Floats, ends: Floats) -> tuple[float, float]:
    """Return the drawn range of distances from equality: all estimates, and of the intervals what is not too far."""
    distances = np.abs(ends[np.isfinite(ends)])
    far = max(1.3 * float(np.abs(estimates).max()), FAR * float(np.median(distances)) if len(distances) else 0.0)
    every = np.concatenate([[0.0], estimates, np.clip(ends, -far, far)])
    room = 0.05 * (float(every.max()) - float(every.min())) or 0.5
    return float(every.min()) - room, float(every.max()) + room


def _row(entry: Entry) -> Row:
    one = entry.comparison
    names = [plain(short(name, 16)) for name in (one.of, one.against) if name]
    within = "" if one.delta is None else f", δ {points(one.delta)}"
    column = f", {plain(short(one.column, 18))}" if one.column else ""
    return Row(plain(short(entry.verdict.claim, 38)), f"{' vs '.join(names)}{within}{column}", _numbers(one))


def _numbers(one: Comparison) -> str:
    ends = f" ({one.low:.3g} to {one.high:.3g})" if one.known else f" ({one.no_interval})"
    return f"{one.estimate:.3g}{ends}".replace("-", "−")


def _traces(i: int, group: Group, entries: Sequence[Entry], shown: set[str]) -> list[Any]:
    on = dict(zip(("xaxis", "yaxis"), names(i), strict=True))
    traces: list[Any] = []
    for outcome, (symbol, ink) in LOOKS.items():
        rows = [place for place, entry in enumerate(entries) if entry.verdict.outcome == outcome]
        if not rows:
            continue
        some = [entries[place].comparison for place in rows]
        estimate = np.clip([one.estimate for one in some], *group.limits)
        ends = np.array([(one.low, one.high) if one.known else (np.nan, np.nan) for one in some])
        low, high = np.maximum(ends[:, 0], group.limits[0]), np.minimum(ends[:, 1], group.limits[1])
        bars = {"array": high - estimate, "arrayminus": estimate - low, "symmetric": False}
        traces.append(
            go.Scatter(
                x=estimate,
                y=[-float(place) for place in rows],
                mode="markers",
                name=outcome,
                legendgroup=outcome,
                showlegend=outcome not in shown,
                marker={"symbol": symbol, "color": ink, "size": 10, "line": {"color": ink, "width": 2}},
                error_x={"type": "data", "color": ink, "thickness": 1.6, "width": 4, **bars},
                text=[_words(entries[place]) for place in rows],
                hovertemplate="%{text}<extra></extra>",
                **on,
            )
        )
        traces += _arrows(rows, ends, group.limits, {"legendgroup": outcome, "marker_color": ink, **on})
        shown.add(outcome)
    return traces


def _arrows(rows: Sequence[int], ends: Floats, limits: tuple[float, float], on: dict[str, Any]) -> list[Any]:
    """Return arrow heads where an interval goes on beyond the picture."""
    beyond = [
        (ends[:, 0] < limits[0], limits[0], "triangle-left"),
        (ends[:, 1] > limits[1], limits[1], "triangle-right"),
    ]
    return [
        go.Scatter(
            x=[limit] * int(outside.sum()),
            y=[-float(row) for row, out in zip(rows, outside, strict=True) if out],
            mode="markers",
            marker_symbol=symbol,
            marker_size=9,
            hoverinfo="skip",
            showlegend=False,
            cliponaxis=False,
            name="goes on",
            **on,
        )
        for outside, limit, symbol in beyond
        if outside.any()
    ]


def _words(entry: Entry) -> str:
    one, row = entry.comparison, _row(entry)
    needed = "" if one.needed is None else f"<br>{seed_counts([one.needed])} would decide it"
    ends = f"{100 * one.level:g} % interval {one.low:.3g} to {one.high:.3g}" if one.known else one.no_interval
    return (
        f"<b>{row.claim}</b>: {entry.verdict.outcome}<br>{row.sides}<br>{_measure(one)}: {one.value:.3g} against "
        f"{one.other:.3g}<br>{one.scale} {one.estimate:.3g}<br>{ends}<br>{seed_counts([one.seeds])}{needed}"
    )


def _measure(one: Comparison) -> str:
    return plain(measure(one.measure).title.replace("{column}", one.column))


def _caption(verdicts: Sequence[Verdict], groups: dict[str, list[Entry]]) -> str:
    entries = [entry for group in groups.values() for entry in group]
    levels = sorted({f"{100 * e.comparison.level:g}" for e in entries if e.comparison.known})
    drawn = {entry.verdict.claim for entry in entries}
    absent = _unique(v.claim for v in verdicts if v.claim not in drawn)
    seeds = seed_counts(entry.comparison.seeds for entry in entries)
    bars = (
        f"Bars: {' or '.join(levels)} % intervals, paired bootstrap over {seeds}. An arrow head: the interval goes on "
        "beyond the picture."
        if levels
        else f"No interval is known: {seeds}."
    )
    without = f" Without data: {', '.join(absent)}." if absent else ""
    return (
        f"Points: each comparison behind a claim. {bars} A ratio of 1 and a difference of 0 (vertical lines) mean "
        "that the two are alike. Filled circle: the claim is reproduced; ×: contradicted; open circle: undecided. "
        f"The verdict is the claim’s, over all of its rows.{without}"
    )


def _unique(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))
