"""Plotly figures of a study, for the report, the live pages and for export."""

from __future__ import annotations

from analysis.figures.basins import basins
from analysis.figures.curves import gradient_norms, learning_curves
from analysis.figures.decay_cut import decay_cut
from analysis.figures.difference import difference
from analysis.figures.epochs import decays_over_epochs, over_epochs
from analysis.figures.forest import forest
from analysis.figures.paper import FIGURES, PaperFigure
from analysis.figures.profiles import profile, profiles
from analysis.figures.sampled import sampled_basins
from analysis.figures.scatter import scatter
from analysis.figures.single_cells import single_cells
from analysis.figures.slices import slices
from analysis.figures.theme import Drawing
from analysis.figures.tuning import tuning

__all__ = [
    "FIGURES",
    "Drawing",
    "PaperFigure",
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
