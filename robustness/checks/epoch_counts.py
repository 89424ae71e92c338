"""Whether every run has its curve, epoch by epoch, and every curve its run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.compute as pc

from robustness.checks.fault import RUN_AGAIN, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from robustness.results import Store

_HOUR = 3600.0


def faults_of_curves(file: str, beside: str, runs: pa.Table, curves: pa.Table | None) -> Iterator[Fault]:
    """Yield the runs of a part that lack epochs, and the curves of none of them.

    Args:
        file: The part of runs.
        beside: Where its curves lie.
        runs: Its rows.
        curves: Their curves; None where that file is missing.
    """
    found = {} if curves is None else _epochs(curves)
    wanted = dict(zip(runs.column("run_id").to_pylist(), runs.column("epochs").to_pylist(), strict=True))
    for run, epochs in wanted.items():
        rows, distinct, last = found.pop(run, (0, 0, 0))
        if epochs > 0 and not rows:
            yield Fault(file=file, run=run, what=f"it has no curve in {beside}", advice=RUN_AGAIN)
        elif rows != distinct:
            yield Fault(file=beside, run=run, what="an epoch is there twice", advice=RUN_AGAIN)
        elif rows != epochs or (rows and last != epochs):
            what = f"its curve has {rows} epochs, up to {last}, where its row says {epochs}"
            yield Fault(file=beside, run=run, what=what, advice=RUN_AGAIN)
    for run in sorted(found):
        yield Fault(file=beside, run=run, what=f"it has no row in {file}", advice="`robustness compact` leaves it out")


def lost_curves(store: Store, names: set[str]) -> Iterator[Fault]:
    """Yield the parts of curves without rows, but for those that a sweep may be about to write the rows of."""
    busy = store.claimant() is not None
    for name in sorted(store.reader.names("curves") - names):
        file = f"curves/{name}.parquet"
        age = store.folder.age(file)
        if age is not None and not (busy and age < _HOUR):
            yield Fault(file=file, what="there are no rows to it in runs/", advice="`robustness compact` removes it")


def _epochs(curves: pa.Table) -> dict[str, tuple[int, int, int]]:
    """Return of each run its rows, how many epochs these are of, and the last of them."""
    wanted: list[tuple[str, str]] = [("epoch", "count"), ("epoch", "count_distinct"), ("epoch", "max")]
    table = curves.group_by("run_id").aggregate(wanted)
    names = ("run_id", "epoch_count", "epoch_count_distinct", "epoch_max")
    columns = (pc.fill_null(table.column(name), 0 if name != "run_id" else "").to_pylist() for name in names)
    return {run: (rows, distinct, last) for run, rows, distinct, last in zip(*columns, strict=True)}
