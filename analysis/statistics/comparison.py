"""What a comparison of two optimizers comes to: an estimate, its interval, and how many seeds would settle it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.conventions import LEVEL, ROUNDING
from analysis.statistics.sample_size import seeds_needed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from robustness.claims.measures import Scale

    Floats = NDArray[np.float64]


class Question(NamedTuple):
    """Which comparison is meant: the key by which it is looked up.

    Attributes:
        measure: Name of the measure.
        of: Label of the first optimizer.
        against: Label of the second; None where the measure is compared with 0.
        delta: Points of error that bound the basin; None where the measure has no basin.
        column: Column of the runs table that it reads; None where the measure reads none.
        level: Confidence level of the interval, 0..1.
    """

    measure: str
    of: str
    against: str | None
    delta: float | None = None
    column: str | None = None
    level: float = LEVEL


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One measure of two optimizers, side by side.

    Attributes:
        measure: Name of the measure.
        column: Column of the runs table that it reads, where the measure leaves that open; "" otherwise.
        delta: Points of error that bound the basin; None where the measure has no basin.
        of: Label of the first optimizer.
        against: Label of the second; "" where the measure is compared with 0.
        value: The measure of the first, in the measure's unit.
        other: The measure of the second.
        scale: "difference": value - other, equal at 0. "ratio": value / other, equal at 1.
        estimate: On that scale; NaN where unknown.
        low: Lower end of the interval; NaN without one.
        high: Upper end.
        level: Confidence level of the interval, 0..1.
        seeds: Seeds behind it: those of the optimizer that has fewer.
        needed: Seeds at which a difference as large as the estimate would be decided with a power of 80 %; None
            where that is unknown, or more than a thousand.
        coarse: Whether there is no interval because the grid has too few cells: no draw changes either measure.

    Example:
        >>> from analysis import Comparison
        >>> wider = Comparison(
        ...     measure="basin_area", column="", delta=1.0, of="adams", against="adam", value=1.2, other=0.8,
        ...     scale="ratio", estimate=1.5, low=1.1, high=2.0, level=0.95, seeds=3, needed=3,
        ... )
        >>> wider.known, wider.side
        (True, 1)
    """

    measure: str
    column: str
    delta: float | None
    of: str
    against: str
    value: float
    other: float
    scale: Scale
    estimate: float
    low: float
    high: float
    level: float
    seeds: int
    needed: int | None
    coarse: bool = False

    @property
    def equal(self) -> float:
        """The estimate of two optimizers that are alike: 0 or 1."""
        return 1.0 if self.scale == "ratio" else 0.0

    @property
    def known(self) -> bool:
        """Whether there is an interval: it needs two seeds."""
        # A ratio to an area of 0 is infinite, and known: its reciprocal is 0.
        return not np.isnan([self.estimate, self.low, self.high]).any()

    @property
    def no_interval(self) -> str:
        """Why there is no interval, where there is none, in words."""
        return "no interval: the grid is too coarse" if self.coarse else "no interval"

    @property
    def side(self) -> int:
        """+1 if the whole interval lies above equality, -1 if below, 0 if it does not exclude it, or there is none.

        It must leave equality out by `ROUNDING`: means of equal numbers differ by rounding.
        """
        if not self.known:
            return 0
        return int(self.low > self.equal + ROUNDING) - int(self.high < self.equal - ROUNDING)


def contrast(value: Floats, other: Floats, scale: Scale) -> Floats:
    """Return value - other, or value / other with 0 / 0 = 1, elementwise."""
    if scale == "difference":
        return value - other
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = value / other
    return np.where((value == 0) & (other == 0), 1.0, ratio)


def comparison(
    measure: str,
    of: str,
    against: str,
    values: Sequence[float],
    ends: tuple[float, float],
    *,
    column: str = "",
    delta: float | None = None,
    scale: Scale,
    level: float,
    seeds: int,
) -> Comparison:
    """Return the comparison of two values; `ends` are those of its interval, NaN without one."""
    estimate = float(contrast(np.asarray(values[:1]), np.asarray(values[1:2]), scale)[0])
    low, high = ends
    effect = np.array([estimate, low, high])
    if scale == "ratio":
        with np.errstate(divide="ignore", invalid="ignore"):
            effect = np.log(effect)
    needed = seeds_needed(float(effect[0]), float(effect[1]), float(effect[2]), seeds, level)
    return Comparison(
        measure=measure,
        column=column,
        delta=delta,
        of=of,
        against=against,
        value=float(values[0]),
        other=float(values[1]),
        scale=scale,
        estimate=estimate,
        low=low,
        high=high,
        level=level,
        seeds=seeds,
        needed=needed,
    )
