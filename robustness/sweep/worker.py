"""What a worker does with a stack: train it, store it, and say in one line how it went."""

from __future__ import annotations

import json
import socket
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import compress
from typing import TYPE_CHECKING, Any

from robustness.provenance import code_version
from robustness.results import StorageError, Store, patiently
from robustness.search import Outcome
from robustness.study.run import identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from robustness.study import Run, Study
    from robustness.training import History


@dataclass(frozen=True)
class Report:
    """How one stack went; `error` says what the whole sweep must end with, such as a full disk."""

    outcomes: tuple[Outcome, ...] = ()
    seconds: float = 0.0
    error: str | None = None
    skipped: bool = False

    def to_json(self) -> str:
        """Return the report as text, the form in which Ray Tune carries it."""
        return json.dumps(self, default=vars)

    @classmethod
    def from_json(cls, text: str) -> Report:
        """Read what `to_json` wrote."""
        values = json.loads(text)
        outcomes = tuple(Outcome(**outcome) for outcome in values.pop("outcomes"))
        return cls(outcomes=outcomes, **values)


def encode(study: Study, runs: Sequence[Run]) -> str:
    """Return runs as short text: indices into the study's workloads and optimizers beside the numbers."""
    workloads = {workload: place for place, workload in enumerate(study.workloads)}
    optimizers = {entry.optimizer: place for place, entry in enumerate(study.optimizers)}
    return json.dumps(
        [[workloads[run.workload], optimizers[run.optimizer], run.lr, run.weight_decay, run.seed] for run in runs]
    )


def decode(study: Study, text: str) -> list[Run]:
    """Read what `encode` wrote for the same study."""
    return [
        study.run(study.optimizers[optimizer], lr, weight_decay, seed, study.workloads[workload])
        for workload, optimizer, lr, weight_decay, seed in json.loads(text)
    ]


def taken_over(store: Store) -> str:
    """Return what a sweep ends with that has lost its claim: who has it."""
    claim = store.claimant() or {}
    who = f": process {claim['pid']} on {claim['host']}, since {claim['since']}" if "since" in claim else ""
    return f"another sweep of this study has started and goes on in place of this one{who}"


_seen: dict[tuple[str, str], tuple[set[str], set[str]]] = {}
"""By results folder and sweep: the parts that this process has read, and the done runs in them."""


def work(runs: Sequence[Run], store: Store, *, sweep_id: str, device: str, sampler: str, retries: int) -> Report:
    """Train `runs` on `device`, as one model or one by one, and store them; one that cannot be is stored as failed.

    Nothing is stored when another sweep has claimed the study, nor a run that somebody else stored meanwhile.
    A store that is away is waited for. Any other storage error, or one that stays, becomes part of the report: the
    driver ends the sweep with it.
    """
    # Importing it takes seconds, once a process, and is no part of any run; nor are the data and torch's first step.
    from robustness.training import warm_up

    if runs[0].workload.engine == "single":
        # What fails here fails in training too, which says so of the run.
        with suppress(Exception):
            warm_up(runs[0].workload)
    result = _result(runs, device, sampler, retries)
    try:
        return patiently(lambda: _store(store, sweep_id, result))
    except StorageError as error:
        return Report(seconds=result.seconds, error=str(error))


@dataclass
class _Result:
    """What came of a trial's runs: rows of those that ended and of those that failed; `seconds` is the time of all."""

    histories: list[History] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0


def _result(runs: Sequence[Run], device: str, sampler: str, retries: int) -> _Result:
    """Train `runs`: as one model, or one by one where their workload's engine is `single`, each with its own time."""
    result = _Result()
    for model in [[run] for run in runs] if runs[0].workload.engine == "single" else [runs]:
        started = time.perf_counter()
        histories, failures = _train(model, device, retries)
        seconds = time.perf_counter() - started
        provenance = _provenance(sampler, len(model), seconds / len(model)) | _device(device)
        result.histories += histories
        result.rows += [row for history in histories for row in history.rows(provenance)]
        result.failed += [failed_row(run, why, provenance) for run, why in failures]
        result.seconds += seconds
    return result


def _store(store: Store, sweep_id: str, result: _Result) -> Report:
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
    outcomes = tuple(_outcome(row) for row in result.rows + result.failed)
    return Report(outcomes=outcomes, seconds=result.seconds)


def failed_row(run: Run, reason: str, provenance: dict[str, Any]) -> dict[str, Any]:
    """Return the row of a run that could not be trained: no result, and why."""
    return {
        **identity(run),
        **provenance,
        "status": "failed",
        "reason": reason,
        "epochs": 0,
        "steps": 0,
        "parameters": 0,
    }


def lost_row(run: Run, reason: str, sampler: str) -> dict[str, Any]:
    """Return the row of a run whose worker died each time; only the driver is left to write it."""
    provenance = _provenance(sampler, 1, 0.0) | {"device": "unknown", "torch_version": version("torch")}
    return failed_row(run, reason, provenance)


def _train(runs: Sequence[Run], device: str, retries: int) -> tuple[list[History], list[tuple[Run, str]]]:
    """Train as one stack; what fails is tried again in halves, so that one bad run costs only itself."""
    from robustness.training import train
    from robustness.training.fitting import release

    try:
        return train(runs, device=device), []
    except Exception as error:  # noqa: BLE001 - a user's network may raise anything, and the sweep goes on
        why = reason(error)
    # Here the exception is gone, whose frames held the stack; what refers to itself and the GPU's cache are not yet.
    release()
    if len(runs) > 1:
        middle = len(runs) // 2
        halves = [_train(half, device, retries) for half in (runs[:middle], runs[middle:])]
        return halves[0][0] + halves[1][0], halves[0][1] + halves[1][1]
    if retries > 0:
        return _train(runs, device, retries - 1)
    return [], [(runs[0], why)]


def reason(error: Exception) -> str:
    """Return an exception as one line: what, and where it was raised."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({frame.filename}:{frame.lineno})"[:2000]


def _provenance(sampler: str, stack_size: int, duration_s: float) -> dict[str, Any]:
    return {
        "sampler": sampler,
        "stack_size": stack_size,
        "duration_s": duration_s,
        "host": socket.gethostname(),
        "finished_at": datetime.now(UTC),
        "code_version": code_version(),
    }


def _device(device: str) -> dict[str, str]:
    import torch

    name = torch.cuda.get_device_name() if device == "cuda" else device
    return {"device": name, "torch_version": str(torch.__version__)}


def _stored(store: Store, sweep_id: str) -> set[str]:
    """Return the runs that are done; a worker reads each part once, however many stacks it trains."""
    parts, done = _seen.setdefault((store.root, sweep_id), (set(), set()))
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


def _outcome(row: dict[str, Any]) -> Outcome:
    return Outcome(row["run_id"], row["status"], row.get("validation_error"), row.get("test_error"))
