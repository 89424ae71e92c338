"""Which runs of a study have no result, and why as far as that is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from robustness.results import finished
from robustness.search.cells import among
from robustness.search.make import make_source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from robustness.study import Run, Study

LINES = 12
"""Cells to name, at most."""
SAME = 3
"""More cells than these that failed by the same reason have one line together."""
UNTRAINED = "not trained"


@dataclass(frozen=True)
class Missing:
    """What a study lacks.

    Attributes:
        total: runs of the study.
        count: those without a result.
        lines: which, a line a cell, with the reason where one is stored; no more than `LINES` and a last one.
    """

    total: int
    count: int
    lines: tuple[str, ...] = ()


def missing(study: Study, stored: pd.DataFrame) -> Missing:
    """Return which runs of `study` have no result among the `stored` ones."""
    sources = [make_source(part, stored) for part in study.parts]
    total, done = sum(each.total for each in sources), sum(each.done for each in sources)
    if total == done:
        return Missing(total, 0)
    have = set(finished(stored)["run_id"])
    failed = stored[stored["status"] == "failed"]
    reasons = dict(zip(failed["run_id"], failed["reason"].fillna(""), strict=True))
    grid = study.search.sampler == "grid"
    asked = study.grid() if grid else among(study, failed)
    lacking = [run for run in asked if run.run_id not in have and (grid or run.run_id in reasons)]
    lines = _lines(study, lacking, reasons)
    if unnamed := total - done - len(lacking):
        lines.append(f"{unnamed} runs of cells that the search has not chosen yet")
    return Missing(
        total, total - done, (*lines[:LINES], *([f"and {len(lines) - LINES} more cells"] if lines[LINES:] else ()))
    )


def _lines(study: Study, runs: Sequence[Run], reasons: dict[str, str]) -> list[str]:
    """Return a line a cell."""
    labels = {entry.optimizer: entry.label for entry in study.optimizers}
    cells: dict[str, list[Run]] = {}
    for run in runs:
        where = f"{run.workload.title}, " if len(study.workloads) > 1 else ""
        cell = f"{where}{labels[run.optimizer]}, lr {run.lr:g}, weight decay {run.weight_decay:g}"
        cells.setdefault(cell, []).append(run)
    by_reason: dict[str, list[str]] = {}
    for cell, members in cells.items():
        why = next((reasons[run.run_id] for run in members if reasons.get(run.run_id)), UNTRAINED)
        by_reason.setdefault(why, []).append(cell)
    return [line for why, some in by_reason.items() for line in _of_reason(why, some, cells)]


def _of_reason(why: str, some: Sequence[str], cells: Mapping[str, Sequence[Run]]) -> list[str]:
    """Return a line a cell, or one for all where many ended by one and the same reason."""
    if len(some) > SAME and why != UNTRAINED:
        return [f"{sum(len(cells[cell]) for cell in some)} runs of {len(some)} cells: {why}"]
    return [
        f"{cell}, seed{'s' if len(cells[cell]) > 1 else ''} {' '.join(str(run.seed) for run in cells[cell])}: {why}"
        for cell in some
    ]
