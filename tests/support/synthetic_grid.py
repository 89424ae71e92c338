"""Synthetic runs of studies on several workloads, or in which optimizers have axes of their own."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from robustness.study import Study
from robustness.study.run import stored_options
from tests.support import synthetic
from tests.support.synthetic import Basin

if TYPE_CHECKING:
    from pathlib import Path

    from robustness.study import Run

SEVERAL = """\
name: both
description: Two workloads.
workload:
  - digits
  - {name: digits, label: digits wide, width: 64}
optimizers: [adam, adamw, adams]
space:
  lr: {low: 1.0e-4, high: 0.1, points: 7}
  weight_decay: {low: 1.0e-5, high: 0.1, points: 5, zero: true}
seeds: 3
claims: [deeper-basin]
"""
ONE_CELL = """\
name: cells
workload:
  - digits
  - {name: digits, label: digits wide, width: 64}
optimizers: [adams, adamw, {name: sgd, label: SGD, space: {lr: [0.1]}}]
space: {lr: [1.0e-3], weight_decay: [5.0e-4]}
seeds: 3
"""
HARDER = 3.0
"""Points by which each workload's errors are above those of the one before."""


def of_grid(text: str, **options: Any) -> pd.DataFrame:
    """Return the runs that a study file asks for; options: noise, diverges, validation, as in `synthetic.runs`."""
    study = Study.parse(text)
    frames = []
    found = groupby(study.grid(), key=lambda run: (study.workloads.index(run.workload), run.optimizer.name))
    for number, ((place, name), group) in enumerate(found):
        basin = synthetic.DEMO.get(name, Basin(2.8, -1.5, -3.3, convention="l2"))
        harder = replace(basin, depth=basin.depth + HARDER * place)
        frames.append(_table(name, harder, number, list(group), options))
    return pd.concat(frames, ignore_index=True)


def _table(name: str, basin: Basin, number: int, asked: list[Run], options: dict[str, Any]) -> pd.DataFrame:
    eta, wd = (np.array([getattr(run, axis) for run in asked]) for axis in ("lr", "weight_decay"))
    seeds = np.array([run.seed for run in asked], dtype=np.int64)
    table = synthetic.rows_of(name, basin, number, eta=eta, wd=wd, seed=seeds, **options)
    return table.assign(
        run_id=[run.run_id for run in asked],
        cell_id=[run.cell_id for run in asked],
        optimizer_options=[stored_options(run.optimizer) for run in asked],
        workload=[run.workload.name for run in asked],
        workload_options=[stored_options(run.workload) for run in asked],
    )


def store(root: Path, text: str, runs: pd.DataFrame | None = None, *, study: bool = True) -> Path:
    """Write the runs of a study, by default all that it asks for, as a result store in `root` and return it."""
    from tests.support import synthetic_store

    return synthetic_store.store(root, of_grid(text) if runs is None else runs, text if study else None)
