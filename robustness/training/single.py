"""One run, any model and any `torch.optim` optimizer: the plain loop, and what the stack is tested against."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.utils import get_total_norm

from robustness.optimizers.behavior.closures import way_of
from robustness.optimizers.behavior.stepping import step, to_evaluation, to_training
from robustness.randomness import initial_model, masks
from robustness.training.checkpoint import Course
from robustness.training.forward import Forward
from robustness.training.history import History
from robustness.training.inputs import Look, checked_feed
from robustness.training.network import Evaluated, placed
from robustness.training.objective import Objective
from robustness.training.optimizer_state import resume, state_of
from robustness.training.sharpness import begin, due, examples, sharpness
from robustness.trees import Tree, mapped
from robustness.workloads.grouping import told, torch_parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from torch import Tensor, nn

    from robustness.optimizers.behavior.stepping import Way
    from robustness.study import Run
    from robustness.training.checkpoint import Keeper
    from robustness.training.rows import State
    from robustness.workloads import Workload
    from robustness.workloads.data import Batch


@cache
def warm_up(workload: Workload) -> None:
    """Load the data and step torch.optim once: a process's first time costs seconds, which no run is to bear."""
    workload.feed(0, "cpu", torch.float32)
    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.Adam([weight])
    weight.sum().backward()
    optimizer.step()


def train_single(
    run: Run, *, device: str = "cpu", dtype: torch.dtype = torch.float32, keeper: Keeper | None = None
) -> History:
    """Train one run and return its history; `keeper` has its checkpoints.

    Raises:
        Suspended: it was asked to stop, and goes on another time.
    """
    workload = run.workload
    feed = checked_feed(workload, run.seed, device, dtype)
    look = Look(workload, feed, run.seed)
    model = placed(initial_model(workload, run.seed), device, dtype)
    forward, objective = Forward(workload, model), Objective(workload, feed.gaps)
    parameters = [p for p in model.parameters() if p.requires_grad]
    native = run.weight_decay_native
    given = torch_parameters(run.optimizer, workload, model, run.lr, native)
    optimizer = run.optimizer.torch_optimizer(given, lr=run.lr, weight_decay=native)
    base = [float(group["lr"]) for group in optimizer.param_groups]
    way = way_of(run.optimizer)
    history = History([run], parameters=sum(p.numel() for p in parameters), steps_per_epoch=feed.steps)
    course = Course(keeper, _Engine(model, optimizer), history, feed, device)
    with masks(run.seed, device):
        for epoch in range(course.begin(), workload.epochs):
            factor = run.factor(epoch)
            told(optimizer.param_groups, base, factor)
            start = [p.detach().clone() for p in parameters]
            trained = train_epoch(objective, model, optimizer, look.at("train", feed.train()), forward, way=way)
            metrics = {
                "lr": torch.tensor(run.lr * factor),
                **trained,
                "weight_norm": _norm(parameters),
                "update_norm": _norm(p - q for p, q in zip(parameters, start, strict=True)),
                **_schedule(optimizer, run),
            }
            for split in feed.splits:
                metrics |= evaluate(objective, model, split, look.at(split, feed.evaluate(split)), forward)
            if not history.record(epoch, np.array([0]), {name: each.reshape(1) for name, each in metrics.items()})[0]:
                break
            if due(workload, epoch):
                found = sharpness(objective, Evaluated(model), parameters, examples(workload, feed), run.seed)
                history.record_sharpness(epoch, 0, found)
            course.ended(epoch)
    return history


@dataclass(frozen=True)
class _Engine:
    """What a checkpoint has of a model and its optimizer."""

    model: nn.Module
    optimizer: torch.optim.Optimizer

    def state(self) -> State:
        return {"model": self.model.state_dict(), **state_of(self.optimizer)}

    def objection(self, state: State) -> str | None:
        lacking = self.model.state_dict().keys() - state["model"].keys()
        return f"not a checkpoint: its model lacks {', '.join(sorted(lacking))}" if lacking else None

    def resume(self, state: State) -> None:
        self.model.load_state_dict(state["model"])
        resume(self.optimizer, state)


def train_epoch(
    objective: Objective,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Iterator[Batch],
    forward: Callable[[Tree], Tree],
    *,
    way: Way = "gradient",
) -> dict[str, Tensor]:
    """Take one step for each batch, as `way` says; return the epoch's metrics, each a scalar still to be computed.

    They are of where each step begins. An optimizer that has modes is left in that of evaluation.
    """
    model.train()
    to_training(optimizer)
    begin(model)
    steps = _Steps(objective, optimizer, forward, way)
    for inputs, targets in batches:
        steps.take(inputs, targets)
    to_evaluation(optimizer)
    return steps.metrics()


class _Steps:
    """The steps of an epoch, and what is measured of each where it begins."""

    def __init__(
        self, objective: Objective, optimizer: torch.optim.Optimizer, forward: Callable[[Tree], Tree], way: Way
    ) -> None:
        self._objective, self._optimizer, self._forward, self._way = objective, optimizer, forward, way
        self._parameters = [p for group in optimizer.param_groups for p in group["params"]]
        self._losses: list[Tensor] = []
        self._wrongs: list[Tensor] = []
        self._norms: list[Tensor] = []
        self._seen: int | Tensor = 0
        self._taken = 0

    def take(self, inputs: Tree, targets: Tree) -> None:
        """Take a step on a batch."""
        count = self._objective.count(targets)
        step(self._optimizer, self._way, lambda: self._gradients(inputs, targets, count))
        self._taken += 1
        if len(self._norms) != self._taken:
            raise RuntimeError(f"{type(self._optimizer).__name__}.step() did not call its closure")
        self._seen = self._seen + count

    def metrics(self) -> dict[str, Tensor]:
        """Return the metrics of the epoch, each a scalar."""
        norm = torch.stack(self._norms)
        return {
            "train_loss": torch.stack(self._losses).sum() / self._seen,
            "train_error": 100 * torch.stack(self._wrongs).sum() / self._seen,
            "grad_norm": norm.mean(),
            "grad_norm_sq": norm.square().mean(),
        }

    def _gradients(self, inputs: Tree, targets: Tree, count: int | Tensor) -> Tensor:
        """Compute the gradients anew, and return the loss; a step that asks for them twice is measured once."""
        # First: the last step's gradients lie where a CUDA graph writes anew.
        self._optimizer.zero_grad()
        outputs = self._forward(inputs)
        loss = self._objective.mean_loss(outputs, targets)
        loss.backward()
        norm = _norm(p.grad for p in self._parameters if p.grad is not None)
        clip = self._objective.workload.clip
        if clip is not None:
            _clip(self._parameters, norm, clip)
        if len(self._norms) == self._taken:
            self._norms.append(norm)
            self._losses.append(loss.detach() * count)
            self._wrongs.append(self._objective.error_sum(mapped(lambda tensor: tensor.detach(), outputs), targets))
        return loss


def _clip(parameters: Iterable[Tensor], norm: Tensor, limit: float) -> None:
    """Scale the gradients down to a norm of at most `limit`, without a wait for the device."""
    factor = (limit / norm).clamp(max=1.0)
    for p in parameters:
        if p.grad is not None:
            p.grad.mul_(factor)


def _norm(tensors: Iterable[Tensor]) -> Tensor:
    return get_total_norm([t.detach() for t in tensors])


@torch.no_grad()
def evaluate(
    objective: Objective, model: nn.Module, split: str, batches: Iterator[Batch], forward: Callable[[Tree], Tree]
) -> dict[str, Tensor]:
    """Return the mean loss and the error, in percent, of a split's batches, each a scalar."""
    model.eval()
    begin(model)
    losses, wrongs = [], []
    seen: int | Tensor = 0
    for inputs, targets in batches:
        outputs = forward(inputs)
        losses.append(objective.loss_sum(outputs, targets))
        wrongs.append(objective.error_sum(outputs, targets))
        seen = seen + objective.count(targets)
    return {f"{split}_loss": torch.stack(losses).sum() / seen, f"{split}_error": 100 * torch.stack(wrongs).sum() / seen}


def _schedule(optimizer: torch.optim.Optimizer, run: Run) -> dict[str, Tensor]:
    """Return the root of the mean bias-corrected second moment and the effective decay after the last step."""
    total, count = torch.zeros((), dtype=torch.float64), 0
    for group in optimizer.param_groups:
        for p in group["params"]:
            state: dict[str, Any] = optimizer.state.get(p, {})
            # Of optimizers like Adam alone: others keep another thing by that name.
            if "exp_avg_sq" in state and state["exp_avg_sq"].shape == p.shape and len(group.get("betas", ())) == 2:
                second = state.get("max_exp_avg_sq", state["exp_avg_sq"])
                # Of a complex weight torch's optimizers take both parts as weights.
                second = torch.view_as_real(second) if second.is_complex() else second
                # torch.optim counts steps for each parameter, pytorch_optimizer for each group.
                steps = float(state["step"] if "step" in state else group["step"])
                total += second.double().sum().cpu() / (1 - group["betas"][1] ** steps)
                count += second.numel()
    root = (total / count).sqrt() if count else torch.tensor(torch.nan)
    return {"root_mean_v": root, "effective_decay": _effective_decay(optimizer, run, root)}


def _effective_decay(optimizer: torch.optim.Optimizer, run: Run, root: Tensor) -> Tensor:
    """Return the effective decay; where groups differ in it their mean, weighted by the squares of their weights."""
    groups, native = optimizer.param_groups, run.weight_decay_native
    found = [
        torch.as_tensor(run.optimizer.effective_decay(group.get("weight_decay", native), float(group["lr"]), root))
        for group in groups
    ]
    if len(groups) == 1:
        return found[0]
    squares = [_norm(group["params"]).double().square().cpu() for group in groups]
    weighted = [each.double().cpu() * square for each, square in zip(found, squares, strict=True)]
    return torch.stack(weighted).sum() / torch.stack(squares).sum()
