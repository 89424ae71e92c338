"""Which engine pays for a workload: by measurement, on this machine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import torch

from robustness.plan.calibration import CalibrationError, device_of, measured_pace, middle_runs, stack_size
from robustness.plan.gpu_sharing import sharing
from robustness.plan.plan_text import Engines, engine_lines
from robustness.training.stack_size import release
from robustness.worker.attempts import reason
from robustness.workloads import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from robustness.plan.planning import Plan
    from robustness.plan.stored_pace import StoredPace
    from robustness.study import Study
    from robustness.workloads.base import Engine

BUDGET_S = 10.0
"""What an engine's measurement may take, about."""


def engines(
    study: Study, plan: Plan, stored: pd.DataFrame, paces: Mapping[str, StoredPace], say: Callable[[str], None]
) -> list[str]:
    """Return for each workload that has runs left which engine pays, in words; train a little, store nothing.

    Args:
        study: what `plan` is of.
        plan: what is left.
        stored: the study's runs table.
        paces: what `calibrate` found, by a workload's name: that need not be measured again.
        say: is told what is being trained.

    Raises:
        robustness.workloads.DataError: the data are absent and cannot be fetched, or they are damaged.
        CalibrationError: the training by the study's own engine failed.
    """
    left = {share.workload for share in plan.shares if share.left}
    found = [_compared(part, stored, paces, say) for part in study.parts if part.workload.title in left]
    lines = [line for each in found for line in engine_lines(each)]
    if plan.total > plan.left and any(each.pays not in (None, each.engine) for each in found):
        lines.append("another engine makes other runs: those that are there already would not count")
    return lines


def _compared(
    study: Study, stored: pd.DataFrame, paces: Mapping[str, StoredPace], say: Callable[[str], None]
) -> Engines:
    own, device = study.workload, device_of(study)
    gpu = torch.cuda.get_device_name() if device == "cuda" else None
    made = Engines(own.title, own.engine, gpu=gpu, gpus=study.resources.gpus, why=unstackable(study))
    try:
        own.fetch()
        if not made.why:
            made = _both(made, study, stored, paces.get(own.title), say)
        if gpu and made.one_by_one:
            say(f"calibrating {own.title}: how much of the GPU a run takes")
            made = replace(made, processes=sharing(middle_runs(_by("single", study), 1)[0], device))
    except DataError:
        raise
    except Exception as error:
        raise CalibrationError(f"{own.title} cannot be trained here: {reason(error)}") from error
    return made


def _both(
    made: Engines, study: Study, stored: pd.DataFrame, pace: StoredPace | None, say: Callable[[str], None]
) -> Engines:
    """Return `made` with the seconds of a run by the study's engine, whose pace may be known, and by the other."""
    epochs = study.workload.epochs
    made = _with(made, made.engine, pace or _measured(study, stored, say), epochs)
    other: Engine = "stack" if made.engine == "single" else "single"
    try:
        return _with(made, other, _measured(_by(other, study), stored, say), epochs)
    except Exception as error:  # noqa: BLE001 - a network that vmap does not take may raise anything
        return replace(made, why=" ".join(reason(error).split())[:300])


def unstackable(study: Study) -> str | None:
    """Return why a study's only workload cannot be trained in stacks; None if nothing is known against it."""
    about = type(study.workload).model_fields["engine"]
    if "stack" not in get_args(about.annotation):
        # As the workload itself tells it: "`single`: an LSTM that keeps its state cannot be stacked."
        told = (about.description or "").removeprefix("`single`: ").removesuffix(".").removesuffix(" cannot be stacked")
        return told or "its engine is `single` alone"
    alone = [entry.label for entry in study.optimizers if not entry.optimizer.stackable]
    return f"no update rule with a run axis for {', '.join(alone)}" if alone else None


def _by(engine: Engine, study: Study) -> Study:
    """Return a study of one workload with that one trained by `engine`."""
    return study.model_copy(update={"workloads": (study.workload.model_copy(update={"engine": engine}),)})


def _measured(study: Study, stored: pd.DataFrame, say: Callable[[str], None]) -> StoredPace:
    device = device_of(study)
    release()
    return measured_pace(study, stack_size(study, stored, device), device, say, BUDGET_S)


def _with(made: Engines, engine: Engine, pace: StoredPace, epochs: int) -> Engines:
    seconds = pace.seconds * epochs
    return replace(made, single=seconds) if engine == "single" else replace(made, stack=seconds, size=pace.runs)
