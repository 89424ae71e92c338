"""Plotly figures of a study, for the report, the live pages and for export."""

from __future__ import annotations

from analysis.figures.base.figure import Figure, NotDrawn, OnPaper
from analysis.figures.base.theme import Drawing
from analysis.figures.intervals.forest_plot import forest
from analysis.figures.lines.basin_profiles import profile, profiles
from analysis.figures.lines.epochs import decays_over_epochs, over_epochs
from analysis.figures.lines.learning_curves import gradient_norms
from analysis.figures.lines.tuning_curves import tuning
from analysis.figures.maps.heatmaps import basins
from analysis.figures.maps.sampled_maps import sampled_basins
from analysis.figures.paper.figures import FIGURES

__all__ = [
    "FIGURES",
    "Drawing",
    "Figure",
    "NotDrawn",
    "OnPaper",
    "basins",
    "decays_over_epochs",
    "forest",
    "gradient_norms",
    "over_epochs",
    "profile",
    "profiles",
    "sampled_basins",
    "tuning",
]
