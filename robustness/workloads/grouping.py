"""Which factors the parameters of a run get: its optimizer's entry says so, or its workload's `parameter_groups`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robustness.parameters.groups import Factors, GroupError, assigned, given
from robustness.parameters.parameter_layout import layout_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torch import Tensor, nn

    from robustness.optimizers import Optimizer
    from robustness.parameters.parameter_layout import Layout
    from robustness.workloads import Workload


def factors_of(optimizer: Optimizer, workload: Workload, model: nn.Module, layout: Layout) -> list[Factors] | None:
    """Return what each piece gets; None where all parameters are alike.

    Raises:
        GroupError: the groups do not fit the network.
    """
    try:
        if optimizer.is_grouped:
            found = assigned(layout, optimizer.groups, optimizer.decay_on)
        elif (hooked := workload.parameter_groups(model)) is not None:
            found = given(layout, hooked, dict(model.named_parameters()))
        else:
            return None
    except GroupError as error:
        raise GroupError(f"{workload.title}: {optimizer.name}: {error}") from None
    return found if any(each.key != Factors().key for each in found) else None


def torch_parameters(
    optimizer: Optimizer, workload: Workload, model: nn.Module, lr: float, weight_decay: float
) -> Sequence[Tensor] | list[dict[str, Any]]:
    """Return what an optimizer of torch's kind is made of: the trainable parameters, or groups of them.

    Args:
        optimizer: whose options may have groups.
        workload: which may have some.
        model: the network.
        lr: the study's learning rate.
        weight_decay: the optimizer's own number.

    Raises:
        GroupError: the groups do not fit the network.
    """
    layout = layout_of(model)
    parameters = dict(model.named_parameters())
    found = factors_of(optimizer, workload, model, layout)
    if found is None:
        return [parameters[piece.name] for piece in layout]
    groups: dict[tuple[object, ...], dict[str, Any]] = {}
    for one, piece in zip(found, layout, strict=True):
        rates = {"lr": lr * one.lr, "weight_decay": weight_decay * one.weight_decay}
        group = groups.setdefault(one.key, {"params": [], **rates, **one.options})
        group["params"].append(parameters[piece.name])
    return list(groups.values())


def told(groups: Iterable[dict[str, Any]], base: Sequence[float], factor: float) -> None:
    """Give each group its own base rate times what the schedule says."""
    for group, lr in zip(groups, base, strict=True):
        group["lr"] = lr * factor
