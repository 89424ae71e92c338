"""The runs of a sampled study's cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from robustness.study import Run, Study


def among(study: Study, rows: pd.DataFrame) -> list[Run]:
    """Return every run of a sampled study in the cells of `rows`."""
    pairs = rows[["lr", "weight_decay"]].drop_duplicates().itertuples(index=False)
    cells = [(float(lr), float(decay)) for lr, decay in pairs]
    entries = [(part, entry) for part in study.parts for entry in part.optimizers]
    return [part.run(entry, lr, decay, seed) for part, entry in entries for lr, decay in cells for seed in part.seeds]
