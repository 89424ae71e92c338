"""A study with all kinds of cells, and what a drawing of it shows, cell by cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from analysis.contents.gather import gather
from analysis.figures.base.metrics import METRICS
from analysis.figures.base.theme import Drawing
from robustness.results import Store
from tests.support import synthetic, synthetic_store

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

    import pandas as pd

    from analysis.contents.gather import Contents
    from analysis.figures.base.figure import NotDrawn

NAMES = ("adam", "adamw", "adams")
GRAD = METRICS["grad_norm"]
LR, DECAY = "{low: 1.0e-4, high: 0.316228, points: 8}", "{low: 1.0e-5, high: 0.1, points: 6, zero: true}"
STUDY = f"""\
name: demo
workload: digits
optimizers: [adam, adamw, adams]
space: {{lr: {LR}, weight_decay: {DECAY}}}
seeds: 3
"""
SEARCH = """\
name: demo
workload: digits
optimizers: [adam, adamw, adams]
search: {method: random, cells: 20}
space: {lr: {low: 1.0e-4, high: 0.316228}, weight_decay: {low: 1.0e-5, high: 0.1}}
seeds: 2
"""


def made(root: Path, text: str, runs: pd.DataFrame) -> Contents:
    return gather(Store(synthetic_store.store(root, runs, text, parts=1)))


@pytest.fixture(scope="module", name="contents")
def make_contents(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    return made(tmp_path_factory.mktemp("demo") / "demo", STUDY, of_demo())


@pytest.fixture(scope="module", name="searched")
def make_searched(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    return made(tmp_path_factory.mktemp("found") / "demo", SEARCH, synthetic.sampled(cells=20))


def of_demo() -> pd.DataFrame:
    """A demo study whose columns differ, with a cell that failed, a cell of one seed and two that diverged in part."""
    runs = synthetic_store.of_study(STUDY)
    noise = np.random.default_rng(0)
    runs["grad_norm"] = runs["grad_norm"] * 10 ** noise.normal(size=len(runs))
    runs["validation_error"] = runs["validation_error"] + 3
    cells = runs.groupby("cell_id", sort=True).ngroup()
    runs.loc[cells == cells.iloc[0], ["status", "reason"]] = ["failed", "out of memory"]
    numbers = ["test_error", "grad_norm", "validation_error"]
    runs.loc[cells == cells.iloc[0], numbers] = np.nan
    some = runs[(runs["optimizer"] == "adams") & (runs["status"] == "completed")]["cell_id"].unique()
    lost = runs["cell_id"].isin(some[:2]) & (runs["seed"] == 1)
    runs.loc[lost, "status"], runs.loc[lost, "reason"] = "diverged", "loss"
    runs.loc[lost, numbers] = np.nan
    kept: pd.DataFrame = runs[~((runs["cell_id"] == some[5]) & (runs["seed"] > 0))]
    return kept


def drawn(found: Drawing | NotDrawn) -> Drawing:
    assert isinstance(found, Drawing), found
    return found


def cells(drawing: Drawing, kind: str = "heatmap") -> list[Any]:
    """The traces of measured cells: with what leads to them."""
    return [t for t in drawing.figure.data if t.type == kind and t.meta]


def by_cell(drawing: Drawing, label: str) -> dict[Hashable, tuple[float, list[str]]]:
    """(lr, weight decay) -> color coordinate and texts, as a program finds them from a point's [row, column]."""
    found: dict[Hashable, tuple[float, list[str]]] = {}
    for trace in cells(drawing):
        if trace.meta["label"] == label:
            for (row, column), z in np.ndenumerate(np.asarray(trace.z, dtype=float)):
                place = trace.meta["lr"][column], trace.meta["weight_decay"][row]
                found[place] = float(z), list(trace.customdata[row][column])
    return found


def direct(contents: Contents, label: str, column: str, how: str = "mean") -> pd.Series:
    """The same numbers with pandas alone."""
    known = contents.runs[(contents.runs["label"] == label) & (contents.runs["status"] != "failed")]
    if column.endswith("error"):  # a diverged run has learnt nothing
        known = known.assign(**{column: known[column].where(known["status"] != "diverged", known["baseline"])})
    return known.groupby(["lr", "weight_decay"])[column].agg(how)


def lost(contents: Contents, label: str) -> set[tuple[float, float]]:
    """Cells in which every seed diverged."""
    known = contents.runs[(contents.runs["label"] == label) & (contents.runs["status"] != "failed")]
    share = (known["status"] == "diverged").groupby([known["lr"], known["weight_decay"]]).mean()
    return set(share[share == 1].index)


def overlay(drawing: Drawing) -> list[Any]:
    """The outline of the basins and the rings."""
    return [(t.name, t.x, t.y) for t in drawing.figure.data if t.name in {"basin", "best"}]
