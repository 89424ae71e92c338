"""Tuning curves: the error to expect of a search with a given budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from analysis.figures.base.line_panels import Panel, Polyline, draw, log_axis
from analysis.figures.base.theme import Drawing, decade_ticks, finite
from analysis.formats import count, plural, seed_counts
from analysis.landscapes.slots import own_slots

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Curve(Protocol):
    """The median of the best error after `trials` (n,) random trials, with its band; errors in percent."""

    @property
    def trials(self) -> NDArray[Any]:
        """(n,) ascending numbers of trials."""

    @property
    def median(self) -> Floats:
        """(n,) median of the least error among that many trials."""

    @property
    def low(self) -> Floats:
        """(n,) lower limit; may be -inf or NaN where there is none."""

    @property
    def high(self) -> Floats:
        """(n,) upper limit; may be inf or NaN where there is none."""

    @property
    def confidence(self) -> float:
        """Confidence of the whole band, 0..1."""

    @property
    def exact(self) -> bool:
        """Whether the band holds at exactly this confidence: its trials were drawn independently."""


def tuning(curves: Mapping[str, Curve], seeds: Iterable[int] = (), slots: Mapping[str, int] | None = None) -> Drawing:
    """Return the best error found after n random trials against n, a line an optimizer.

    Args:
        curves: label -> tuning curve.
        seeds: Seeds of a trial, for the caption.
        slots: label -> slot of its look; default: in the order of the labels.
    """
    medians = finite(np.concatenate([np.zeros(0), *(np.asarray(one.median, dtype=float) for one in curves.values())]))
    trials = finite(np.concatenate([np.ones(1), *(np.asarray(one.trials, dtype=float) for one in curves.values())]))
    limits = _limits(curves, medians)
    slots = slots or own_slots(curves)
    lines = [_line(slots[label], label, one, limits) for label, one in curves.items()]
    panel = Panel(
        title="Tuning curve",
        unit="best test error so far, %, median",
        x_title="random trials",
        lines=[line for line in lines if len(line.x)],
        x_axis=_trials_axis(float(trials.max())),
        y_axis=log_axis(np.array(limits)) or {"range": list(limits)},
    )
    return draw([panel], _caption(list(curves.values()), list(seeds)), columns=1)


def _limits(curves: Mapping[str, Curve], medians: Floats) -> tuple[float, float]:
    """Return the drawn range of errors: the medians and what of the bands is no end of all possible errors."""
    ends = [finite(np.asarray(part, dtype=float)) for one in curves.values() for part in (one.low, one.high)]
    every = np.concatenate([medians, *(end[(end > 0) & (end < 100)] for end in ends)])
    if not len(every):
        return 0.0, 1.0
    room = 0.04 * (float(every.max()) - float(every.min())) or 1.0
    bottom = float(every.min())
    return (bottom - min(room, bottom / 10) if bottom > 0 else bottom - room), float(every.max()) + room


def _trials_axis(most: float) -> dict[str, Any]:
    ticks, _ = decade_ticks(1.0, max(most, 10.0), fine=True)
    return {
        "type": "log",
        "range": [-0.02, float(np.log10(max(most, 2.0))) + 0.02],
        "tickvals": ticks,
        "ticktext": [count(round(tick)) for tick in ticks],
    }


def _line(i: int, label: str, one: Curve, limits: tuple[float, float]) -> Polyline:
    trials, median = np.asarray(one.trials, dtype=float), np.asarray(one.median, dtype=float)
    known = np.isfinite(median) & (trials > 0)
    low, high = (np.asarray(part, dtype=float)[known] for part in (one.low, one.high))
    texts = [
        f"{plural(round(n), 'trial')}<br><b>{value:.2f} %</b><br>{_ends(least, most)}"
        for n, value, least, most in zip(trials[known], median[known], low, high, strict=True)
    ]
    # An end that is not known is as far as the picture goes.
    low = np.maximum(np.nan_to_num(low, nan=-np.inf, neginf=-np.inf), limits[0])
    high = np.minimum(np.nan_to_num(high, nan=np.inf, posinf=np.inf), limits[1])
    return Polyline(label=label, number=i, x=trials[known], y=median[known], low=low, high=high, texts=texts)


def _ends(low: float, high: float) -> str:
    least = f"{low:.2f} %" if np.isfinite(low) and low > 0 else "no lower limit"
    most = f"{high:.2f} %" if np.isfinite(high) and high < 100 else "no upper limit"
    return f"band: {least} to {most}"


def _caption(curves: Sequence[Curve], seeds: Sequence[int]) -> str:
    levels = sorted({f"{100 * one.confidence:g}" for one in curves}) or ["95"]
    holds = (
        "It holds exactly: the trials are independent."
        if all(one.exact for one in curves)
        else "It is approximate: the trials were not drawn independently, or share values."
    )
    each = f", each the mean over {seed_counts(seeds)}" if seeds else ""
    return (
        f"Median of the least test error after n trials drawn at random from the box{each}. Bands: "
        f"{' or '.join(levels)} % simultaneous confidence for the whole curve, from limits on the distribution of the "
        f"error (Lourie et al. 2024, arXiv 2311.09480); {holds[0].lower() + holds[1:]} A band that is open at an end "
        "reaches the picture’s edge: so few trials say nothing there."
    )
