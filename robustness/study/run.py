"""A run and its identity: a hash of everything that decides its outcome, and of nothing else."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import PurePath
from typing import TYPE_CHECKING

from robustness.optimizers import OPTIMIZERS, Optimizer
from robustness.options import left_out
from robustness.workloads import WORKLOADS, Workload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robustness.schedules import Schedule


@dataclass(frozen=True)
class Run:
    """One training: a workload, an optimizer, a learning rate, a weight decay and a seed.

    Attributes:
        workload: what is trained, with all of its options.
        optimizer: by what, with all of its options.
        lr: base learning rate, above 0, before the schedule.
        weight_decay: at least 0, on the study's common scale.
        seed: a whole number of at least 0: of splits, initial weights and data order.

    Raises:
        ValueError: for numbers no run can have.

    Example:
        >>> from robustness import Study
        >>> run = Study.load("digits").grid()[0]
        >>> run.run_id, run.lr, run.seed
        ('81e20ff3042bec2b', 0.0001, 0)
    """

    workload: Workload
    optimizer: Optimizer
    lr: float
    weight_decay: float
    seed: int

    def __post_init__(self) -> None:
        # 1 and 1.0, -0.0 and 0.0 are one number to an optimizer: they must be one run.
        object.__setattr__(self, "lr", float(self.lr))
        object.__setattr__(self, "weight_decay", float(self.weight_decay) + 0.0)
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise ValueError(f"lr must be a finite number greater than 0, got {self.lr}")
        if not (math.isfinite(self.weight_decay) and self.weight_decay >= 0):
            raise ValueError(f"weight_decay must be a finite number of at least 0, got {self.weight_decay}")
        if int(self.seed) != self.seed or self.seed < 0:
            raise ValueError(f"seed must be a whole number of at least 0, got {self.seed}")
        object.__setattr__(self, "seed", int(self.seed))

    @cached_property
    def run_id(self) -> str:
        """16 hex digits of a SHA-256 over the canonical JSON of everything that decides the outcome."""
        return _digest(f'"seed":{self.seed},', self)

    @cached_property
    def cell_id(self) -> str:
        """The same without the seed."""
        return _digest("", self)

    def factor(self, epoch: int) -> float:
        """Return what the base learning rate is multiplied by in `epoch`, counted from 0."""
        return schedule_of(self.optimizer, self.workload).factor(epoch, self.workload.epochs)

    @property
    def weight_decay_native(self) -> float:
        """What the optimizer is given: AdamW gets the common weight decay / 1e-3, `sgd-eq1` gets it times 0.1."""
        return self.optimizer.native_weight_decay(self.weight_decay)


def schedule_of(optimizer: Optimizer, workload: Workload) -> Schedule:
    """Return the schedule of the optimizer's own, if it has one; else the workload's."""
    return optimizer.schedule or workload.schedule


def first_factor(optimizer: Optimizer, workload: Workload) -> float:
    """Return what the base learning rate is multiplied by in the first epoch."""
    return schedule_of(optimizer, workload).factor(0, workload.epochs)


def identity(run: Run) -> dict[str, object]:
    """Return the identity columns of a run's row in the results."""
    workload, optimizer = run.workload, run.optimizer
    return {
        "run_id": run.run_id,
        "cell_id": run.cell_id,
        "workload": workload.name,
        "workload_options": stored_options(workload),
        "optimizer": optimizer.name,
        "optimizer_options": stored_options(optimizer),
        "convention": optimizer.convention,
        "lr": run.lr,
        "weight_decay": run.weight_decay,
        "weight_decay_native": run.weight_decay_native,
        "seed": run.seed,
        "engine": workload.engine,
    }


@lru_cache(maxsize=256)
def stored_options(model: Workload | Optimizer) -> str:
    """Return every option of a run's identity but the name as JSON, as the results' `..._options` columns hold them."""
    return model.model_dump_json(exclude=left_out(model) | {"name": True})


def _digest(seed: str, run: Run) -> str:
    # Written out, keys in order, because json.dumps over nested options is too slow for a large grid.
    workload = run.workload
    version = run.optimizer.version_under(workload.engine, first_factor(run.optimizer, workload))
    content = (
        f'{{"lr":{run.lr!r},"optimizer":{options_json(run.optimizer, version)},{seed}'
        f'"weight_decay":{run.weight_decay!r},"workload":{options_json(workload)}}}'
    )
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def options(model: Workload | Optimizer, version: int | None = None) -> dict[str, object]:
    """Return every option of a workload or optimizer as it enters a run's identity; `version`: its class's if None.

    Raises:
        ValueError: A class of one's own, or of another package, calls itself as a class of this project is called.
    """
    _check_name(model)
    # Validated again: a field's default need not have its type (0 for a float), and must not differ from 0.0.
    resolved = type(model).model_validate(model.model_dump(by_alias=True), by_alias=True)
    own = type(model).version if version is None else version
    return {"version": own, **_plain_mapping(resolved.model_dump(exclude=left_out(resolved)))}


@lru_cache(maxsize=256)
def options_json(model: Workload | Optimizer, version: int | None = None) -> str:
    """Return `options` as canonical JSON: sorted keys, no spaces, floats by `repr`."""
    return json.dumps(options(model, version), sort_keys=True, separators=(",", ":"), allow_nan=False)


def _check_name(model: Workload | Optimizer) -> None:
    """Refuse a class that its runs would be mistaken by: a name without a colon belongs to one class of ours."""
    known = WORKLOADS.own if isinstance(model, Workload) else OPTIMIZERS.own
    kind = known.get(model.name, type(model))
    if type(model) is not kind:
        found = f"{type(model).__module__}:{type(model).__qualname__}"
        raise ValueError(f"{found} is called '{model.name}', as {kind.__qualname__} is: give it another name")


def _plain_mapping(values: Mapping[str, object]) -> dict[str, object]:
    return {key: _plain(value) for key, value in values.items()}


def _plain(value: object) -> object:
    """Turn an option into JSON's types."""
    if isinstance(value, dict):
        return _plain_mapping(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((_plain(item) for item in value), key=json.dumps)
    if isinstance(value, PurePath):
        return value.as_posix()
    return value + 0.0 if isinstance(value, float) else value
