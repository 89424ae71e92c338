"""What a worker does with a stack: train it, store it, and say in one line how it went."""

from __future__ import annotations

from contextlib import suppress
from itertools import compress
from typing import TYPE_CHECKING, Any

from robustness.results import StorageError, Store, patiently
from robustness.worker.attempts import NO_MARKS, trained
from robustness.worker.report import Report, outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from robustness.results.files.place import Place
    from robustness.study import Run
    from robustness.training import History
    from robustness.worker.attempts import Marks, Result
    from robustness.worker.checkpointing import CheckpointKeeper


def taken_over(store: Store) -> str:
    """Return what a sweep ends with that has lost its claim: who has it."""
    claim = store.claimant() or {}
    who = f": process {claim['pid']} on {claim['host']}, since {claim['since']}" if "since" in claim else ""
    return f"another sweep of this study has started and goes on in place of this one{who}"


seen_parts: dict[tuple[Place, str], tuple[set[str], set[str]]] = {}
"""By results folder and sweep: the parts that this process has read, and the done runs in them."""


def work(
    runs: Sequence[Run],
    store: Store,
    *,
    sweep_id: str,
    device: str,
    sampler: str,
    retries: int,
    keeper: CheckpointKeeper | None = None,
    fit: bool = False,
    elsewhere: bool = False,
    marks: Marks = NO_MARKS,
) -> Report:
    """Train `runs` on `device`, as one model or one by one, and store them; one that cannot be is stored as failed.

    Nothing is stored when another sweep has claimed the study, nor a run that somebody else stored meanwhile.
    A store that is away is waited for. Any other storage error, or one that stays, becomes part of the report: the
    driver ends the sweep with it. `keeper` has the checkpoints of what takes long; with `fit` a GPU is
    given stacks of the size that it trains fastest; `marks` are what the study says of the runs.

    Raises:
        FileNotFoundError: what one's own code reads is not there, and this is another machine than the driver's
            (`elsewhere`): nothing is stored, for it says nothing of the runs.
    """
    # Importing it takes seconds, once a process, and is no part of any run; nor are the data and torch's first step.
    from robustness.training import warm_up

    if runs[0].workload.engine == "single":
        # What fails here fails in training too, which says so of the run.
        with suppress(Exception):
            warm_up(runs[0].workload)
    result = trained(runs, device, sampler, retries, keeper, fit=fit, elsewhere=elsewhere, marks=marks)
    try:
        report = patiently(lambda: _store(store, sweep_id, result))
    except StorageError as error:
        return Report(seconds=result.seconds, error=str(error))
    if keeper and not report.error:
        keeper.forget({outcome.run_id for outcome in report.outcomes})
    return report


def _store(store: Store, sweep_id: str, result: Result) -> Report:
    """Store what was trained, unless another sweep has claimed the study; what is stored already is left out."""
    if not store.claimed_by(sweep_id):
        return Report(seconds=result.seconds, error=taken_over(store))
    done = _stored(store, sweep_id)
    new = [row for row in result.rows if row["run_id"] not in done]
    if new:
        ids = [row["run_id"] for row in new]
        store.write(store.part_name(ids), new, _curves(result.histories, set(ids)))
    # Of all, not of the new ones alone: an earlier try may have got as far as their rows.
    store.remove_failed(row["run_id"] for row in result.rows)
    for row in result.failed:
        if row["run_id"] not in done:
            store.write_failed(row)
    outcomes = tuple(outcome(row) for row in result.rows + result.failed)
    return Report(outcomes=outcomes, seconds=result.seconds, suspended=result.suspended)


def _stored(store: Store, sweep_id: str) -> set[str]:
    """Return the runs that are done; a worker reads each part once, however many stacks it trains."""
    parts, done = seen_parts.setdefault((store.root, sweep_id), (set(), set()))
    done |= store.done_since(parts)
    return done


def _curves(histories: Sequence[History], ids: set[str]) -> dict[str, list[Any]]:
    """Return the curves of the runs `ids`, as columns."""
    tables = [history.curves() for history in histories]
    keep = [[run_id in ids for run_id in table["run_id"]] for table in tables]
    return {
        name: [value for table, kept in zip(tables, keep, strict=True) for value in compress(table[name], kept)]
        for name in tables[0]
    }
