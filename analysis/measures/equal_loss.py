"""Test error of two optimizers at equal training loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

LAST_EPOCHS = 40


def last_epochs(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the last 40 epochs of every run, or the last half of a training of fewer than 80."""
    longest = curves.groupby("run_id")["epoch"].transform("max")
    return curves[curves["epoch"] > longest - np.minimum(LAST_EPOCHS, longest // 2)]


def adjusted(curves: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return `pairs` with both runs' mean test error over their last epochs at a common training loss, percent.

    Analysis of covariance: test error on log10 training loss with one slope within all runs, along which the two runs
    of a pair are moved to the mean of their losses. Pairs with fewer than three such epochs in a run are left out, and
    all of them where no loss varies.

    Args:
        curves: The curves table.
        pairs: Columns `first` and `second`, run_ids; others are kept.

    Returns:
        The pairs with the columns `first_error` and `second_error`.
    """
    runs = _summaries(curves[curves["run_id"].isin({*pairs["first"], *pairs["second"]})])
    slope = runs["products"].sum() / runs["squares"].sum() if runs["squares"].sum() > 0 else np.nan
    known = pairs[pairs["first"].isin(runs.index) & pairs["second"].isin(runs.index)]
    sides = [runs.loc[known[name]].set_axis(known.index) for name in ("first", "second")]
    middle = (sides[0]["loss"] + sides[1]["loss"]) / 2
    errors = {
        f"{name}_error": side["error"] + slope * (middle - side["loss"])
        for name, side in zip(("first", "second"), sides, strict=True)
    }
    return known.assign(**errors).dropna(subset=list(errors))


def _summaries(curves: pd.DataFrame) -> pd.DataFrame:
    """Return a row a run: mean log loss and error of its last epochs, sums of squares and products about them."""
    rows = last_epochs(curves[curves["train_loss"] > 0])
    rows = rows.assign(loss=np.log10(rows["train_loss"].to_numpy(dtype=np.float64)), error=rows["test_error"])
    rows = rows[["run_id", "loss", "error"]].dropna()
    means = rows.groupby("run_id")[["loss", "error"]].transform("mean")
    apart = rows[["loss", "error"]] - means
    rows = rows.assign(squares=apart["loss"] ** 2, products=apart["loss"] * apart["error"])
    runs = rows.groupby("run_id").agg(
        loss=("loss", "mean"), error=("error", "mean"), squares=("squares", "sum"), products=("products", "sum"),
        epochs=("loss", "size"),
    )  # fmt: skip
    return runs[runs["epochs"] >= 3]
