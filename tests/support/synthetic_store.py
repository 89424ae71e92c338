"""Synthetic runs with the identities of a study's grid, and result stores that hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from robustness.study.run import stored_options
from tests.support import synthetic

if TYPE_CHECKING:
    from pathlib import Path

STUDY = """\
name: demo
description: Synthetic basins.
workload: digits
optimizers: [adam, adamw, adams]
space:
  lr: {low: 1.0e-4, high: 0.316228, points: 12}
  weight_decay: {low: 1.0e-5, high: 0.1, points: 11, zero: true}
seeds: 3
"""


def of_study(text: str = STUDY, **options: Any) -> pd.DataFrame:
    """Return runs with the identities that the grid of a study file asks for; options as in `runs`."""
    from robustness.study import Study

    study = Study.parse(text)
    shapes = {e.optimizer.name: synthetic.DEMO[e.optimizer.name] for e in study.optimizers}
    lr, decay = study.space.lr.values, study.space.weight_decay.values
    table = synthetic.runs(shapes, lr=lr, weight_decay=decay, seeds=study.seeds, **options)
    ids = pd.DataFrame(
        [
            (
                run.optimizer.name,
                run.lr,
                run.weight_decay,
                run.seed,
                run.run_id,
                run.cell_id,
                stored_options(run.optimizer),
            )
            for run in study.grid()
        ],
        columns=["optimizer", "lr", "weight_decay", "seed", "run_id", "cell_id", "optimizer_options"],
    )
    rest = table.drop(columns=["run_id", "cell_id", "optimizer_options"])
    return rest.merge(ids, on=["optimizer", "lr", "weight_decay", "seed"], validate="one_to_one")


def store(root: Path, runs: pd.DataFrame, text: str | None = STUDY, parts: int = 4) -> Path:
    """Write the runs and their curves as a result store in `root` and return it."""
    from robustness.results import Store

    made = Store(root)
    if text is not None:
        made.write_study(text)
    for part in np.array_split(np.arange(len(runs)), parts):
        if len(part):
            rows = runs.iloc[part]
            made.write(
                made.part_name(rows["run_id"]),
                rows.astype(object).where(rows.notna(), None).to_dict("records"),
                synthetic.curves(rows).to_dict("list"),
            )
    return root
