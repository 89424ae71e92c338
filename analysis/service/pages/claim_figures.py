"""Which figure shows what a claim is about, and drawing it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analysis.figures.registry import of_report
from robustness.claims.measures import measure as row_of

if TYPE_CHECKING:
    from analysis.claims.verdict import Verdict
    from analysis.contents.gather import Contents
    from analysis.figures.base.figure import Figure, NotDrawn
    from analysis.figures.base.theme import Drawing


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
    figure = rows[row_of(measure).figure if measure else "basins"]
    if figure.source == "curves" and not len(contents.curves):
        figure = rows["basins"]
    if contents.cells is not None:  # a search chose the cells: there is nothing to cut
        return rows["basins"] if figure.source == "cut" else figure
    if figure.source == "maps" and contents.no_map:
        figure = rows["slices"]
    return rows["cells"] if figure.source == "cut" and not contents.axes else figure
