"""Independent random trials of a real network; see tests/data/alexnet/README.md."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.landscapes.basin import Box

BOX = Box((5e-3, 50.0), (1e-6, 1e-3))


def trials() -> pd.DataFrame:
    """Return 512 rows: iteration, lr, weight_decay, top_1_error (percent), diverged (0 or 1)."""
    return pd.read_csv(Path(__file__).parents[1] / "data" / "alexnet" / "random_search.csv")


def cells() -> pd.DataFrame:
    """Return the trials as cells of one seed."""
    return (
        trials().rename(columns={"top_1_error": "mean", "diverged": "lost"}).assign(label="alexnet", seeds=1, failed=0)
    )
