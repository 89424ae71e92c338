"""Plotly figures of a study, for the report, the live pages and for export."""

from __future__ import annotations

from analysis.figures.basins import basins
from analysis.figures.curves import gradient_norms, learning_curves
from analysis.figures.sampled import sampled_basins
from analysis.figures.slices import slices
from analysis.figures.theme import Drawing

__all__ = ["Drawing", "basins", "gradient_norms", "learning_curves", "sampled_basins", "slices"]
