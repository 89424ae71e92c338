"""From a study to plain data, and from what is stored of one: nothing that a stored file names is imported."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any, Literal

from robustness.optimizers import OPTIMIZERS
from robustness.optimizers.imported import TorchOptimizer
from robustness.study.resolved import (
    Resolved,
    ResolvedAxis,
    ResolvedError,
    ResolvedOptimizer,
    ResolvedWorkload,
    one_line,
)
from robustness.study.run import first_factor, options_json, stored_options
from robustness.study.study import Study
from robustness.study.unimported import (
    UNKNOWN,
    UnimportedOptimizer,
    UnimportedWorkload,
    given,
    unimported_name,
    without_imports,
)

if TYPE_CHECKING:
    from robustness.optimizers import Optimizer
    from robustness.study.axis import Axis
    from robustness.workloads import Workload


def resolve(study: Study, **more: Any) -> Resolved:
    """Return the plain data of a study; `more` are further attributes of `Resolved`.

    Of a class that was not imported it has what the study file says.

    Example:
        >>> from robustness import Study
        >>> from robustness.study.resolution import resolve
        >>> [each.label for each in resolve(Study.load("cifar10")).optimizers]
        ['AdamS', 'AdamW', 'Adam']
    """
    return Resolved(
        name=study.name,
        description=study.description,
        workloads=tuple(_workload(each) for each in study.workloads),
        optimizers=tuple(_optimizer(study, index) for index in range(len(study.optimizers))),
        sampler=study.search.sampler,
        cells=getattr(study.search, "cells", None),
        reference=study.reference,
        seeds=study.seeds,
        claims_as_written=tuple(each.model_dump(mode="json", exclude_defaults=True) for each in study.claims),
        **more,
    )


def stored_study(text: str, resolved: str | None, file: str = "study.yaml") -> Resolved:
    """Return a stored study: as it was resolved when it was stored, else as its file says without any import.

    Args:
        text: The stored study file.
        resolved: The stored `resolved.json`; None where an older version stored the study.
        file: What messages call the study file.

    Raises:
        StudyError: Neither can be read; it says what is wrong with the study file.
    """
    if resolved is not None:
        try:
            found = Resolved.read(resolved)
        except ResolvedError:  # the study file says most of it
            pass
        else:
            if found.digest in (None, digest(text)):
                return found
    with without_imports(stored=True):
        return resolve(Study.parse(text, file))


def digest(text: str) -> str:
    """Return the SHA-256 of a study file."""
    return hashlib.sha256(text.encode()).hexdigest()


def _workload(workload: Workload) -> ResolvedWorkload:
    if isinstance(workload, UnimportedWorkload):
        name = unimported_name(workload)
        epochs = workload.epochs if "epochs" in workload.model_fields_set else None
        title = (workload.label or name).removeprefix(f"{UNKNOWN}:")
        return ResolvedWorkload(name=name, title=title, given=given(workload), epochs=epochs)
    return ResolvedWorkload(
        name=workload.name,
        title=workload.title,
        options=stored_options(workload),
        identity=options_json(workload),
        chance_error=_chance(workload),
        has_validation=bool(workload.has_validation),
        epochs=workload.epochs,
        engine=workload.engine,
    )


def _chance(workload: Workload) -> float | None:
    try:
        value = float(workload.chance_error)
    except Exception:  # noqa: BLE001 - a property of a user's class may raise anything, and training may never ask
        return None
    return value if math.isfinite(value) else None


def _optimizer(study: Study, index: int) -> ResolvedOptimizer:
    entry = study.optimizers[index]
    space, optimizer = study.space_of(entry), entry.optimizer
    common: dict[str, Any] = {
        "label": entry.label,
        "convention": optimizer.convention,
        "lr": _axis(space.lr),
        "weight_decay": _axis(space.weight_decay),
        "own_space": entry.space is not None,
    }
    if isinstance(optimizer, UnimportedOptimizer):
        return ResolvedOptimizer(name=unimported_name(optimizer), given=given(optimizer), **common)
    known = [each for each in study.workloads if not isinstance(each, UnimportedWorkload)]
    return ResolvedOptimizer(
        kind=_kind(optimizer),
        name=optimizer.name,
        options=stored_options(optimizer),
        identities={one_line(each.title): _identity(optimizer, each) for each in known},
        **common,
    )


def _identity(optimizer: Optimizer, workload: Workload) -> str:
    version = optimizer.version_under(workload.engine, first_factor(optimizer, workload))
    return options_json(optimizer, version)


def _kind(optimizer: Optimizer) -> Literal["known", "own", "torch"]:
    if isinstance(optimizer, TorchOptimizer):
        return "torch"
    return "known" if optimizer.name in OPTIMIZERS.own else "own"


def _axis(axis: Axis) -> ResolvedAxis:
    """Return the values of an axis, or its ends where only a sampler can draw from it."""
    if axis.listed is None and axis.points is None:
        return ResolvedAxis(low=axis.low, high=axis.high)
    return ResolvedAxis(values=axis.values)
