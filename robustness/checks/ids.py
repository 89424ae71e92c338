"""Whether the ids of runs are those of their options: what is ours is worked out, the rest is as resolved.json says."""

from __future__ import annotations

import hashlib
import json
from itertools import product
from typing import TYPE_CHECKING

from pydantic import ValidationError

from robustness.checks.fault import RUN_AGAIN, Fault
from robustness.optimizers import OPTIMIZERS
from robustness.search.stored_cells import KINDS, best_fit
from robustness.study.run import first_factor, options_json
from robustness.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from robustness.study.resolved import Resolved

Identities = list[tuple[str, str]]
"""Of an optimizer and of a workload, canonical JSON: those of today first, then those of earlier versions."""


class Ids:
    """Works out ids.

    Attributes:
        unknown: How many rows are of classes that are neither ours nor in resolved.json.
    """

    def __init__(self, resolved: Resolved | None) -> None:
        self._resolved = resolved
        self._kinds: dict[tuple[str, ...], Identities | str] = {}
        self.unknown = 0

    def faults(self, file: str, runs: pa.Table) -> Iterator[Fault]:
        """Yield the rows of a part whose ids are not those of their options."""
        names = [*KINDS, "run_id", "cell_id", "lr", "weight_decay", "seed"]
        for row in zip(*(runs.column(name).to_pylist() for name in names), strict=True):
            kind, (run, cell, lr, decay, seed) = row[:4], row[4:]
            if kind not in self._kinds:
                self._kinds[kind] = self._identities(*kind)
            found = self._kinds[kind]
            if isinstance(found, str):
                yield Fault(file=file, run=run, what=found, advice=RUN_AGAIN)
            elif not found:
                self.unknown += 1
            elif not any((_hash(*pair, lr, decay, seed), _hash(*pair, lr, decay)) == (run, cell) for pair in found):
                expected = _hash(*found[0], lr, decay, seed)
                what = f"its options, lr {lr:g}, weight decay {decay:g} and seed {seed} are those of run {expected}"
                yield Fault(file=file, run=run, what=what, advice=RUN_AGAIN)

    def _identities(self, workload: str, its: str, optimizer: str, own: str) -> Identities | str:
        """Return what ids of these are made of, nothing where that is unknown, or what is wrong with the options."""
        try:
            if workload in WORKLOADS.own and optimizer in OPTIMIZERS.own:
                return _ours(workload, its, optimizer, own)
            return self._stored(workload, its, optimizer, own)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            return f"its options are none: {'.'.join(str(each) for each in first['loc'])}: {first['msg']}"
        except (ValueError, TypeError, AttributeError) as error:
            return f"its options are none: {error}"

    def _stored(self, workload: str, its: str, optimizer: str, own: str) -> Identities:
        if self._resolved is None:
            return []
        on, by = best_fit(self._resolved.workloads, workload, its), best_fit(self._resolved.optimizers, optimizer, own)
        if on is None or by is None or on.identity is None or on.title not in by.identities:
            return []
        return [(by.identities[on.title], on.identity)]


def _ours(workload: str, its: str, optimizer: str, own: str) -> Identities:
    on = WORKLOADS.own[workload].model_validate({**json.loads(its), "name": workload})
    by = OPTIMIZERS.own[optimizer].model_validate({**json.loads(own), "name": optimizer})
    version = by.version_under(on.engine, first_factor(by, on))
    optimizers = [options_json(by, number) for number in _down_from(max(version, type(by).version), version)]
    workloads = [options_json(on, number) for number in _down_from(type(on).version, type(on).version)]
    return list(product(optimizers, workloads))


def _down_from(most: int, first: int) -> Sequence[int]:
    """Return the versions up to `most`, `first` before all others."""
    return [first, *(number for number in range(most, 0, -1) if number != first)]


def _hash(optimizer: str, workload: str, lr: float, weight_decay: float, seed: int | None = None) -> str:
    """Return the id of a run, or of its cell, as `robustness.study.Run` has it."""
    of_run = "" if seed is None else f'"seed":{seed},'
    content = (
        f'{{"lr":{lr!r},"optimizer":{optimizer},{of_run}"weight_decay":{weight_decay + 0.0!r},"workload":{workload}}}'
    )
    return hashlib.sha256(content.encode()).hexdigest()[:16]
