"""Which learning rates and weight decays a study asks about, and how it goes through them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, SerializeAsAny, model_serializer

from robustness.options import Model
from robustness.study.axis import Axis, DecayAxis
from robustness.study.samplers import SAMPLERS
from robustness.validation.messages import nearest, show, spelled
from robustness.validation.numbers import Whole
from robustness.validation.problems import build, refusal, refuse, validated
from robustness.validation.stored_studies import is_stored

if TYPE_CHECKING:
    from pydantic_core import InitErrorDetails

    from robustness.optimizers import Optimizer

__all__ = ["Axis", "DecayAxis", "Grid", "Sampled", "Search", "SearchSpace"]

if TYPE_CHECKING:
    SamplerName = str
else:  # pydantic refuses what is no row
    SamplerName = Literal[tuple(SAMPLERS)]

LARGEST = 3.4028234663852886e38
"""The greatest number of single precision."""

AHEAD = 16
"""Cells that a sampler which learns asks ahead: stacks are worth training, and a search of dozens still learns."""

_ASKING_FOR_ALL = " and ".join(name for name, row in SAMPLERS.items() if not row.learns)


class SearchSpace(Model):
    """The plane that a study maps. `weight_decay` is on the common scale, that of L2 and of AdamS."""

    lr: Axis = Field(description="Base learning rates, which the workload's schedule scales.")
    weight_decay: DecayAxis = Field(description="Weight decays on the common scale; AdamW is given 1000 times it.")

    def middle(self) -> SearchSpace:
        """Return a space of one cell: the middle of each list, the geometric middle of each range."""
        return SearchSpace(
            lr=Axis(values=(self.lr.middle,)), weight_decay=DecayAxis(values=(self.weight_decay.middle,))
        )


class Grid(Model):
    """Every learning rate with every weight decay."""

    sampler: ClassVar[Literal["grid"]] = "grid"

    @model_serializer
    def _as_written(self) -> str:
        return "grid"


class Sampled(Model):
    """Cells that an Optuna sampler chooses, one Optuna study for each optimizer."""

    sampler: SamplerName = Field(description=f"Optuna's sampler: {', '.join(row.title for row in SAMPLERS.values())}.")
    cells: Whole = Field(ge=1, le=100_000, description="Cells for each optimizer; every cell is run with every seed.")
    ahead: Whole | None = Field(
        None,
        ge=1,
        description="Cells an optimizer that may be in training at a time, which bounds what a cluster grows to; fewer"
        f" let a sampler that learns choose better. {AHEAD} if absent, for {_ASKING_FOR_ALL} all.",
    )

    @property
    def learns(self) -> bool:
        """Whether the sampler chooses by the cells before."""
        return SAMPLERS[self.sampler].learns

    @property
    def cells_ahead(self) -> int:
        """Cells of each optimizer that may be out at a time; one that learns nothing waits for none."""
        return min(self.cells, self.ahead or (AHEAD if self.learns else self.cells))


def as_search(raw: object) -> object:
    """Make a search of its YAML form: `grid`, or a mapping with `sampler` and `cells`."""
    names = ", ".join(SAMPLERS)
    raw = spelled(raw, ("grid", *SAMPLERS)) if isinstance(raw, str) else raw
    if raw == "grid":
        return Grid()
    if isinstance(raw, (Grid, Sampled)):
        return raw
    if isinstance(raw, Mapping):
        sampler = raw.get("sampler")
        if isinstance(sampler, str):
            raw = {**raw, "sampler": (sampler := spelled(sampler, SAMPLERS))}
        if isinstance(sampler, str) and sampler not in SAMPLERS:
            hint = nearest(sampler, SAMPLERS) or ";"
            message = f"unknown sampler '{sampler}'{hint} the known ones are {names} (a grid is `search: grid`)"
            rest = {**raw, "sampler": "random"}
            return validated(lambda value: build(Sampled, value), rest, Sampled, refusal(message, "sampler"))
        return build(Sampled, raw)
    if raw in SAMPLERS:
        raise refuse(refusal(f"a sampler needs its number of cells: {{sampler: {raw}, cells: 40}}"))
    raise refuse(refusal(f"expected grid or a mapping with sampler ({names}) and cells, got {show(raw)}"))


Search = Annotated[SerializeAsAny[Grid | Sampled], BeforeValidator(as_search)]


def without_points(raw: object) -> list[InitErrorDetails]:
    """Return which ranges of a search space, checked or not, lack the `points` that a grid needs."""
    axes = {
        key: raw.get(key) if isinstance(raw, Mapping) else getattr(raw, key, None) for key in SearchSpace.model_fields
    }
    lacking = [
        key
        for key, axis in axes.items()
        if (isinstance(axis, Mapping) and "values" not in axis and "points" not in axis)
        or (isinstance(axis, Axis) and not (axis.listed or axis.points))
    ]
    return [refusal("is missing: a grid needs it", key, "points") for key in lacking]


def too_few_cells(space: SearchSpace, search: Sampled) -> list[InitErrorDetails]:
    """Return a refusal if the lists of `space` have fewer different cells than `search` is to find."""
    cells = _different(space.lr) * _different(space.weight_decay)
    if cells < search.cells:
        return [refusal(f"has only {cells:.0f} different cells, fewer than the {search.cells} of search.cells")]
    return []


def beyond_single(space: SearchSpace, optimizer: Optimizer, label: str) -> dict[str, InitErrorDetails]:
    """Return, by axis, a refusal of values that are infinite in single precision as `optimizer` is given them."""
    if is_stored():
        return {}
    lr, decay = _greatest(space.lr), _greatest(space.weight_decay)
    given = optimizer.native_weight_decay(decay)
    most = f"more than the {LARGEST:.1e} that single precision holds"
    wrong = {}
    if lr > LARGEST:
        wrong["lr"] = refusal(f"{show(lr)} is {most}", "lr")
    if not given <= LARGEST:
        as_given = f"gives {label} {given:g}," if given != decay else "is"
        wrong["weight_decay"] = refusal(f"{show(decay)} {as_given} {most}", "weight_decay")
    return wrong


def _greatest(axis: Axis) -> float:
    return max(axis.listed) if axis.listed else axis.high or 0.0


def _different(axis: Axis) -> float:
    """Return how many values a sampler can draw."""
    if axis.listed is not None:
        return len(axis.listed)
    return 1 + getattr(axis, "zero", False) if axis.low == axis.high else math.inf
