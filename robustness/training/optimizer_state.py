"""What an optimizer of torch's kind carries from step to step, as a checkpoint has it.

Its state dictionary may hold more than tensors, and its own attributes count too: a switch, a counter, a queue.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from robustness.optimizers.behavior.stepping import to_evaluation
from robustness.trees import mapped

if TYPE_CHECKING:
    from collections.abc import Callable

    from robustness.training.rows import State

KIND = "__kind__"
"""Marks a dictionary that stands for what a checkpoint, which is read without unpickling, has no form for."""

OF_TORCH = {"defaults", "state", "param_groups"}
"""Attributes that the state dictionary has, or the constructor."""

ALTERED_BY_TORCH = (deque, set, frozenset, np.ndarray)
"""`load_state_dict` makes them anew of their items: a queue loses its bound, an array cannot be made so."""

PLAIN = (bool, int, float, complex, str, bytes, type(None))


def state_of(optimizer: torch.optim.Optimizer) -> State:
    """Return the state dictionary of `optimizer` and its attributes that are plain values."""
    own = {name: value for name, value in vars(optimizer).items() if name not in OF_TORCH and _is_plain(value)}
    return {"optimizer": _written(optimizer.state_dict()), "attributes": _written(own)}


def resume(optimizer: torch.optim.Optimizer, state: State) -> None:
    """Let an optimizer that has just been made go on from what `state_of` returned after an evaluation."""
    # It was set down in evaluation mode, and must not exchange weights for that now.
    to_evaluation(optimizer)
    read = _read(state["optimizer"])
    held = [_taken_out(read["state"].get(key, {})) for group in read["param_groups"] for key in group["params"]]
    optimizer.load_state_dict(read)
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for p, values in zip(parameters, held, strict=True):
        for name, value in values.items():
            optimizer.state[p][name] = mapped(partial(torch.Tensor.to, device=p.device), value)
    for name, value in _read(state.get("attributes", {})).items():
        setattr(optimizer, name, value)


def _taken_out(values: dict[str, Any]) -> dict[str, Any]:
    """Take what torch does not load as it was, such as queues and arrays, out of the state of a parameter."""
    return {name: values.pop(name) for name in list(values) if isinstance(values[name], ALTERED_BY_TORCH)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_plain(each) for pair in value.items() for each in pair)
    if type(value) in (list, tuple, set, frozenset, deque):
        return all(map(_is_plain, value))
    return isinstance(value, (np.ndarray, np.generic, torch.Generator)) or type(value) in PLAIN


@dataclass(frozen=True)
class _Form:
    """A kind of value that a checkpoint has no form for, and the dictionary that stands for it."""

    kinds: tuple[type, ...]
    write: Callable[[Any], dict[str, Any]]
    read: Callable[[dict[str, Any]], Any]


def _of_numbers(array: np.ndarray) -> dict[str, Any]:
    """Return an array as a tensor; one of texts or objects stays as it is, and cannot be kept."""
    if array.dtype.kind not in "biufc":
        return {"values": array}
    return {"values": torch.from_numpy(np.ascontiguousarray(array)).reshape(array.shape)}


def _generator(state: dict[str, Any]) -> torch.Generator:
    generator = torch.Generator(device=state["device"])
    generator.set_state(state["state"])
    return generator


FORMS: dict[str, _Form] = {
    "deque": _Form(
        (deque,),
        lambda value: {"items": list(value), "most": value.maxlen},
        lambda state: deque(state["items"], maxlen=state["most"]),
    ),
    "set": _Form((set,), lambda value: {"items": list(value)}, lambda state: set(state["items"])),
    "frozenset": _Form((frozenset,), lambda value: {"items": list(value)}, lambda state: frozenset(state["items"])),
    "array": _Form((np.ndarray,), _of_numbers, lambda state: state["values"].numpy()),
    "number": _Form(
        (np.bool_, np.integer, np.floating, np.complexfloating),
        lambda value: _of_numbers(np.array([value])),
        lambda state: state["values"].numpy()[0],
    ),
    "generator": _Form(
        (torch.Generator,), lambda value: {"state": value.get_state(), "device": str(value.device)}, _generator
    ),
}


def _written(value: Any) -> Any:
    """Return `value` in the forms that a checkpoint has; what has none stays as it is."""
    if type(value) is dict:
        return {key: _written(each) for key, each in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_written, value))
    for name, form in FORMS.items():
        if isinstance(value, form.kinds):
            return {KIND: name, **_written(form.write(value))}
    return value


def _read(value: Any) -> Any:
    """Return what `_written` was given."""
    if type(value) in (list, tuple):
        return type(value)(map(_read, value))
    if type(value) is not dict:
        return value
    inside = {key: _read(each) for key, each in value.items() if key != KIND}
    return FORMS[value[KIND]].read(inside) if KIND in value else inside
