"""Groups of parameters with factors on the study's rates, as an entry says them or as a workload gives them."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import Field, model_validator

from robustness.options import Model
from robustness.parameters.keywords import Keywords
from robustness.parameters.parameter_layout import Kind
from robustness.validation.messages import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Self

    from torch import Tensor

    from robustness.parameters.parameter_layout import Layout, Piece

DecayOn = Literal["all", "matrices"]
"""Which parameters decay: all, or those of at least two dimensions, so neither biases nor gains."""

_Factor = Annotated[float, Field(ge=0)]


class Group(Model):
    """Parameters, by name or kind, with factors on the study's learning rate and weight decay."""

    match: str | None = Field(None, min_length=1, description="Pattern of their names, such as `*.bias`.")
    kind: Kind | None = Field(None, description="What they are in their module.")
    lr_factor: _Factor = Field(1.0, description="Times the study's learning rate.")
    weight_decay_factor: _Factor = Field(1.0, description="Times the study's weight decay.")
    options: Keywords = Field(Keywords({}), description="What else the optimizer's class asks of a group.")

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if self.match is None and self.kind is None:
            raise ValueError(f"a group says `match`, a pattern of names, or `kind`, one of {', '.join(get_args(Kind))}")
        return self

    def has(self, piece: Piece) -> bool:
        """Return whether a parameter is one of the group."""
        return (self.match is None or fnmatchcase(piece.name, self.match)) and self.kind in {None, piece.kind}


class GroupError(Exception):
    """Groups that do not fit a network; `str()` says which, and what names there are."""


@dataclass(frozen=True)
class Factors:
    """What a parameter gets: factors on the study's rates, and what else its group says."""

    lr: float = 1.0
    weight_decay: float = 1.0
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def key(self) -> tuple[object, ...]:
        """What parameters of one group have alike."""
        return (self.lr, self.weight_decay, repr(sorted(self.options.items())))


def assigned(layout: Layout, groups: Sequence[Group], decay_on: DecayOn) -> list[Factors]:
    """Return the factors of each piece: of the first group that has it, else of `decay_on`.

    Raises:
        GroupError: a group has no piece.
    """
    found, used = [], set()
    for piece in layout:
        number = next((number for number, group in enumerate(groups) if group.has(piece)), None)
        if number is None:
            found.append(Factors(weight_decay=1.0 if decay_on == "all" or piece.is_matrix else 0.0))
        else:
            used.add(number)
            one = groups[number]
            found.append(Factors(one.lr_factor, one.weight_decay_factor, dict(one.options)))
    for number, group in enumerate(groups):
        if number not in used:
            raise GroupError(_nothing(number, group, layout))
    return found


def _nothing(number: int, group: Group, layout: Layout) -> str:
    pieces = [piece for piece in layout if group.has(piece)]
    if pieces:
        return f"groups[{number}] has no parameter: those that it matches are of a group before it"
    names = [piece.name for piece in layout]
    what = f"match '{group.match}'" if group.match is not None else f"kind {group.kind}"
    hint = nearest(group.match, names) if group.match is not None else ""
    kinds = ", ".join(dict.fromkeys(piece.kind for piece in layout))
    shown = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
    return f"groups[{number}]: {what} is that of no parameter{hint or ';'} there are {shown}, of the kinds {kinds}"


def given(layout: Layout, groups: Iterable[Mapping[str, Any]], parameters: Mapping[str, Tensor]) -> list[Factors]:
    """Return the factors of each piece, of groups as a workload's `parameter_groups` gives them.

    Args:
        layout: of the parameters that are trained.
        groups: each with `params`, tensors, and at will `lr_factor`, `weight_decay_factor` and what a class asks for.
        parameters: of the network, by name.

    Raises:
        GroupError: a parameter is in no group, or in two.
    """
    names = {id(p): name for name, p in parameters.items()}
    found: dict[str, Factors] = {}
    for number, group in enumerate(groups):
        rest = {key: value for key, value in group.items() if key not in {"params", "lr_factor", "weight_decay_factor"}}
        one = Factors(float(group.get("lr_factor", 1)), float(group.get("weight_decay_factor", 1)), rest)
        for p in group["params"]:
            name = names.get(id(p))
            if name is None or name in found:
                what = "a parameter that is none of the network's" if name is None else f"'{name}' a second time"
                raise GroupError(f"parameter_groups gives {what}, in group {number}")
            found[name] = one
    if lacking := [piece.name for piece in layout if piece.name not in found]:
        raise GroupError(f"parameter_groups gives no group to {', '.join(lacking[:10])}")
    return [found[piece.name] for piece in layout]
