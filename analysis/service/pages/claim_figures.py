"""Which figure shows what a claim is about, and drawing it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analysis.figures import FIGURES, gradient_norms, learning_curves
from analysis.figures.registry import OWN
from analysis.report.one_workload import HEADINGS
from robustness.claims.measures import measure as row_of

if TYPE_CHECKING:
    from analysis.claims.verdict import Verdict
    from analysis.contents.gather import Contents
    from analysis.figures.base.theme import Drawing

SECTIONS = tuple(name for name in HEADINGS if name != "claims")
OF_BASINS = ("basins", "profiles", "difference")
OF_CURVES = ("curves", "gradients", "decays", "scatter")


def draw(contents: Contents, section: str, delta: float = 1.0) -> Drawing | str:
    """Return the figure of a section of the report, or the reason why there is none.

    Args:
        contents: Of one workload, in full.
        section: One of `analysis.report.one_workload.HEADINGS`.
        delta: Points of error that bound the basins.
    """
    if section in OWN:
        return OWN[section](contents if section == "claims" else replace(contents, deltas=(delta, 2 * delta)))
    if not len(contents.curves):
        return "no learning curve is stored"
    if section == "curves":
        return learning_curves(contents.curves, contents.best)
    if section == "gradients":
        return gradient_norms(contents.curves, contents.best)
    return FIGURES["2" if section == "decays" else "15"].draw(contents)


def section_of(verdict: Verdict, contents: Contents) -> str:
    """Return the section whose figure shows what a claim is about."""
    measure = verdict.comparisons[0].measure if verdict.comparisons else ""
    section = row_of(measure).figure if measure else "basins"
    if section in OF_CURVES and not len(contents.curves):
        section = "basins"
    if contents.cells is not None:  # a search chose the cells
        return "basins" if section == "slices" else section
    if section in OF_BASINS and contents.no_map:
        return "slices" if contents.axes else "cells"
    return "cells" if section == "slices" and not contents.axes else section
