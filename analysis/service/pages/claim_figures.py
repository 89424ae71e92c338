"""Which figure shows what a claim is about, and drawing it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analysis.figures.registry import of_report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.claims.verdict import Verdict
    from analysis.contents.gather import Contents
    from analysis.figures.base.figure import Figure, NotDrawn
    from analysis.figures.base.theme import Drawing

OF_MEASURE: Mapping[str, str] = {
    "depth": "basins",
    "failure_share": "basins",
    "basin_area": "basins",
    "basin_area_absolute": "basins",
    "ridge_slope": "basins",
    "ridge_correlation": "basins",
    "optimum_weight_decay": "basins",
    "profile_auc": "profiles",
    "lr_sensitivity": "slices",
    "lr_sensitivity_box": "profiles",
    "weight_decay_sensitivity": "slices",
    "loss_depth": "curves",
    "best_epoch_depth": "curves",
    "equal_loss_error": "scatter",
    "matched": "gradients",
    "trend": "decays",
}
"""The figure that shows a measure."""


def shown_figures() -> dict[str, Figure]:
    """Return the figures that can stand beside the claims, by their ids: all of the report's but the claims' own."""
    return {name: row for name, row in of_report().items() if name != "claims"}


def draw(contents: Contents, figure: str, delta: float = 1.0) -> Drawing | NotDrawn:
    """Return a figure of the report, or the reason why there is none.

    Args:
        contents: Of one workload, in full.
        figure: Its id.
        delta: Points of error that bound the basins.
    """
    return of_report()[figure].draw(replace(contents, deltas=(delta, 2 * delta)))


def figure_of(verdict: Verdict, contents: Contents) -> Figure:
    """Return the figure that shows what a claim is about; where there is no such thing, the nearest one to it."""
    rows = of_report()
    measure = verdict.comparisons[0].measure if verdict.comparisons else ""
    figure = rows[OF_MEASURE.get(measure, "basins")]
    if figure.source == "curves" and not len(contents.curves):
        figure = rows["basins"]
    if contents.cells is not None:  # a search chose the cells: there is nothing to cut
        return rows["basins"] if figure.source == "cut" else figure
    if figure.source == "maps" and contents.no_map:
        figure = rows["slices"]
    return rows["cells"] if figure.source == "cut" and not contents.axes else figure
