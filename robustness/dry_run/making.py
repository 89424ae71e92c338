"""Whether a study's optimizers can be made at all for its networks' own parameters: asked before anything is tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness.dry_run.finding import Refusal
from robustness.dry_run.plain import optimizer_of
from robustness.study import Run

if TYPE_CHECKING:
    from robustness.study import Study


def unmade(study: Study) -> list[str]:
    """Return what hinders an optimizer of one's own, or one with groups, on a network; each with its key.

    A network that cannot be made is left to the dry run, which says where it fails.
    """
    from robustness.randomness import initial_model

    found = []
    for workload in study.workloads:
        for index, entry in enumerate(study.optimizers):
            if ":" not in entry.optimizer.name and not entry.optimizer.is_grouped:
                continue
            middle = study.space_of(entry).middle()
            run = Run(workload, entry.optimizer, middle.lr.middle, middle.weight_decay.middle, study.seeds[0])
            try:
                model = initial_model(workload, run.seed)
            except Exception:  # noqa: BLE001 - whatever the code of another raises
                break
            if not callable(getattr(model, "named_parameters", None)):
                break
            try:
                optimizer_of(run, model)
            except Refusal as refusal:
                found.append(f"optimizers[{index}]: {refusal}")
    return found
