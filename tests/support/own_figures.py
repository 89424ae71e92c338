"""What a drawing shows, and the cells of the synthetic study that tests draw."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from tests.support import synthetic

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from analysis.figures import Drawing

LR = synthetic.LR[5]
RATES = {"adam": synthetic.LR[4], "adamw": LR, "adams": LR}


def lines(drawing: Drawing, name: str) -> list[Any]:
    """The drawn lines of a label, without bands and without those that only stand in the legend."""
    shown = [t for t in drawing.figure.data if t.name == name and t.hovertemplate]
    return [t for t in shown if np.isfinite(np.asarray(t.y, dtype=float)).any()]


def bands(drawing: Drawing) -> list[Any]:
    return [t for t in drawing.figure.data if t.fill == "toself"]


def stands(drawing: Drawing) -> None:
    """Both layouts are JSON, and have every axis that a trace refers to."""
    assert drawing.caption
    for layout in (drawing.figure.layout, drawing.narrow):
        json.loads(go.Figure(drawing.figure.data, layout).to_json())
        assert layout.height > 0
        for trace in drawing.figure.data:
            for reference in (trace.xaxis, trace.yaxis):
                assert layout[f"{reference[0]}axis{reference[1:]}"].domain is not None


def cell(runs: pd.DataFrame, name: str, lr: float = LR, decay: float = 1e-3) -> list[str]:
    here = (runs["label"] == name) & (runs["lr"] == lr) & (runs["weight_decay"] == decay)
    return runs.loc[here, "run_id"].tolist()


def curve(low: Iterable[float], high: Iterable[float], exact: bool = True) -> Any:
    return SimpleNamespace(
        trials=np.array([1, 2, 4, 8]),
        median=np.array([12.0, 6.0, 4.0, 3.0]),
        low=np.array(list(low)),
        high=np.array(list(high)),
        confidence=0.95,
        exact=exact,
    )
