"""Plotly figures of a study, for the report, the live pages and for export."""

from __future__ import annotations

from analysis.figures.base.figure import Figure, NotDrawn, OnPaper
from analysis.figures.base.theme import Drawing
from analysis.figures.intervals.forest_plot import forest
from analysis.figures.intervals.single_cells import single_cells
from analysis.figures.lines.basin_profiles import profile, profiles
from analysis.figures.lines.decay_cut import decay_cut
from analysis.figures.lines.epochs import decays_over_epochs, over_epochs
from analysis.figures.lines.learning_curves import gradient_norms, learning_curves
from analysis.figures.lines.scatter import scatter
from analysis.figures.lines.slices import slices
from analysis.figures.lines.tuning_curves import tuning
from analysis.figures.maps.difference import difference
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
    "decay_cut",
    "decays_over_epochs",
    "difference",
    "forest",
    "gradient_norms",
    "learning_curves",
    "over_epochs",
    "profile",
    "profiles",
    "sampled_basins",
    "scatter",
    "single_cells",
    "slices",
    "tuning",
]
