"""A few steps of an optimizer on small tensors with gradients that are given, not computed."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, get_args

import torch

from robustness.optimizers.behavior.stepping import Way, step, to_training

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    from robustness.optimizers.base import Optimizer

SHAPES: tuple[tuple[tuple[int, ...], ...], ...] = (
    ((4, 3), (3,), (3, 2, 2, 2)),
    ((4, 3), (5, 4)),
)
"""Of parameters: a matrix, a bias and a convolution; and matrices alone, for what takes nothing else."""

DECAY = 0.1

STEPS = 8
"""Some, such as RAdam, begin with steps of another kind."""


class StepError(Exception):
    """No step can be taken; `str()` is what the optimizer says of it."""


@dataclass(frozen=True)
class Setting:
    """How an optimizer is stepped.

    Attributes:
        lr: the learning rate.
        weight_decay: the optimizer's own number.
        scale: of all gradients.
        added: times the weights is added to each gradient, as L2 decay would.
        taken_off: this share of the weights is taken off before each step, as decoupled decay would.
    """

    lr: float = 1e-2
    weight_decay: float = 0.0
    scale: float = 1.0
    added: float = 0.0
    taken_off: float = 0.0


@dataclass(frozen=True)
class Problem:
    """Parameters and their gradients, drawn once.

    Attributes:
        shapes: of the parameters.
        dtype: of all tensors.
        way: what a step asks for.
    """

    shapes: tuple[tuple[int, ...], ...]
    dtype: torch.dtype
    way: Way

    def start(self) -> list[Tensor]:
        """Return the parameters."""
        return [p.requires_grad_() for p in self._drawn(0)]

    def trajectory(self, optimizer: Optimizer, setting: Setting, steps: int = STEPS) -> list[list[Tensor]]:
        """Return the parameters at the start and after each step.

        Raises:
            StepError: a step cannot be taken.
        """
        parameters = self.start()
        path = [[p.detach().clone() for p in parameters]]
        with aside(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            try:
                made = optimizer.torch_optimizer(parameters, setting.lr, setting.weight_decay)
                to_training(made)
                for number in range(steps):
                    _take_off(parameters, setting.taken_off)
                    step(made, self.way, self._gradients(parameters, number, setting))
                    path.append([p.detach().clone() for p in parameters])
            except Exception as failure:
                raise StepError(f"{type(failure).__name__}: {' '.join(str(failure).split())[:300]}") from failure
        return path

    def missing_keys(self, optimizer: Optimizer) -> set[str]:
        """Return which keys two steps ask the groups of parameters for, that no group has then either."""
        parameters = self.start()
        made = optimizer.torch_optimizer(parameters, Setting.lr, DECAY)
        watched = [_WatchedGroup(group) for group in made.param_groups]
        made.param_groups[:] = watched
        with aside():
            for number in range(2):
                step(made, self.way, self._gradients(parameters, number, Setting()))
        return set().union(*(group.missing - group.keys() for group in watched))

    def _gradients(self, parameters: Sequence[Tensor], number: int, setting: Setting) -> Callable[[], Tensor]:
        drawn = self._drawn(number + 1)

        def closure() -> Tensor:
            with torch.no_grad():
                for p, gradient in zip(parameters, drawn, strict=True):
                    p.grad = setting.scale * gradient + setting.added * p
                # Of a linear loss, which stays above 0.
                products = [(p * g).sum() for p, g in zip(parameters, drawn, strict=True)]
                return 100 + torch.stack(products).sum()

        return closure

    def _drawn(self, seed: int) -> list[Tensor]:
        draw = torch.Generator().manual_seed(seed)
        return [torch.randn(shape, generator=draw, dtype=torch.float64).to(self.dtype) for shape in self.shapes]


@contextmanager
def aside() -> Iterator[None]:
    """Work in an empty folder: what the code of another writes down where it is comes to nothing."""
    with ExitStack() as stack:
        with suppress(OSError):  # then it works where it is
            here = os.open(".", os.O_RDONLY)
            stack.callback(os.close, here)
            os.chdir(stack.enter_context(TemporaryDirectory(prefix="robustness-steps-")))
            stack.callback(os.fchdir, here)
        yield


def _take_off(parameters: Sequence[Tensor], share: float) -> None:
    if share:
        with torch.no_grad():
            for p in parameters:
                p.mul_(1 - share)


class _WatchedGroup(dict[str, Any]):
    """A group of parameters that notes the keys which are asked for in vain."""

    def __init__(self, group: dict[str, Any]) -> None:
        super().__init__(group)
        self.missing: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value, or `default`, and note that there is none."""
        if key not in self.keys():
            self.missing.add(key)
        return super().get(key, default)


def problem_of(optimizer: Optimizer) -> Problem:
    """Return a problem on which `optimizer` can step, in double precision where it can.

    Raises:
        StepError: there is none; it says what the optimizer says of usual parameters.
    """
    said: StepError | None = None
    for dtype in (torch.float64, torch.float32):
        for shapes in SHAPES:
            for way in get_args(Way):
                problem = Problem(shapes, dtype, way)
                try:
                    before, after = problem.trajectory(optimizer, Setting(), steps=1)
                except StepError as error:
                    said = said or error
                    continue
                # Without gradients beforehand SAM-like steps would be none.
                if way != "closure" or any(not torch.equal(p, q) for p, q in zip(before, after, strict=True)):
                    return problem
    assert said is not None
    raise said
