"""What a map may show of the runs: the columns, their words and numbers, and how they are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from analysis.formats import number
from robustness.results.tables.columns import COLUMNS

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from analysis.landscapes.landscape import Landscape
    from robustness.results.tables.column import OnMaps

Kind = Literal["error", "positive"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A column of the runs table that a map can show.

    Attributes:
        key: What addresses call it.
        column: The column.
        title: What a list of metrics calls it.
        unit: What the color bar and an axis say: "test error, %".
        form: How its numbers are written.
        kind: "error": percent, colored by the distance from the best cell. "positive": colored by its logarithm.
        name: What a sentence calls it.
    """

    key: str
    column: str
    title: str
    unit: str
    form: str
    kind: Kind
    name: str

    @property
    def sign(self) -> str:
        """What stands behind its numbers: " %", " nats" or nothing."""
        unit = self.unit.partition(", ")[2]
        return f" {unit}" if unit else ""

    def written(self, value: float, std: float = float("nan")) -> str:
        """Return "2.10 ± 0.15 %", the value alone where it has no spread."""
        spread = "" if np.isnan(std) else f" ± {self.form.format(std)}"
        return f"{self.form.format(value)}{spread}{self.sign}"


def _metric(column: str, shown: OnMaps) -> Metric:
    error = shown.unit == "%"
    return Metric(
        key=column,
        column=column,
        title=shown.title,
        unit=f"{shown.quantity}, {shown.unit}" if shown.unit else shown.quantity,
        form="{:.2f}" if error else "{:.3g}",
        kind="error" if error else "positive",
        name=shown.name,
    )


_SHOWN = sorted((shown.place, each.name, shown) for each in COLUMNS if (shown := each.on_maps))

METRICS: dict[str, Metric] = {column: _metric(column, shown) for _, column, shown in _SHOWN}
"""By key; the first is the default."""

TEST_ERROR = next(iter(METRICS.values()))


def known(runs: pd.DataFrame, column: str) -> NDArray[np.bool_]:
    """Return (N,): which runs have a finite number in a column."""
    if column not in runs or runs[column].dtype.kind not in "fiu":
        return np.zeros(len(runs), dtype=bool)
    return np.asarray(np.isfinite(runs[column].to_numpy(dtype=np.float64, na_value=np.nan)))


def recorded(runs: pd.DataFrame) -> list[Metric]:
    """Return the metrics of which some run has a finite number."""
    return [metric for metric in METRICS.values() if known(runs, metric.column).any()]


@dataclass(frozen=True)
class Look:
    """How maps are looked at.

    Attributes:
        metric: What is shown.
        delta: Points of error that bound a basin, and within which the colors of errors are linear.
        limits: "robust": the colors end at a high quantile of the cells; "full": at the worst cell that trained.
        native: The weight decay axis is what each optimizer was given, not the common scale.
        seed: Only the runs of this seed; None means the mean over all.
        spread: The standard deviation over the seeds is shown, not the mean.
        interpolated: Cells are points over an interpolated surface, as those of a search always are.
    """

    metric: Metric = TEST_ERROR
    delta: float = 1.0
    limits: Literal["robust", "full"] = "robust"
    native: bool = False
    seed: int | None = None
    spread: bool = False
    interpolated: bool = False

    @property
    def default(self) -> bool:
        """Whether the mean test error is shown, as in a report."""
        return self.metric == TEST_ERROR and self.seed is None and not self.spread

    @property
    def full(self) -> bool:
        """Whether the colors go to the worst cell that trained."""
        return self.limits == "full"

    @property
    def brief(self) -> str:
        """What is shown, for a title: "gradient norm", "spread of test error", "test error, seed 2"."""
        if self.spread:
            return f"spread of {self.metric.name}"
        return self.metric.name if self.seed is None else f"{self.metric.name}, seed {self.seed}"

    @property
    def what(self) -> str:
        """What is shown, for a sentence: "mean test error"."""
        if self.spread:
            return f"standard deviation (n − 1) of the {self.metric.name}"
        return f"mean {self.metric.name}" if self.seed is None else f"{self.metric.name} of seed {self.seed}"

    @property
    def unit(self) -> str:
        """What the color bar and an axis say."""
        if not self.spread:
            return self.metric.unit
        sign = " points" if self.metric.kind == "error" else self.metric.sign
        return f"spread,{sign}" if sign else "spread"

    def values(self, landscape: Landscape) -> NDArray[np.float64]:
        """Return (W, L) what is shown of each cell."""
        return landscape.std if self.spread else landscape.mean

    def said(self, mean: float, std: float) -> str:
        """Return what is said of a cell: "test error 2.10 ± 0.15 %"; mean and spread, whichever is shown."""
        if np.isnan(mean) and not self.default:
            return f"{self.metric.name} unknown"
        return f"{self.metric.name} {self.metric.written(mean, std)}"

    def decay(self, landscape: Landscape) -> NDArray[np.float64]:
        """Return (W,) where the rows stand on the weight decay axis."""
        return landscape.weight_decay_native if self.native else landscape.weight_decay

    @property
    def decay_title(self) -> str:
        """What the weight decay axis is called."""
        return "weight decay, as given" if self.native else "weight decay λ, common scale"


DEFAULT = Look()


def has_native(landscape: Landscape) -> bool:
    """Return whether what the optimizer was given makes an axis: positive and ascending where the common scale is."""
    native = landscape.weight_decay_native[landscape.positive]
    return bool(np.isfinite(native).all() and (native > 0).all() and (np.diff(native) > 0).all())


def place(lr: float, weight_decay: float) -> str:
    """Return "learning rate 0.001, weight decay 0.01"."""
    return f"learning rate {number(lr)}, weight decay {number(weight_decay)}"
