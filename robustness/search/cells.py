"""The runs of a study: those of a grid, or of a sampled study's cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from robustness.study import Run, Study


def grid_ids(study: Study) -> set[str] | None:
    """Return the runs that a grid asks for; None where a search chooses them."""
    return {run.run_id for run in study.grid()} if study.search.sampler == "grid" else None


def on_one_grid(study: Study) -> bool:
    """Whether all optimizers have the same cells: those of one grid."""
    spaces = [study.space_of(entry) for entry in study.optimizers]
    return study.search.sampler == "grid" and all(space == spaces[0] for space in spaces)


def asked_ids(study: Study, stored: pd.DataFrame) -> set[str]:
    """Return the runs that a study asks for: all of a grid, or those of the cells in `stored` that its search chose.

    Args:
        study: what asks.
        stored: a runs table, of this study or others.
    """
    asked = grid_ids(study)
    if asked is None:
        rows = stored[stored["sampler"] == study.search.sampler]
        asked = {run.run_id for part in study.parts for run in among(part, rows)}
    return asked


def among(study: Study, rows: pd.DataFrame) -> list[Run]:
    """Return every run of a sampled study in the cells of `rows`."""
    pairs = rows[["lr", "weight_decay"]].drop_duplicates().itertuples(index=False)
    cells = [(float(lr), float(decay)) for lr, decay in pairs]
    entries = [(part, entry) for part in study.parts for entry in part.optimizers]
    return [part.run(entry, lr, decay, seed) for part, entry in entries for lr, decay in cells for seed in part.seeds]
