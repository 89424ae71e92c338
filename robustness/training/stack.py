"""Many runs of one seed as one model: their gradients are one `vmap(grad)`, their weights one matrix.

The runs share initial weights and batches; only the update differs, so a stack may mix optimizers. With one CPU thread
a run's outcome is the same to the bit in whatever stack it is trained.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.func import grad_and_value, vmap

from robustness.randomness import initial_model, masks
from robustness.study.run import options_json
from robustness.training.checkpoint import Course
from robustness.training.compiled import Compiled
from robustness.training.history import History
from robustness.training.inputs import Look, checked_feed
from robustness.training.mixed_precision import Lowered, raised
from robustness.training.moving import moving_parts
from robustness.training.network import Weights, call, placed
from robustness.training.objective import Objective, StackedObjective
from robustness.training.rows import Part, parts_of, places_of, resume_rule, rule_state
from robustness.training.sharpness import due, examples, sharpness
from robustness.trees import Tree, mapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor, nn

    from robustness.study import Run
    from robustness.training.checkpoint import Keeper
    from robustness.training.network import Moving
    from robustness.training.rows import State
    from robustness.training.sharpness import Sharpness
    from robustness.workloads.data import Batch


def train_stack(
    runs: Sequence[Run], *, device: str = "cpu", dtype: torch.dtype = torch.float32, keeper: Keeper | None = None
) -> History:
    """Train `runs`, which share workload and seed, and return their history; `keeper` has its checkpoints.

    Raises:
        ValueError: the runs differ in workload or seed.
        Suspended: it was asked to stop, and goes on another time.
    """
    workload, seed = runs[0].workload, runs[0].seed
    if any(run.workload != workload or run.seed != seed for run in runs):
        raise ValueError("the runs of a stack share one workload and one seed")
    runs = sorted(runs, key=lambda run: run.optimizer.name + run.optimizer.model_dump_json())
    feed = checked_feed(workload, seed, device, dtype)
    look = Look(workload, feed, seed)
    parts = moving_parts(workload, feed, seed, device, dtype)
    model = placed(initial_model(workload, seed), device, dtype)
    stack = Stack(model, runs, device, dtype, parts=parts, gaps=feed.gaps)
    history = History(runs, parameters=stack.parameters, steps_per_epoch=feed.steps)
    course = Course(keeper, stack, history, feed, device)
    with masks(seed, device):
        for epoch in range(course.begin(), workload.epochs):
            if not len(stack.rows):  # of these runs all had diverged at the checkpoint
                break
            metrics = stack.train_epoch(look.at("train", feed.train()), stack.factors(epoch))
            for split in feed.splits:
                metrics |= stack.evaluate(split, look.at(split, feed.evaluate(split)))
            sound = history.record(epoch, stack.rows, metrics)
            if not sound.any():
                break
            if not sound.all():
                stack.keep(np.flatnonzero(sound))
            if due(workload, epoch):
                batches = examples(workload, feed)
                # A lone run is trained beside its own copy: each is measured once.
                for run, row in zip(*np.unique(stack.rows, return_index=True), strict=True):
                    history.record_sharpness(epoch, int(run), stack.sharpness(int(row), batches))
            course.ended(epoch)
    return history


class Stack:
    """Weights (R, P), buffers and update rules of R runs; row r belongs to run `rows[r]`.

    A stack has at least two rows: a lone run is trained beside a copy of itself, since some kernels
    round differently for a batch of one.

    Attributes:
        gradients: of inputs, weights, buffers, targets: (R, P), with (R,) losses, (R,) sums of errors, new buffers.
        parameters: how many ask for a gradient.
    """

    def __init__(
        self,
        model: nn.Module,
        runs: Sequence[Run],
        device: str,
        dtype: torch.dtype,
        *,
        parts: Moving | None = None,
        gaps: bool = False,
        backend: str = "inductor",
    ) -> None:
        """Give each run the weights of `model`.

        Args:
            model: in `dtype`, on the device.
            runs: of one workload and seed; those of one optimizer stand together.
            device: of all tensors.
            dtype: of weights and moments.
            parts: what of the network moves; None takes all that asks for a gradient.
            gaps: whether targets may be missing.
            backend: of `torch.compile`.
        """
        self.model, self.workload, self.seed = model, runs[0].workload, runs[0].seed
        self._runs = runs
        self.rows = np.arange(len(runs))
        self._layout = Weights(model, parts)
        self.parameters = self._layout.trainable
        self.weights = self._layout.row(model, device, dtype).repeat(len(runs), 1)
        self.buffers = {name: b.expand(len(runs), *b.shape).clone() for name, b in model.named_buffers()}
        self._assigned = parts.assigned if parts else frozenset()
        self._objective = StackedObjective(self.workload, gaps)
        self.lr = torch.tensor([run.lr for run in runs], dtype=dtype, device=device)
        decay = torch.tensor([run.weight_decay_native for run in runs], dtype=dtype, device=device)
        self._parts = parts_of(runs, model, self._layout, self.weights, lr=self.lr, decay=decay)
        # "same": one mask of a dropout for all runs, which share their seed.
        step = grad_and_value(self._loss, argnums=1, has_aux=True)
        self.gradients: Callable[..., Any] = vmap(step, in_dims=(None, 0, 0, None), randomness="same")
        self._evaluated: Callable[..., Any] = vmap(self._sums, in_dims=(None, 0, 0, None))
        if self.workload.compiled:
            self.gradients, self._evaluated = (
                Compiled(function, device, backend, kind=lambda: len(self.rows))
                for function in (self.gradients, self._evaluated)
            )
        if len(runs) == 1:
            self.keep(np.zeros(2, dtype=np.int64))

    def factors(self, epoch: int) -> float | Tensor:
        """Return what base rates are multiplied by in `epoch`: (R,), or one number where all runs share it."""
        found = [self._runs[int(row)].factor(epoch) for row in self.rows]
        return found[0] if len(set(found)) == 1 else torch.tensor(found, dtype=self.lr.dtype, device=self.lr.device)

    def train_epoch(self, batches: Iterator[Batch], factor: float | Tensor) -> dict[str, Tensor]:
        """Take one step for each batch at `factor` times the base rates; return (R,) metrics of the epoch."""
        self.model.train()
        start = self.weights.clone()
        lr = self.lr * factor
        rated = [part.rates(lr) for part in self._parts]
        loss = wrong = norm = norm_sq = torch.zeros_like(lr)
        seen: int | Tensor = 0
        steps = 0
        for x, y in batches:
            gradient, (batch_loss, (batch_wrong, changed)) = self.gradients(x, self.weights, self.buffers, y)
            self.buffers |= changed
            count = self._objective.count(y)
            loss = loss + batch_loss * count
            wrong = wrong + batch_wrong
            square = torch.linalg.vector_norm(gradient, dim=1).square()
            norm, norm_sq = norm + square.sqrt(), norm_sq + square
            if self.workload.clip is not None:
                gradient.mul_((self.workload.clip / square.sqrt()).clamp(max=1.0)[:, None])
            for part, rates in zip(self._parts, rated, strict=True):
                part.rule.step(gradient[part.rows], rates)
            seen, steps = seen + count, steps + 1
        return {
            "lr": lr,
            "train_loss": loss / seen,
            "train_error": 100 * wrong / seen,
            "grad_norm": norm / steps,
            "grad_norm_sq": norm_sq / steps,
            "weight_norm": self._layout.norms(self.weights),
            "update_norm": torch.linalg.vector_norm(self.weights - start, dim=1),
            "effective_decay": torch.cat([part.effective_decay(self.weights) for part in self._parts]),
            "root_mean_v": torch.cat([part.rule.root_mean_v for part in self._parts]),
        }

    @torch.no_grad()
    def evaluate(self, split: str, batches: Iterator[Batch]) -> dict[str, Tensor]:
        """Return (R,) mean loss and error in percent over a split."""
        self.model.eval()
        loss = wrong = torch.zeros_like(self.lr)
        seen: int | Tensor = 0
        for x, y in batches:
            batch_loss, batch_wrong, changed = self._evaluated(x, self.weights, self.buffers, y)
            self.buffers |= changed
            loss, wrong, seen = loss + batch_loss, wrong + batch_wrong, seen + self._objective.count(y)
        return {f"{split}_loss": loss / seen, f"{split}_error": 100 * wrong / seen}

    def sharpness(self, row: int, batches: Sequence[Batch]) -> Sharpness:
        """Return what the workload asks of the Hessian, of one row."""
        self.model.eval()
        leaves = {name: part.clone().requires_grad_() for name, part in self._layout.named(self.weights[row]).items()}
        buffers = {name: buffer[row] for name, buffer in self.buffers.items()}

        def network(inputs: Tree) -> Tree:
            return call(self.model, {**leaves, **self._layout.fixed, **buffers}, inputs, frozenset())[0]

        objective = Objective(self.workload, self._objective.gaps)
        return sharpness(objective, network, list(leaves.values()), batches, self.seed)

    def keep(self, rows: np.ndarray) -> None:
        """Go on with these rows alone (ascending); a single one is doubled."""
        rows = np.repeat(rows, 2) if len(rows) == 1 else rows
        index = torch.as_tensor(rows, device=self.weights.device)
        self.weights, self.lr = self.weights[index], self.lr[index]
        self.buffers = {name: buffer[index] for name, buffer in self.buffers.items()}
        self.rows = self.rows[rows]
        kept, start = [], 0
        for part in self._parts:
            inside = index[(index >= part.rows.start) & (index < part.rows.stop)] - part.rows.start
            if len(inside):
                now = slice(start, start + len(inside))
                part.rule.keep(inside, self.weights[now])
                kept.append(replace(part, rows=now))
                start = now.stop
        self._parts = kept

    def state(self) -> State:
        """Return weights, buffers and optimizers' states, each with the run that a row belongs to."""
        ids = [self._runs[int(row)].run_id for row in self.rows]
        rules = {
            self._options(part): {"run_ids": ids[part.rows], "state": rule_state(part.rule)} for part in self._parts
        }
        return {"run_ids": ids, "weights": self.weights, "buffers": self.buffers, "rules": rules}

    def objection(self, state: State) -> str | None:
        """Return why a stack can't go on from `state`, None if it can: other code names its parts otherwise."""
        if state["weights"].shape[1:] != self.weights.shape[1:]:
            return f"not a checkpoint: its rows have {state['weights'].shape[1]} weights, not {self.weights.shape[1]}"
        for part in self._parts:
            saved = state["rules"].get(self._options(part))  # None where all of its runs had diverged
            lacking = rule_state(part.rule).keys() - saved["state"].keys() if saved else ()
            if lacking:
                name = self._runs[int(self.rows[part.rows.start])].optimizer.name
                return f"not a checkpoint: its state of {name} lacks {', '.join(sorted(lacking))}"
        return None

    def resume(self, state: State) -> None:
        """Go on from the `state` of a stack that has all of these runs, but for those that had diverged."""
        sound = set(state["run_ids"])
        self.keep(np.array([row for row in self.rows if self._runs[int(row)].run_id in sound], dtype=np.int64))
        ids = [self._runs[int(row)].run_id for row in self.rows]
        places = places_of(state["run_ids"], ids)
        self.weights.copy_(state["weights"][places])
        for name, buffer in self.buffers.items():
            buffer.copy_(state["buffers"][name][places])
        for part in self._parts:
            saved = state["rules"][self._options(part)]
            resume_rule(part.rule, saved["state"], places_of(saved["run_ids"], ids[part.rows]), self.weights.device)

    def _options(self, part: Part) -> str:
        """Return the options of the optimizer of these rows."""
        return options_json(self._runs[int(self.rows[part.rows.start])].optimizer)

    def _forward(self, inputs: Tree, weights: Tensor, buffers: dict[str, Tensor]) -> tuple[Tree, dict[str, Tensor]]:
        state = {**self._layout.named(weights), **self._layout.fixed, **buffers}
        with nullcontext() if self.workload.precision == "float32" else Lowered():
            outputs, changed = call(self.model, state, inputs, self._assigned)
        return mapped(raised, outputs), changed

    def _loss(
        self, inputs: Tree, weights: Tensor, buffers: dict[str, Tensor], targets: Tree
    ) -> tuple[Tensor, tuple[Tensor, dict[str, Tensor]]]:
        outputs, changed = self._forward(inputs, weights, buffers)
        loss = self._objective.mean_loss(outputs, targets)
        return loss, (self._objective.error_sum(mapped(lambda tensor: tensor.detach(), outputs), targets), changed)

    def _sums(
        self, inputs: Tree, weights: Tensor, buffers: dict[str, Tensor], targets: Tree
    ) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        outputs, changed = self._forward(inputs, weights, buffers)
        return self._objective.loss_sum(outputs, targets), self._objective.error_sum(outputs, targets), changed
