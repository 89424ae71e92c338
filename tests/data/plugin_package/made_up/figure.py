"""The test error of every run over its seed."""

import plotly.graph_objects as go

from analysis.figures import Figure, NotDrawn
from analysis.figures.base.theme import Drawing


def draw(contents):
    runs = contents.runs
    if not len(runs):
        return NotDrawn("no run with a result is stored yet")
    figure = go.Figure(go.Scatter(x=runs["seed"], y=runs["test_error"], mode="markers"))
    return Drawing(figure, narrow=go.Layout(), caption=f"Test error of {len(runs)} runs.")


SEEDS = Figure(id="seeds", heading="Test error by seed", draw=draw)
