"""Trees of tensors, torch's pytrees: dictionaries, lists, tuples, dataclasses of tensors; one tensor is a tree too.

torch is imported where a tree is gone through, so that a study is read without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

Tree = Any
"""A tensor, or a dictionary, list, tuple, named tuple or dataclass of trees."""


def leaves(tree: Tree) -> list[Any]:
    """Return what the ends of a tree hold, in its order; of a tensor, the tensor alone."""
    from torch.utils._pytree import tree_leaves

    found = tree_leaves(tree)
    while kinds := {type(leaf) for leaf in found if _is_branch(leaf)}:
        for kind in kinds:
            _register(kind)
        found = tree_leaves(tree)
    return found


def mapped(function: Callable[[Tensor], Any], tree: Tree) -> Tree:
    """Return a tree of the same form, with `function` of each tensor; what is no tensor stays as it is."""
    import torch
    from torch.utils._pytree import tree_map_only

    if isinstance(tree, torch.Tensor):
        return function(tree)
    leaves(tree)  # which gets to know its dataclasses
    return tree_map_only(torch.Tensor, function, tree)


def tensors(tree: Tree) -> list[Tensor]:
    """Return the tensors of a tree."""
    import torch

    return [tree] if isinstance(tree, torch.Tensor) else [x for x in leaves(tree) if isinstance(x, torch.Tensor)]


def as_tensors(tree: Tree) -> Tree:
    """Return a tree with a tensor for each NumPy array, whose memory it shares, and for a list of numbers."""
    import torch
    from torch.utils._pytree import tree_map_only

    if isinstance(tree, (list, tuple)) and tree and all(isinstance(value, (int, float)) for value in tree):
        return torch.as_tensor(tree)
    leaves(tree)
    return tree_map_only((np.ndarray, np.generic), torch.as_tensor, tree)


def examples(tree: Tree) -> int:
    """Return the length of the first axis of a tree's tensors.

    Raises:
        ValueError: there is no tensor, one without axes, or they differ in that length.
    """
    lengths = {len(tensor) if tensor.dim() else None for tensor in tensors(tree)}
    if len(lengths) != 1 or None in lengths:
        said = ", ".join(sorted(str(tuple(tensor.shape)) for tensor in tensors(tree)))
        raise ValueError(f"the first axis of each tensor counts examples, but their shapes are {said or 'none'}")
    (length,) = lengths
    assert length is not None
    return length


def pieces(tree: Tree, size: int) -> Iterator[Tree]:
    """Yield a tree cut along the first axis, `size` examples a piece; the last may be shorter."""
    for start in range(0, examples(tree), size):
        yield mapped(lambda tensor, at=start: tensor[at : at + size], tree)  # type: ignore[misc]


def shapes(tree: Tree) -> tuple[tuple[int, ...], ...]:
    """Return the shape of each tensor of a tree."""
    return tuple(tuple(tensor.shape) for tensor in tensors(tree))


def described(tree: Tree) -> str:
    """Return words on a tree for a message: `float32 (64, 2)`, or those of each of its parts under its name."""
    import torch

    if isinstance(tree, torch.Tensor):
        return f"{str(tree.dtype).removeprefix('torch.')} {tuple(tree.shape)}"
    if isinstance(tree, Mapping):
        return "{" + ", ".join(f"{name}: {described(part)}" for name, part in tree.items()) + "}"
    if isinstance(tree, (list, tuple)):
        return "(" + ", ".join(described(part) for part in tree) + ")"
    if _is_dataclass(tree):
        parts = ", ".join(f"{field.name}: {described(getattr(tree, field.name))}" for field in fields(tree))
        return f"{type(tree).__name__}({parts})"
    return type(tree).__name__


def _is_branch(leaf: object) -> bool:
    return _is_dataclass(leaf) or isinstance(leaf, Mapping)


def _is_dataclass(value: object) -> bool:
    return is_dataclass(value) and not isinstance(value, type)


def _register(kind: type) -> None:
    """Make a class of dataclasses or of mappings one that torch goes through."""
    from torch.utils._pytree import register_pytree_node

    if issubclass(kind, Mapping):
        register_pytree_node(
            kind,
            lambda tree: (list(tree.values()), list(tree)),
            lambda values, names: kind(dict(zip(names, values, strict=True))),  # type: ignore[call-arg]
        )
        return
    register_pytree_node(kind, _parts, lambda values, context: _whole(kind, list(values), context))


def _parts(tree: Any) -> tuple[list[Any], tuple[tuple[str, ...], tuple[tuple[str, Any], ...]]]:
    """Return what a dataclass holds, and the names of it; that there is nothing in a field is part of its form."""
    held = {field.name: getattr(tree, field.name) for field in fields(tree)}
    full = {name: value for name, value in held.items() if value is not None}
    return list(full.values()), (tuple(full), tuple((name, None) for name in held if name not in full))


def _whole(kind: type, values: list[Any], context: tuple[tuple[str, ...], tuple[tuple[str, Any], ...]]) -> Any:
    # Not by its `__init__`, which may work out other things than were given to it.
    made: Any = object.__new__(kind)
    names, empty = context
    for name, value in (*zip(names, values, strict=True), *empty):
        object.__setattr__(made, name, value)
    return made
