"""Small studies of every kind that a figure or a section of a report must cope with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.contents.gather import Contents, gather
from robustness.results import Store
from tests.support import synthetic, synthetic_grid, synthetic_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

SMALL = """\
name: demo
description: Synthetic <basins> & more.
workload: digits
optimizers: [adam, adamw, adams]
space:
  lr: {low: 1.0e-4, high: 0.1, points: 5}
  weight_decay: {low: 1.0e-5, high: 0.1, points: 4, zero: true}
seeds: 3
"""
ALONE = """\
name: demo
workload: digits
optimizers: [adams, adamw]
space: {lr: [1.0e-3], weight_decay: [5.0e-4]}
seeds: 3
"""


def _full(root: Path) -> Path:
    return synthetic_store.store(root, synthetic_store.of_study(SMALL), SMALL, parts=1)


def _empty(root: Path) -> Path:
    return synthetic_store.store(root, synthetic_store.of_study(SMALL).iloc[:0], SMALL, parts=1)


def _without_file(root: Path) -> Path:
    return synthetic_store.store(root, synthetic_store.of_study(SMALL), None, parts=1)


def _one_seed(root: Path) -> Path:
    text = SMALL.replace("seeds: 3", "seeds: 1")
    return synthetic_store.store(root, synthetic_store.of_study(text), text, parts=1)


def _single_cells(root: Path) -> Path:
    runs: pd.DataFrame = synthetic_grid.of_grid(ALONE)
    return synthetic_grid.store(root, ALONE, runs)


def _sampled(root: Path) -> Path:
    return synthetic_store.store(root, synthetic.sampled(cells=20), None, parts=1)


KINDS: dict[str, Callable[[Path], Path]] = {
    "full": _full,
    "empty": _empty,
    "without its file": _without_file,
    "of one seed": _one_seed,
    "of single cells": _single_cells,
    "sampled": _sampled,
}


def studies(folder: Path) -> dict[str, Contents]:
    """Return all that is known of a study of each kind; they are stored below `folder`."""
    return {kind: gather(Store(make(folder / kind.replace(" ", "-") / "demo"))) for kind, make in KINDS.items()}
