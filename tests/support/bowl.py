"""Searches whose runs are made up: their error is a bowl over the learning rate and the weight decay."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from robustness.results import Store
from robustness.search.source import RunOutcome, Source
from robustness.study import Run, Study
from robustness.worker.attempts import lost_row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd


SAMPLERS = ["tpe", "gp", "cmaes", "qmc", "random"]


def sampled(sampler: str = "tpe", cells: int = 20, seeds: int = 2, lr: Any = None, decay: Any = None) -> Study:
    """Return a study of two optimizers."""
    return Study(
        name="s",
        workload={"name": "digits"},
        optimizers=["adams", "adam"],
        space={
            "lr": lr or {"low": 1e-4, "high": 1},
            "weight_decay": decay or {"low": 1e-5, "high": 0.1, "zero": True},
        },
        search={"sampler": sampler, "cells": cells},
        seeds=seeds,
    )


def error_of(run: Run) -> float:
    """A bowl with its bottom at lr 1e-2 and weight decay 1e-3."""
    decay = max(run.weight_decay, 1e-6)
    return 2 + 5 * (math.log10(run.lr) + 2) ** 2 + (math.log10(decay) + 3) ** 2


def outcome(run: Run, status: str = "completed", error: float | None = None) -> RunOutcome:
    """Return how a run went: with the error of the bowl, unless another is given."""
    error = error_of(run) if error is None else error
    return RunOutcome(run.run_id, status, None if status == "failed" else error, None if status == "failed" else error)


def row(run: Run, status: str = "completed", sampler: str = "tpe", error: float | None = None) -> dict[str, Any]:
    """Return what is stored of such a run."""
    values = lost_row(run, "", sampler) | {"status": status, "reason": None}
    error = error_of(run) if error is None else error
    return values if status == "failed" else values | {"validation_error": error, "test_error": error}


def stored(tmp_path: Path, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Store rows; return the runs as a sweep reads them."""
    store = Store(tmp_path)
    for values in rows:
        store.write(values["run_id"], [values], [])
    return store.runs()


def drive(source: Source, answer: Callable[[Run], RunOutcome] = outcome, steps: int = 10_000) -> list[Run]:
    """Train everything that a source hands out; return the runs."""
    runs: list[Run] = []
    for _ in range(steps):
        batch = source.next()
        if not batch:
            return runs
        runs += batch
        source.tell([answer(run) for run in batch])
    raise AssertionError("the source does not end")


def empty(tmp_path: Path) -> pd.DataFrame:
    """Return the runs of a store without any."""
    return Store(tmp_path / "nothing").runs()
