"""What comes of a trial's runs: trained, tried again in halves where they fail, and told as rows of the results."""

from __future__ import annotations

import socket
import time
import traceback
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from robustness.provenance import code_version
from robustness.study.run import identity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from robustness.optimizers import Optimizer
    from robustness.study import Run, Study
    from robustness.training import History
    from robustness.worker.checkpointing import CheckpointKeeper


@dataclass(frozen=True, kw_only=True)
class Marks:
    """What a study says of its runs that is no part of their identity, and their rows keep.

    Attributes:
        labels: What it calls each optimizer.
        code: Digest of its own modules; None without any.
    """

    labels: Mapping[Optimizer, str] = field(default_factory=dict)
    code: str | None = None

    @classmethod
    def of(cls, study: Study, code: str | None = None) -> Marks:
        """Return what a study says of its runs; `code` is the digest of its own modules."""
        return cls(labels={entry.optimizer: entry.label for entry in study.optimizers}, code=code)

    def row(self, run: Run) -> dict[str, Any]:
        """Return the columns of a run's row."""
        # What is called by an import string is none of this project: the digest says nothing of the others.
        own = ":" in run.workload.name or ":" in run.optimizer.name
        return {"label": self.labels.get(run.optimizer), "code": self.code if own else None}


NO_MARKS = Marks()


@dataclass
class Result:
    """What came of a trial's runs: rows of those that ended and of those that failed; `seconds` is the time of all."""

    runs: int
    histories: list[History] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def suspended(self) -> int:
        """Runs that wait in a checkpoint, or for their turn in another sweep."""
        return self.runs - len(self.rows) - len(self.failed)


def trained(
    runs: Sequence[Run],
    device: str,
    sampler: str,
    retries: int,
    keeper: CheckpointKeeper | None,
    *,
    fit: bool,
    elsewhere: bool = False,
    marks: Marks = NO_MARKS,
) -> Result:
    """Train `runs`: as one model, or one by one where their workload's engine is `single`, each with its own time.

    With `fit` a stack is cut into such as a GPU trains fastest. What fails is in the result, and no error. `marks` are
    what the study says of them.

    Raises:
        FileNotFoundError: a file is not there that one's own code reads, and `elsewhere` it may be.
    """
    from robustness.training.stack_size import pieces

    result = Result(len(runs))
    alone = runs[0].workload.engine != "stack"
    for model in [[run] for run in runs] if alone else pieces(runs, device) if fit else [runs]:
        started = time.perf_counter()
        tried = _train(model, device, retries, keeper, elsewhere)
        seconds = time.perf_counter() - started + (keeper.seconds if keeper else 0.0)
        provenance = _provenance(sampler, len(model), seconds / len(model)) | _device(device)
        provenance["arithmetic"] = "compiled" if runs[0].workload.compiled else "eager"
        for each in tried.successes:
            own = {"stack_size": each.runs, "duration_s": each.seconds / each.runs}
            result.histories += each.histories
            for history in each.histories:
                rows = history.rows(provenance | own)
                result.rows += [row | marks.row(run) for run, row in zip(history.runs, rows, strict=True)]
        result.failed += [failed_row(run, why, provenance) | marks.row(run) for run, why in tried.failures]
        result.seconds += seconds
        if tried.suspended:
            break
    return result


@dataclass(frozen=True)
class Success:
    """A try that came to its end.

    Attributes:
        histories: What came of it.
        runs: Runs that were trained together.
        seconds: What it took, with what it had taken before it was suspended; tries that failed are not in it.
    """

    histories: list[History]
    runs: int
    seconds: float


@dataclass(frozen=True)
class Tries:
    """The tries that came to their end, the runs that failed and why, and whether the rest was suspended."""

    successes: list[Success] = field(default_factory=list)
    failures: list[tuple[Run, str]] = field(default_factory=list)
    suspended: bool = False

    def __add__(self, later: Tries) -> Tries:
        """Return these and the `later` ones."""
        return Tries(self.successes + later.successes, self.failures + later.failures, later.suspended)


def _train(
    runs: Sequence[Run],
    device: str,
    retries: int,
    keeper: CheckpointKeeper | None = None,
    elsewhere: bool = False,
) -> Tries:
    """Train as one stack; what fails is tried again in halves, so that one bad run costs only itself."""
    from robustness.training import InputsError, NetworkError, ShapeError, Suspended, train
    from robustness.training.stack_size import release

    started = time.perf_counter()
    try:
        histories = train(runs, device=device, keeper=keeper)
        seconds = time.perf_counter() - started + (keeper.seconds if keeper else 0.0)
        return Tries([Success(histories, len(runs), seconds)])
    except Suspended:
        return Tries(suspended=True)
    except (InputsError, NetworkError, ShapeError, FileNotFoundError) as error:  # the same for each, and every time
        absent = isinstance(error, FileNotFoundError)
        if absent and elsewhere:
            raise
        return Tries(failures=[(run, reason(error) if absent else str(error)) for run in runs])
    except Exception as error:  # noqa: BLE001 - a user's network may raise anything, and the sweep goes on
        why = reason(error)
    # Here the exception is gone, whose frames held the stack; what refers to itself and the GPU's cache are not yet.
    release()
    if len(runs) > 1:
        middle = len(runs) // 2
        first = _train(runs[:middle], device, retries, keeper, elsewhere)
        return first if first.suspended else first + _train(runs[middle:], device, retries, keeper, elsewhere)
    if retries > 0:
        return _train(runs, device, retries - 1, keeper, elsewhere)
    return Tries(failures=[(runs[0], why)])


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
        "origin": "sweep",
    }


def _device(device: str) -> dict[str, str]:
    import torch

    name = torch.cuda.get_device_name() if device == "cuda" else device
    return {"device": name, "torch_version": str(torch.__version__)}


def failed_row(run: Run, reason: str, provenance: dict[str, Any]) -> dict[str, Any]:
    """Return the row of a run that could not be trained: no result, and why."""
    return {
        **identity(run),
        **provenance,
        "status": "failed",
        "reason": reason,
        "metric": "error",
        "epochs": 0,
        "steps": 0,
        "parameters": 0,
    }


def lost_row(run: Run, reason: str, sampler: str) -> dict[str, Any]:
    """Return the row of a run whose worker died each time; only the driver is left to write it."""
    provenance = _provenance(sampler, 1, 0.0) | {"device": "unknown", "torch_version": version("torch")}
    return failed_row(run, reason, provenance)
