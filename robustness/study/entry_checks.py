"""Whether an optimizer's entry fits the rest of its study: the search, the workloads, and what it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness.study.own_classes import takes_lr, takes_weight_decay
from robustness.study.space import Grid, Sampled, SearchSpace, beyond_single, too_few_cells, without_points
from robustness.validation.problems import placed, refusal
from robustness.workloads.base import Workload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import InitErrorDetails

    from robustness.study.optimizer_entry import OptimizerEntry


def wrong_entry(
    entry: OptimizerEntry, index: int, *, space: SearchSpace, search: Grid | Sampled, workloads: Sequence[Workload]
) -> list[InitErrorDetails]:
    """Return what is wrong with an optimizer's entry beside the rest of its study, from the study's root.

    Args:
        entry: the entry.
        index: its place among the optimizers.
        space: its learning rates and weight decays, the study's or its own.
        search: the study's.
        workloads: the study's.
    """
    wrong = _own_space(entry, index, space, search)
    schedule, epochs = entry.optimizer.schedule, min(each.epochs for each in workloads)
    if schedule is not None and epochs <= schedule.warmup:
        message = f"warmup must be less than epochs, got {schedule.warmup} of {epochs}"
        wrong.append(refusal(message, "optimizers", index, "schedule"))
    hooked = [type(each).parameter_groups is not Workload.parameter_groups for each in workloads]
    if not takes_lr(entry.optimizer) and not (entry.optimizer.groups or all(hooked)):
        message = "takes no `lr`, which a study sets; where it wants groups of parameters, give the entry `groups`"
        wrong.append(refusal(f"{message}, or the workload `parameter_groups`", "optimizers", index))
    elif space.weight_decay.is_positive and not takes_weight_decay(entry.optimizer) and takes_lr(entry.optimizer):
        message = "takes no weight decay: give it `space: {weight_decay: [0]}`"
        wrong.append(refusal(message, "optimizers", index))
    stacked = any(workload.engine == "stack" for workload in workloads)
    if (
        entry.optimizer.stackable
        and stacked
        and not entry.optimizer.takes_groups
        and (entry.optimizer.is_grouped or any(hooked))
    ):
        message = "its update rule knows no groups of parameters: give the workload `engine: single`"
        wrong.append(refusal(message, "optimizers", index))
    if not entry.optimizer.stackable and any(workload.engine == "stack" for workload in workloads):
        message = "has no update rule with a run axis: give the workload `engine: single`"
        wrong.append(refusal(message, "optimizers", index))
    return wrong


def _own_space(entry: OptimizerEntry, index: int, space: SearchSpace, search: Grid | Sampled) -> list[InitErrorDetails]:
    wrong = []
    if entry.space is not None:
        found = without_points(space) if isinstance(search, Grid) else too_few_cells(space, search)
        wrong += [placed(each, "optimizers", index, "space") for each in found]
    own_axes = dict(entry.space or ())
    for axis, found_beyond in beyond_single(space, entry.optimizer, entry.label).items():
        place = ("optimizers", index, "space") if own_axes.get(axis) else ("space",)
        wrong.append(placed(found_beyond, *place))
    return wrong
