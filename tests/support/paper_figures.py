"""What the paper's figures read of a study, and what a drawing of them shows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from analysis.landscapes.basin import best_cell
from analysis.landscapes.labels import label
from analysis.landscapes.landscape import landscapes
from analysis.landscapes.slots import own_slots
from tests.support import synthetic

if TYPE_CHECKING:
    import pandas as pd

    from analysis.figures import Drawing


def contents(runs: pd.DataFrame, **more: Any) -> Any:
    """Return what figures read of a study's contents."""
    runs = label(runs)
    maps = landscapes(runs)
    chosen = {name: best_cell(one) for name, one in maps.items()}
    values: dict[str, Any] = {
        "runs": runs, "curves": synthetic.curves(runs), "maps": maps, "cells": None, "delta": 1.0,
        "chosen": chosen, "marks": None, "best": {}, "verdicts": [], "tuning": {}, "workload": "digits", "no_map": "",
        "slots": own_slots(list(runs["label"].cat.categories)),
    }  # fmt: skip
    return SimpleNamespace(**(values | more))


def lines(drawing: Drawing) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for trace in drawing.figure.data:
        if getattr(trace, "hovertemplate", None) and isinstance(trace, go.Scatter):
            found.setdefault(trace.name, []).append(trace)
    return found


def titles(drawing: Drawing) -> list[str]:
    return [note.text for note in drawing.figure.layout.annotations]
