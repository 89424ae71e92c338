"""What a stored study file may cost the pages: it may have been made to take long."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from analysis.contents.which_runs import stored_study
from analysis.formats import count
from robustness.study.file import MOST

if TYPE_CHECKING:
    from robustness.study import Study
    from robustness.study.resolved import Resolved

MOST_RUNS = 200_000
"""Listing the runs of a larger study takes seconds, and memory."""

MOST_OPTIMIZERS = 200
MOST_LINES = 3
"""Problems of a study file that a page names."""


def read_stored(text: str | None, resolved: str | None, name: str) -> tuple[Resolved | None, str | None]:
    """Return the stored study and None, or None and why the pages do without it; the same text is read once."""
    if len(text or "") > MOST or len(resolved or "") > MOST:
        return _read.__wrapped__(text, resolved, name)
    return _read(text, resolved, name)


@lru_cache(maxsize=64)
def _read(text: str | None, resolved: str | None, name: str) -> tuple[Resolved | None, str | None]:
    study, problem = stored_study(text, resolved, name)
    if study is None:
        first, *more = (problem or "").splitlines()
        rest = len(more) + 1 - MOST_LINES
        lines = [first, *more[: MOST_LINES - 1], *([f"and {rest} more problems"] if rest > 0 else [])]
        return None, "\n".join(line[:500] for line in lines)
    size, optimizers = study.total, len(study.optimizers)
    if size > MOST_RUNS:
        return (
            None,
            f"study.yaml asks for {count(size)} runs, of which no page keeps account: {count(MOST_RUNS)} at most",
        )
    if optimizers > MOST_OPTIMIZERS:
        return None, f"study.yaml has {optimizers} optimizers, for which no page has room: {MOST_OPTIMIZERS} at most"
    return study, None


def runs(study: Study) -> int:
    """Return how many runs a study has, without making them."""
    from robustness.study import Grid

    if not isinstance(study.search, Grid):
        cells = study.search.cells * len(study.optimizers)
    else:
        spaces = [study.space_of(entry) for entry in study.optimizers]
        cells = sum(len(space.lr.values) * len(space.weight_decay.values) for space in spaces)
    return cells * len(study.seeds) * len(study.workloads)
