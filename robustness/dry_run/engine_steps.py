"""The first two epochs of a run, one step each, by the very code that a sweep trains with."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from robustness.dry_run.finding import SINGLE, Refusal, words_of
from robustness.dry_run.layers import Path
from robustness.dry_run.plain import Outcome
from robustness.randomness import initial_model
from robustness.training import Suspended, train_single, train_stack
from robustness.training.checkpoint import from_bytes, to_bytes
from robustness.training.moving import moving_parts
from robustness.training.network import NetworkError, Weights, placed
from robustness.training.objective import ShapeError
from robustness.workloads.base import altered
from robustness.workloads.data import Feed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import torch
    from torch import nn

    from robustness.study import Run
    from robustness.training.rows import State
    from robustness.workloads import Workload
    from robustness.workloads.data import Batch

EPOCHS = 2

SHARED = {"train_loss": "training loss", "train_error": "training error"}
SHARED |= {"test_loss": "loss in evaluation", "test_error": "error in evaluation"}
"""Metrics that a plain loop has too, by what they are."""


class FewBatches(Feed):
    """A batch an epoch; the last of them is evaluated on."""

    splits = ("test",)
    steps = 1

    def __init__(self, batches: Sequence[Batch], *, gaps: bool) -> None:
        self._batches, self._next, self.gaps = list(batches), 0, gaps

    def train(self) -> Iterator[Batch]:
        """Return the next batch."""
        self._next += 1
        return iter(self._batches[self._next - 1 : self._next])

    def evaluate(self, split: str) -> Iterator[Batch]:  # noqa: ARG002 - there is one
        """Return the last batch."""
        return iter(self._batches[-1:])

    def sample(self, examples: int) -> Iterator[Batch]:  # noqa: ARG002
        """Return the first batch."""
        return iter(self._batches[:1])


def shortened(workload: Workload, batches: Sequence[Batch], path: Path, *, gaps: bool) -> Workload:
    """Return a workload whose epochs are a batch each, in plain precision and not compiled.

    Args:
        workload: the one that is tried.
        batches: of the epochs.
        path: follows the layers of its networks.
        gaps: whether targets may be missing.
    """
    kind = type(workload)

    def feed(self: Workload, seed: int, device: str, dtype: torch.dtype) -> Feed:  # noqa: ARG001
        return FewBatches(batches, gaps=gaps)

    def model(self: Workload) -> nn.Module:
        return path.follow(kind.model(self))

    epochs = max(EPOCHS, workload.epochs)
    plain = {"hessian": None, "precision": "float32", "compiled": False}
    return altered(workload, {"feed": feed, "model": model}, epochs=epochs, **plain)


@dataclass
class Memory:
    """A keeper of checkpoints that has the last one in memory, and suspends the training after `halt` epochs."""

    halt: int = EPOCHS
    last: State | None = None

    def load(self, runs: Sequence[Run]) -> State | None:  # noqa: ARG002
        """Return what was kept, through the bytes of a checkpoint."""
        return from_bytes(to_bytes(self.last)) if self.last else None

    def refuse(self, why: str) -> None:
        """Refuse it in turn.

        Raises:
            ValueError: always.
        """
        raise ValueError(why)

    def ended(self, epoch: int, epochs: int, state: Callable[[], State]) -> None:  # noqa: ARG002
        """Keep the state of the epoch to halt at.

        Raises:
            Suspended: it is that one.
        """
        if epoch == self.halt:
            self.last = state()
            raise Suspended


@dataclass(frozen=True)
class Engine:
    """An engine, and what it is given to train.

    Attributes:
        name: `stack` or `single`.
        batches: two, on the CPU.
        dtype: of weights.
        gaps: whether targets may be missing.
    """

    name: str
    batches: Sequence[Batch]
    dtype: torch.dtype
    gaps: bool

    def outcome(self, run: Run) -> Outcome:
        """Return what comes of a run, a step for each batch.

        Raises:
            Refusal: the engine cannot train it.
        """
        path, memory = Path(), Memory()
        short = self._shortened(run, path)
        title = run.workload.title
        try:
            self._train(short, memory)
        except NetworkError as error:
            raise Refusal(f"{title}: {error}") from None
        except ShapeError as error:
            raise Refusal(str(error)) from None
        except Exception as failure:
            way = f"; {SINGLE}" if self.name == "stack" else ""
            raise Refusal(
                f"{title}: the engine {self.name} cannot train it, in the {path}: {words_of(failure)}{way}"
            ) from failure
        return self._outcome(short, memory)

    def resumed(self, run: Run) -> Outcome:
        """Return the same of a run that is set down between the two steps, and goes on from its checkpoint's bytes.

        Raises:
            Refusal: it cannot be set down, or not be resumed.
        """
        memory = Memory(halt=1)
        short = self._shortened(run, Path())
        try:
            self._train(short, memory)
            memory.halt = EPOCHS
            self._train(short, memory)
        except Exception as failure:
            raise Refusal(words_of(failure)) from failure
        return self._outcome(short, memory)

    def _shortened(self, run: Run, path: Path) -> Run:
        return replace(run, workload=shortened(run.workload, self.batches, path, gaps=self.gaps))

    def _train(self, run: Run, memory: Memory) -> None:
        with suppress(Suspended):
            if self.name == "stack":
                train_stack([run], dtype=self.dtype, keeper=memory)
            else:
                train_single(run, dtype=self.dtype, keeper=memory)

    def _outcome(self, run: Run, memory: Memory) -> Outcome:
        if memory.last is None:
            raise Refusal(
                f"{run.workload.title}: a loss of {run.optimizer.name} at lr {run.lr:g} is not finite in two steps"
            )
        values, state = memory.last["history"]["values"], memory.last["engine"]
        numbers = {words: float(values[name][0, -1]) for name, words in SHARED.items()}
        also = {name: float(values[name][0, -1]) for name in ("root_mean_v", "effective_decay", "grad_norm")}
        if self.name == "single":
            held, model = state["model"], initial_model(run.workload, run.seed)
            parameters = {name: held[name] for name, _ in model.named_parameters()}
            buffers = {name: held[name] for name, _ in model.named_buffers() if name in held}
            return Outcome(numbers, parameters, buffers, also)
        feed = FewBatches(self.batches, gaps=self.gaps)
        model = placed(initial_model(run.workload, run.seed), "cpu", self.dtype)
        layout = Weights(model, moving_parts(run.workload, feed, run.seed, "cpu", self.dtype))
        moved = layout.named(state["weights"][0]) | layout.fixed
        return Outcome(numbers, moved, {name: buffer[0] for name, buffer in state["buffers"].items()}, also)
