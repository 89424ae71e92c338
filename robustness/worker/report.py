"""What a worker is told in one line, and what it answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from robustness.search.source import RunOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from robustness.study import Run, Study


@dataclass(frozen=True)
class Report:
    """How one stack went; `error` says what the whole sweep must end with, such as a full disk.

    `suspended` runs wait in a checkpoint for another sweep.
    """

    outcomes: tuple[RunOutcome, ...] = ()
    seconds: float = 0.0
    error: str | None = None
    skipped: bool = False
    suspended: int = 0

    def to_json(self) -> str:
        """Return the report as text, the form in which Ray Tune carries it."""
        return json.dumps(self, default=vars)

    @classmethod
    def from_json(cls, text: str) -> Report:
        """Read what `to_json` wrote."""
        values = json.loads(text)
        outcomes = tuple(RunOutcome(**outcome) for outcome in values.pop("outcomes"))
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


def outcome(row: dict[str, Any]) -> RunOutcome:
    """Return how the run of a row went; one that diverged counts with its baseline, for it has learnt nothing."""
    if row["status"] == "diverged":
        return RunOutcome(row["run_id"], row["status"], None, row.get("baseline"))
    return RunOutcome(row["run_id"], row["status"], row.get("validation_error"), row.get("test_error"))
