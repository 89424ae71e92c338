"""From a table of runs to one of cells, in which no run is lost that a mean would drop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness.results.tables.arrow import finished
from robustness.results.tables.columns import ERRORS

if TYPE_CHECKING:
    import pandas as pd

CELL = ["workload", "workload_options", "label", "optimizer", "optimizer_options", "lr", "weight_decay", "cell_id"]


def taken(runs: pd.DataFrame, column: str) -> pd.Series:
    """Return the numbers (n,) of a column that means are made of.

    They are as measured, but that a diverged run, which has no error, has learnt nothing: it counts with its baseline.

    Args:
        runs: A runs table, of a whole study: a validation error that no run has is none of diverged runs either.
        column: One of its columns of numbers.
    """
    numbers = runs[column].astype("float64")
    if column not in ERRORS or ("validation" in column and numbers.isna().all()):
        return numbers
    return numbers.mask(runs["status"] == "diverged", runs["baseline"])


def at_chance(runs: pd.DataFrame, column: str = "test_error") -> pd.Series:
    """Return which runs (n,) completed with an error no better than their baseline: they have learnt nothing.

    Args:
        runs: A runs table.
        column: A column of errors; another is judged by the test error.
    """
    judged = runs[column if column in ERRORS else "test_error"]
    return (runs["status"] == "completed") & (judged >= runs["baseline"]).fillna(value=False).astype(bool)


def chance_of(runs: pd.DataFrame) -> float | None:
    """Return the baseline of the runs of one workload; None where no row tells it."""
    known = runs["baseline"].dropna()
    return float(known.max()) if len(known) else None


def cells_of(runs: pd.DataFrame) -> pd.DataFrame:
    """Return one row a cell; see `robustness.results.Results.cells`."""
    rows = finished(runs)
    rows = rows.assign(
        **{column: taken(rows, column) for column in ERRORS},
        seeds=1,
        diverged=(rows["status"] == "diverged").astype(int),
        at_chance=at_chance(rows).astype(int),
    )
    counts = dict.fromkeys(("seeds", "diverged", "at_chance"), "sum")
    groups = rows.groupby(CELL, dropna=False, sort=True, observed=True)
    return groups.agg(dict.fromkeys(ERRORS, "mean") | counts).reset_index()
