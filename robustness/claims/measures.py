"""What there is to know of every measure: a row each, from which claims, tables, figures and the schema are made.

The formula of a row stands under the same name in `analysis.measures`; `analysis.measures.registry` ties the two.
Another package adds a measure by an entry point of the group `robustness.measures`, which names a `MeasurePlugin`:

    from robustness.claims.measures import Measure, MeasurePlugin

    def median_error(draws, delta):
        '''Return (B,) the median error over the map of each draw, see `analysis.measures.draws.Draws`.'''
        return numpy.nanmedian(draws.mean.reshape(len(draws.mean), -1), axis=1)

    MEDIAN = MeasurePlugin(
        measure=Measure(name="median_error", title="Median error", what="the median of e over the box", unit="%"),
        formula=median_error,
    )
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from robustness.plugins import PluginError, plugins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Scale = Literal["difference", "ratio"]

GROUP: Literal["robustness.measures"] = "robustness.measures"
PLANE = ("lr", "weight_decay")


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One measure, and how two optimizers are compared on it.

    Attributes:
        name: What a claim calls it: the key `measure`.
        title: What tables call it; `{column}` stands for the column that it reads.
        what: What it is, for the documentation: a few words without a full stop.
        unit: Of its value: "" for a pure number, "share" for 0..1, which is shown in percent.
        difference_unit: What a sentence calls the unit of a difference; "" for none.
        panel: What a forest plot calls that unit; comparisons of one such unit share a panel.
        scale: Whether two optimizers are compared by their difference or their ratio.
        basin: Whether it depends on delta, the points of error that bound a basin.
        column: Whether it reads a column of the runs table, which a claim names.
        axes: Columns of the axes that it goes along; () for a measure of single cells.
        shared: Whether it is of the cells that two optimizers have in common, and so needs one grid for both.
        against_zero: Whether it may be compared with 0 in place of another optimizer.
        noun: What an optimizer without a value has none of, with `{column}`; None: the name.
        figure: Id of the figure that shows it.
        line: Place of its line in the report's table, ascending; None for none.
        only_asked: Whether that line is there only where a claim of the study is about it.
    """

    name: str
    title: str
    what: str
    unit: str = ""
    difference_unit: str = ""
    panel: str = "no unit"
    scale: Scale = "difference"
    basin: bool = False
    column: bool = False
    axes: tuple[str, ...] = ()
    shared: bool = False
    against_zero: bool = False
    noun: str | None = None
    figure: str = "basins"
    line: int | None = None
    only_asked: bool = False


@dataclass(frozen=True, kw_only=True)
class MeasurePlugin:
    """A measure of another package: what an entry point of the group `robustness.measures` names.

    Attributes:
        measure: Its row; the entry point has the same name.
        formula: (draws, delta) -> (B,) of `analysis.measures.draws.Draws`, delta 0 where the measure has no basin; or
            an `analysis.measures.per_seed.PerSeed`, for a measure of which every seed gives one number.
    """

    measure: Measure
    formula: Callable[[Any, float], Any] | Any


_POINTS: dict[str, Any] = {"difference_unit": "points", "panel": "points of error"}
_DEPTH: dict[str, Any] = {"unit": "% test error", **_POINTS}
_AREA: dict[str, Any] = {"unit": "decades²", "scale": "ratio", "basin": True, "axes": PLANE}
_SHARE: dict[str, Any] = {"unit": "share", "panel": "share of the box, 0 to 1", "axes": PLANE}

_ROWS = (
    Measure(name="depth", title="Depth", what="e\\*, the test error of the chosen cell", line=10, **_DEPTH),
    Measure(
        name="loss_depth",
        title="Depth of the loss",
        what="the same of the test loss, in the cell of least validation loss; e to a difference is a ratio of "
        "perplexities",
        unit="nats",
        difference_unit="nats",
        panel="nats",
        figure="curves",
        line=20,
        only_asked=True,
    ),
    Measure(
        name="best_epoch_depth",
        title="Depth at the best epoch",
        what="the least test error over the epochs in the chosen cell: how the paper scores",
        figure="curves",
        line=30,
        **_DEPTH,
    ),
    Measure(name="basin_area", title="Basin area", what="area of the cells with e ≤ e\\* + δ", line=40, **_AREA),
    Measure(
        name="basin_area_absolute",
        title="Basin area, absolute",
        what="the same, measured from the least e\\* of all optimizers",
        line=50,
        **_AREA,
    ),
    Measure(
        name="profile_auc",
        title="Area under the basin profile",
        what="share of the box with e ≤ τ, as a curve in τ: its mean over τ from 0 to chance",
        figure="profiles",
        line=60,
        **_SHARE,
    ),
    Measure(
        name="lr_sensitivity",
        title="Learning-rate sensitivity",
        what="mean over lr of min(e, chance) − e\\*, at the best weight decay (Wortsman et al. 2023)",
        unit="points",
        axes=("lr",),
        figure="slices",
        line=70,
        **_POINTS,
    ),
    Measure(
        name="lr_sensitivity_box",
        title="Sensitivity over the box",
        what="mean over the whole box of min(e, chance) − e\\*",
        unit="points",
        axes=PLANE,
        figure="profiles",
        line=80,
        **_POINTS,
    ),
    Measure(
        name="weight_decay_sensitivity",
        title="Weight-decay sensitivity",
        what="mean over weight decay of min(e, chance) − e\\*, at the learning rates of the basin",
        unit="points",
        axes=("weight_decay",),
        figure="slices",
        line=90,
        **_POINTS,
    ),
    Measure(
        name="failure_share",
        title="Failure share",
        what="share of the box that diverged or is no better than chance",
        line=130,
        **_SHARE,
    ),
    Measure(
        name="ridge_slope",
        title="Ridge slope",
        what="slope of log weight decay on log lr inside the basin: 0 if the two can be tuned one by one, −1 if only "
        "their product matters",
        unit="decades a decade",
        panel="decades a decade",
        basin=True,
        axes=PLANE,
        line=100,
    ),
    Measure(
        name="ridge_correlation",
        title="Ridge correlation",
        what="correlation of the two inside the basin",
        basin=True,
        axes=PLANE,
        line=110,
    ),
    Measure(
        name="optimum_weight_decay",
        title="Best weight decay",
        what="log₁₀; its difference between optimizers is the shift of the optimum, in decades",
        unit="log10",
        difference_unit="decades",
        panel="decades",
        axes=("weight_decay",),
        line=120,
    ),
    Measure(
        name="equal_loss_error",
        title="Test error at equal training loss",
        what="over the last epochs, cell by cell where both basins lie",
        unit="%",
        shared=True,
        figure="scatter",
        **_POINTS,
    ),
    Measure(
        name="matched",
        title="{column} where both basins lie",
        what="ratio of a column of the runs table, cell by cell where both basins lie",
        scale="ratio",
        column=True,
        shared=True,
        noun="{column}",
        figure="gradients",
    ),
    Measure(
        name="trend",
        title="Slope of log {column} on log weight decay",
        what="slope of log₁₀ of a column on log₁₀ weight decay, over the learning rates of the basin",
        panel="slope, decades a decade of weight decay",
        column=True,
        axes=("weight_decay",),
        against_zero=True,
        noun="trend of {column}",
        figure="decays",
    ),
)
MEASURES: dict[str, Measure] = {row.name: row for row in _ROWS}
"""The measures that come with the package, by name."""


def measure(name: str) -> Measure:
    """Return the row of a measure, of this package or another's.

    Raises:
        KeyError: No such measure.
        robustness.plugins.PluginError: It is not one of ours, and one of another package cannot be loaded.
    """
    return MEASURES[name] if name in MEASURES else measures()[name]


def measures() -> dict[str, Measure]:
    """Return every measure: ours, then those of other packages, by name.

    Raises:
        robustness.plugins.PluginError: One of another package cannot be loaded.
    """
    return MEASURES | {name: added.measure for name, added in measure_plugins().items()}


def measure_plugins() -> dict[str, MeasurePlugin]:
    """Return the measures of other packages, by name.

    Raises:
        robustness.plugins.PluginError: One cannot be loaded, is no `MeasurePlugin`, or has a name that is taken.
    """
    found: dict[str, MeasurePlugin] = {}
    for plugin in plugins(GROUP):
        row, who = plugin.row, f"'{plugin.name}' of {plugin.package} {plugin.version} ({GROUP})"
        if not isinstance(row, MeasurePlugin):
            raise PluginError(f"{who} must be a robustness.claims.measures.MeasurePlugin, not a {type(row).__name__}")
        if plugin.name in MEASURES:
            raise PluginError(f"{who} has the name of a measure that is there already")
        if row.measure.name != plugin.name:
            raise PluginError(f"{who} calls its measure '{row.measure.name}': the two names must be one")
        found[plugin.name] = row
    return found


def table_rows(rows: Iterable[Measure] | None = None) -> list[str]:
    """Return the lines of the documentation's table of measures, Markdown, the head first."""
    lines = ["| measure | in a claim | unit | what |", "|---|---|---|---|"]
    for row in MEASURES.values() if rows is None else rows:
        title = row.title.replace("{column}", "a column").replace("log a column", "the log of a column")
        unit = f"ratio, of {row.unit}" if row.scale == "ratio" and row.unit else row.unit or row.scale
        lines.append(f"| {title[0].upper()}{title[1:]} | `{row.name}` | {unit} | {row.what} |")
    return lines
