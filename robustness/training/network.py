"""A network of one's own as torch would call and train it: how it takes its inputs, and which of its parts move."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from robustness.training.sharpness import begin

if TYPE_CHECKING:
    from torch import Tensor, nn

    from robustness.trees import Tree

SINGLE = "write `engine: single` in the workload"
"""What trains any network."""

_COMPLEX = {torch.float32: torch.complex64, torch.float64: torch.complex128}
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class NetworkError(Exception):
    """A network cannot be trained as the study asks; `str()` says what of it, and what to write instead."""


def placed(model: nn.Module, device: str, dtype: torch.dtype) -> nn.Module:
    """Return a network on the device, its real numbers in `dtype`, its complex ones in the complex type of that."""

    def moved(tensor: Tensor) -> Tensor:
        if tensor.is_complex():
            return tensor.to(device, _COMPLEX[dtype])
        return tensor.to(device, dtype) if tensor.is_floating_point() else tensor.to(device)

    model._apply(moved)
    return model


def takes_keywords(model: nn.Module, inputs: Tree) -> bool:
    """Return whether inputs that are a dictionary are the keyword arguments of a network's `forward`.

    They are where each of them has a parameter of its name (or there is `**kwargs`), and each parameter without a
    default its input.
    """
    if not isinstance(inputs, Mapping) or not all(isinstance(name, str) for name in inputs):
        return False
    try:
        parameters = inspect.signature(model.forward).parameters.values()
    except (TypeError, ValueError):  # of a network that is compiled into an object of another language
        return False
    named = {each.name for each in parameters if each.kind in _NAMED}
    needed = {each.name for each in parameters if each.kind in _NAMED and each.default is each.empty}
    any_name = any(each.kind is each.VAR_KEYWORD for each in parameters)
    return needed <= set(inputs) and (any_name or set(inputs) <= named)


def arguments(model: nn.Module, inputs: Tree) -> tuple[tuple[Tree, ...], dict[str, Tree]]:
    """Return the arguments, by place and by name, with which a network is called on `inputs`."""
    return ((), dict(inputs)) if takes_keywords(model, inputs) else ((inputs,), {})


def outputs_of(model: nn.Module, inputs: Tree) -> Tree:
    """Return what a network makes of the inputs of a batch."""
    by_place, by_name = arguments(model, inputs)
    return model(*by_place, **by_name)


class Evaluated:
    """A network in evaluation, as a function of its inputs."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model.eval()

    def __call__(self, inputs: Tree) -> Tree:
        """Return the outputs of a batch."""
        return outputs_of(self._model, inputs)

    def reset(self) -> None:
        """Let the network forget what it carries."""
        begin(self._model)


@dataclass(frozen=True)
class Moving:
    """Which parts of a network a step of training changes.

    Attributes:
        parameters: names of those that get a gradient; others torch's optimizers leave alone.
        assigned: names of the buffers that `forward` replaces, rather than changes in place.
    """

    parameters: frozenset[str]
    assigned: frozenset[str] = frozenset()


class Weights:
    """How the moving parameters of a network lie in a row of a matrix, and what of it is the same for all runs.

    Attributes:
        shapes: of the moving parameters, by name, in the order in which they lie.
        size: of the moving parameters.
        trainable: of all that ask for a gradient, those that get none included.
        fixed: parameters that no step changes, by name.
        idle_square: sum of squares of those of them that ask for a gradient; None if there are none.

    Raises:
        NetworkError: a moving parameter is no real number, or none moves.
    """

    ALIGNMENT = 64
    """Rows are padded to whole vectors: no kernel then has a scalar tail whose place depends on the stack's size."""

    def __init__(self, model: nn.Module, parts: Moving | None) -> None:
        named = dict(model.named_parameters())
        chosen = {name for name, p in named.items() if p.requires_grad} if parts is None else parts.parameters
        for name in sorted(chosen):
            if not named[name].is_floating_point():
                kind = str(named[name].dtype).removeprefix("torch.")
                raise NetworkError(f"its parameter {name!r} is {kind}, and a stack has real ones: {SINGLE}")
        if not chosen:
            raise NetworkError("none of its parameters gets a gradient: there is nothing to train")
        self.shapes = {name: p.shape for name, p in named.items() if name in chosen}
        self.size = sum(shape.numel() for shape in self.shapes.values())
        self.trainable = sum(p.numel() for p in named.values() if p.requires_grad)
        self._sizes = [*(shape.numel() for shape in self.shapes.values()), -self.size % self.ALIGNMENT]
        self.fixed = {name: p.detach() for name, p in named.items() if name not in chosen}
        idle = [p.detach() for name, p in named.items() if p.requires_grad and name not in chosen]
        self.idle_square: Tensor | None = sum((p.abs().square().sum() for p in idle), torch.zeros(())) if idle else None

    def row(self, model: nn.Module, device: str, dtype: torch.dtype) -> Tensor:
        """Return (P,) the network's moving parameters, and the padding."""
        parts = [p.detach().flatten() for name, p in model.named_parameters() if name in self.shapes]
        row: Tensor = torch.cat([*parts, torch.zeros(self._sizes[-1]).to(device, dtype)])
        return row

    def named(self, row: Tensor) -> dict[str, Tensor]:
        """Return the moving parameters that lie in a row (P,), by name: views of it."""
        parts = row.split(self._sizes)
        return {name: part.view(shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=False)}

    def norms(self, rows: Tensor) -> Tensor:
        """Return (R,) the 2-norm of all that asks for a gradient, of rows (R, P)."""
        moving: Tensor = torch.linalg.vector_norm(rows, dim=1)
        return moving if self.idle_square is None else (moving.square() + self.idle_square.to(rows)).sqrt()


def call(model: nn.Module, state: dict[str, Tensor], inputs: Tree, assigned: frozenset[str]) -> tuple[Any, Any]:
    """Run a network with other parameters and buffers than its own.

    Args:
        model: whose own stay as they are.
        state: of each parameter and buffer by its name.
        inputs: of one run.
        assigned: buffers that its `forward` replaces.

    Returns:
        Its outputs, and the buffers that it put in the place of those `assigned`, by name.
    """
    by_place, by_name = arguments(model, inputs)
    # torch writes into the dictionary what the network has put in the place of what was in it.
    outputs = torch.func.functional_call(model, state, by_place, by_name)
    return outputs, {name: state[name].detach() for name in assigned}
