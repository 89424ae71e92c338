"""What the parameters of a network are: a layout of pieces, in the order of `named_parameters`."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection

    from torch import nn

Kind = Literal["matrix", "embedding", "head", "bias", "gain", "other"]
"""What a piece is in its module.

A matrix is a weight of at least two dimensions, such as a convolution's; the head is the last of them; a gain scales
what a normalization has made; a bias shifts, also there.
"""


@dataclass(frozen=True)
class Piece:
    """A parameter of a network.

    Attributes:
        name: As `named_parameters` has it.
        shape: Of the parameter.
        start: Its first column in a row of all pieces.
        kind: What it is.
        normalized: Whether a normalization follows: then only the direction of a matrix matters to what comes after.
    """

    name: str
    shape: tuple[int, ...]
    start: int
    kind: Kind
    normalized: bool = False

    @property
    def size(self) -> int:
        """How many numbers it has."""
        count = 1
        for each in self.shape:
            count *= each
        return count

    @property
    def stop(self) -> int:
        """The column behind its last."""
        return self.start + self.size

    @property
    def is_matrix(self) -> bool:
        """Whether it has at least two dimensions."""
        return len(self.shape) > 1


Layout = tuple[Piece, ...]


def layout_of(model: nn.Module, names: Collection[str] | None = None) -> Layout:
    """Return the pieces of a network; of its parameters called `names`, or of all that ask for a gradient."""
    chosen = {name: p for name, p in model.named_parameters() if (p.requires_grad if names is None else name in names)}
    kinds, normalized = _kinds(model, set(chosen)), _normalized(model)
    pieces, start = [], 0
    for name, p in chosen.items():
        pieces.append(Piece(name, tuple(p.shape), start, kinds[name], name in normalized))
        start = pieces[-1].stop
    return tuple(pieces)


def _kinds(model: nn.Module, names: set[str]) -> dict[str, Kind]:
    found: dict[str, Kind] = {}
    for place, module in model.named_modules():
        for own, p in module.named_parameters(recurse=False):
            name = f"{place}.{own}" if place else own
            if name in names:
                found[name] = _kind(module, own, p.dim())
    matrices = [name for name, _ in model.named_parameters() if found.get(name) == "matrix"]
    if matrices:
        found[matrices[-1]] = "head"
    # One that two modules share is called by the first of them.
    return {name: found.get(name, "other") for name in names}


def _kind(module: nn.Module, own: str, dimensions: int) -> Kind:
    from torch import nn

    if isinstance(module, (nn.Embedding, nn.EmbeddingBag)):
        return "embedding"
    if dimensions > 1:
        return "matrix"
    if "bias" in own:
        return "bias"
    return "gain" if _is_normalization(module) else "other"


def _is_normalization(module: nn.Module) -> bool:
    """Whether a module is one of torch's normalizations, or calls itself one."""
    return "norm" in type(module).__name__.lower()


def _normalized(model: nn.Module) -> set[str]:
    """Return the names of matrices that a normalization follows among the modules of one parent."""
    found = set()
    for place, parent in model.named_modules():
        children = list(parent.named_children())
        for (name, module), (_, after) in pairwise(children):
            weight = getattr(module, "weight", None)
            if weight is not None and weight.dim() > 1 and _is_normalization(after):
                found.add(".".join(part for part in (place, name, "weight") if part))
    return found
