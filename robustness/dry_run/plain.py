"""The plain loop of torch: two steps and an evaluation, with nothing of the engines in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from robustness.dry_run.finding import Refusal, words_of
from robustness.dry_run.layers import Path
from robustness.optimizers.behavior.closures import way_of
from robustness.optimizers.behavior.stepping import step, to_evaluation, to_training
from robustness.parameters.groups import GroupError
from robustness.randomness import initial_model, masks
from robustness.study.run import schedule_of
from robustness.training.network import outputs_of, placed
from robustness.trees import described, examples, mapped
from robustness.workloads import Workload
from robustness.workloads.data import NO_TARGET
from robustness.workloads.grouping import told, torch_parameters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

    from robustness.study import Run
    from robustness.trees import Tree
    from robustness.workloads.data import Batch


@dataclass(frozen=True)
class Outcome:
    """What some steps and an evaluation come to.

    Attributes:
        numbers: losses and errors, by what they are of.
        parameters: after the steps, by name.
        buffers: after the evaluation, by name.
        measured: what an engine works out besides, by column.
    """

    numbers: dict[str, float]
    parameters: dict[str, Tensor]
    buffers: dict[str, Tensor]
    measured: dict[str, float] = field(default_factory=dict)


def plain_outcome(run: Run, batches: Sequence[Batch], dtype: torch.dtype) -> Outcome:
    """Take a step of `run` for each batch, as one writes it in torch, and evaluate on the last of them.

    Raises:
        Refusal: a step, the losses or the errors are not as the protocol of a workload has them.
    """
    workload = run.workload
    path, schedule = Path(), schedule_of(run.optimizer, run.workload)
    model = path.follow(placed(initial_model(workload, run.seed), "cpu", dtype))
    trainable = [p for p in model.parameters() if p.requires_grad]
    if not trainable:
        raise Refusal(f"{workload.title}: no parameter of the network asks for a gradient: there is nothing to train")
    optimizer = optimizer_of(run, model)
    base = [float(group["lr"]) for group in optimizer.param_groups]
    try:
        with masks(run.seed, "cpu"):
            for number, batch in enumerate(batches):
                told(optimizer.param_groups, base, schedule.factor(number, max(workload.epochs, len(batches))))
                model.train()
                to_training(optimizer)
                loss, error = _step(run, model, optimizer, batch, first=number == 0)
                to_evaluation(optimizer)
            model.eval()
            with torch.no_grad():
                inputs, targets = batches[-1]
                last = _sums(workload, outputs_of(model, inputs), targets)
    except Refusal:
        raise
    except Exception as failure:
        inputs, targets = batches[0]
        raise Refusal(
            f"{workload.title}: a step of a plain loop fails, in the {path}: {words_of(failure)}; the"
            f" inputs are {described(inputs)}, the targets {described(targets)}"
        ) from failure
    return Outcome(
        {"training loss": loss, "training error": error, "loss in evaluation": last[0], "error in evaluation": last[1]},
        {name: p.detach().clone() for name, p in model.named_parameters()},
        {name: buffer.clone() for name, buffer in model.named_buffers()},
    )


def optimizer_of(run: Run, model: nn.Module) -> torch.optim.Optimizer:
    """Return the optimizer of a run for its network's parameters, in groups where there are some.

    Raises:
        Refusal: its class does not take them; with its own words.
    """
    native = run.weight_decay_native
    try:
        parameters = torch_parameters(run.optimizer, run.workload, model, run.lr, native)
    except GroupError as error:
        raise Refusal(str(error)) from None
    how = "in these groups" if isinstance(parameters[0], dict) else "in one list"
    try:
        return run.optimizer.torch_optimizer(parameters, run.lr, native)
    except Exception as failure:
        raise Refusal(
            f"{run.optimizer.name}: does not take the parameters of {run.workload.title} {how}: {words_of(failure)}"
        ) from failure


def _step(
    run: Run, model: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch, *, first: bool
) -> tuple[float, float]:
    """Take a step; return loss and error where it begins, in an optimizer that asks for them twice the first ones."""
    workload, (inputs, targets) = run.workload, batch
    measured: list[tuple[float, float]] = []
    within: list[str] = []

    def gradients() -> Tensor:
        within[:] = ["network"]
        optimizer.zero_grad()
        outputs = outputs_of(model, inputs)
        if first and not measured:
            _one_logit(workload, outputs, targets)
        losses = workload.losses(outputs, targets)
        _check(workload, "losses", losses, outputs, targets)
        counted = _counted(losses, targets)
        if first and not measured and not bool(counted.isfinite().all()):
            raise Refusal(f"{workload.title}: losses() of the network as it is initialized are not finite")
        loss = counted.mean()
        if not loss.requires_grad:
            raise Refusal(f"{workload.title}: losses() depend on no parameter that asks for a gradient")
        loss.backward()
        if workload.clip is not None:
            torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.grad is not None], workload.clip)
        with torch.no_grad():
            error = _error(workload, mapped(lambda tensor: tensor.detach(), outputs), targets)
        measured.append((float(loss), error))
        within.clear()
        return loss

    try:
        step(optimizer, way_of(run.optimizer), gradients)
    except Exception as failure:
        if within:
            raise
        raise Refusal(
            f"{run.optimizer.name}: takes no step on the parameters of {workload.title}: {words_of(failure)}"
        ) from failure
    return measured[0]


def _sums(workload: Workload, outputs: Tree, targets: Tree) -> tuple[float, float]:
    losses = workload.losses(outputs, targets)
    _check(workload, "losses", losses, outputs, targets)
    return float(_counted(losses, targets).mean()), _error(workload, outputs, targets)


def _error(workload: Workload, outputs: Tree, targets: Tree) -> float:
    errors = workload.errors(outputs, targets)
    _check(workload, "errors", errors, outputs, targets)
    counted = _counted(errors, targets).double()
    if not bool(((counted >= 0) & (counted <= 1)).all()):
        low, high = float(counted.min()), float(counted.max())
        raise Refusal(f"{workload.title}: errors() are 0 to 1 for each target, but are {low:.4g} to {high:.4g}")
    return 100 * float(counted.mean())


def _counted(values: Tensor, targets: Tree) -> Tensor:
    if isinstance(targets, torch.Tensor) and not targets.is_floating_point() and targets.shape == values.shape:
        return values[targets != NO_TARGET]
    return values


def _one_logit(workload: Workload, outputs: Tree, targets: Tree) -> None:
    """Refuse what the cross-entropy of `Workload` would take for other than it is."""
    if type(workload).losses is not Workload.losses:
        return
    what = f"{workload.title}: the network's outputs are {described(outputs)} for targets {described(targets)}"
    if not isinstance(outputs, torch.Tensor) or not isinstance(targets, torch.Tensor):
        raise Refusal(f"{what}; write `losses` and `errors`, which take them as they are")
    if outputs.shape[:-1] != targets.shape or targets.is_floating_point():
        raise Refusal(
            f"{what}: the cross-entropy has targets of shape (N,), class indices, for outputs of shape (N, classes);"
            " else write `losses` and `errors`"
        )
    classes = getattr(workload, "classes", None)
    if outputs.shape[-1] == 1:
        raise Refusal(
            f"{what}: of one logit the cross-entropy is always 0; give the network two outputs, or write `losses` with"
            " binary_cross_entropy_with_logits and `errors`"
        )
    if classes is not None and outputs.shape[-1] < classes:
        raise Refusal(f"{what}: there are {classes} classes")


def _check(workload: Workload, name: str, values: Any, outputs: Tree, targets: Tree) -> None:
    wanted = tuple(targets.shape) if isinstance(targets, torch.Tensor) else (examples(targets),)
    if not isinstance(values, torch.Tensor):
        raise Refusal(f"{workload.title}: {name}() gave {type(values).__name__}, not a tensor")
    if tuple(values.shape) == wanted:
        return
    hint = ""
    if not values.dim() and name == "losses":
        hint = '; write the loss of each target (reduction="none"), not their mean'
    elif values.dim() == 2 and wanted[1:] in ((), (1,)) and values.shape[0] == values.shape[1]:
        hint = "; shapes (N, 1) and (N,) were broadcast: squeeze one of them"
    elif wanted[1:] == (1,):
        hint = "; give targets of shape (N,)"
    raise Refusal(
        f"{workload.title}: {name}() gave the shape {tuple(values.shape)}, and is to have the targets' shape, {wanted};"
        f" the outputs are {described(outputs)}{hint}"
    )
