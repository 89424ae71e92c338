"""The optimizers of a study, each with its options and a label of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    SerializeAsAny,
    ValidationError,
    WrapValidator,
    model_serializer,
    model_validator,
)

from robustness.optimizers import OPTIMIZERS, Optimizer
from robustness.options import Model
from robustness.study.axis import Axis, DecayAxis
from robustness.study.own_classes import optimizer_of, with_known_name, written_out
from robustness.study.space import SearchSpace
from robustness.validation.messages import nearest, show
from robustness.validation.problems import chosen, placed_all, refusal, refuse, validated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import ValidatorFunctionWrapHandler
    from pydantic_core import InitErrorDetails


OWN_KEYS = ("label", "space")
"""Keys of an entry that are no options of its optimizer."""


def _label(label: object) -> str:
    if not isinstance(label, str):
        raise refuse(refusal(f"expected text, got {show(label)}"))
    if not re.fullmatch(r"\S|\S[^\n\r\t]{0,62}\S", label):
        raise refuse(refusal(f"must be 1 to 64 characters on a line, no space at its ends, got {show(label)}"))
    return label


class OwnSpace(Model):
    """The learning rates or weight decays of one optimizer, in place of the study's."""

    lr: Axis | None = Field(None, description="Base learning rates of this optimizer; the study's if absent.")
    weight_decay: DecayAxis | None = Field(None, description="Weight decays of this optimizer, on the common scale.")


class OptimizerEntry(Model):
    """An optimizer with its options under a label, so that one optimizer can enter a study twice."""

    label: Annotated[str, BeforeValidator(_label)] = Field(
        min_length=1,
        max_length=64,
        description="Its name in tables and figures.",
    )
    optimizer: SerializeAsAny[Optimizer]
    space: OwnSpace | SearchSpace | None = Field(None, description="Its own learning rates or weight decays.")

    @model_validator(mode="before")
    @classmethod
    def _from_yaml(cls, raw: object) -> object:
        if isinstance(raw, OptimizerEntry) or (isinstance(raw, Mapping) and "optimizer" in raw):
            return raw
        if isinstance(raw, Optimizer):
            return {"label": raw.name, "optimizer": raw}
        raw = with_known_name(raw, OPTIMIZERS)
        if not isinstance(raw, Mapping):
            return {"label": raw, "optimizer": _optimizer(raw)}
        options = {key: value for key, value in raw.items() if key not in OWN_KEYS}
        more = []
        for key, check in (("label", _label), ("space", _own_space)):
            if key in raw:
                try:
                    check(raw[key])
                except ValidationError as error:
                    more += placed_all(error, key)
        optimizer = validated(_optimizer, options, Optimizer, *more)
        space = _own_space(raw["space"]) if "space" in raw else None
        return {"label": raw.get("label", raw["name"]), "optimizer": optimizer, "space": space}

    @model_serializer
    def _as_written(self) -> dict[str, object]:
        space = self.space.model_dump(mode="json", exclude_none=True) if self.space else None
        options = self.optimizer.model_dump(
            mode="json", exclude={"schedule"} if self.optimizer.schedule is None else None
        )
        return {"label": self.label, **options, **({"space": space} if space else {})}


def _optimizer(raw: object) -> Optimizer:
    return chosen(written_out(raw, OPTIMIZERS), OPTIMIZERS, "optimizer", OWN_KEYS, optimizer_of)


def wrong_reference(reference: str | None, entries: Sequence[OptimizerEntry]) -> list[InitErrorDetails]:
    """Return what is wrong with the label of the optimizer that the others are compared with: it is nobody's."""
    labels = [entry.label for entry in entries]
    if reference is None or reference in labels:
        return []
    words = f"must be the label of an optimizer, one of {', '.join(labels)}{nearest(reference, labels)}"
    return [refusal(f"{words}, got {show(reference)}", "reference")]


def _own_space(raw: object) -> object:
    if isinstance(raw, (OwnSpace, SearchSpace)):
        return raw
    if not isinstance(raw, Mapping) or not raw:
        raise refuse(refusal(f"expected a mapping with lr, weight_decay or both, got {show(raw)}"))
    return validated(OwnSpace.model_validate, raw, OwnSpace)


def _labels_differ(raw: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Refuse a label or an optimizer that is there twice, beside whatever is wrong with each entry."""
    if not isinstance(raw, (list, tuple)):
        raise refuse(refusal(f"expected a list of optimizers, got {show(raw)}"))
    labels = [_label_of(each) for each in raw]
    clashes = [
        refusal(f"the label '{label}' is already that of optimizers[{labels.index(label)}]; add another", index)
        for index, label in enumerate(labels)
        if isinstance(label, str) and label in labels[:index]
    ]
    entries = validated(handler, raw, OptimizerEntry, *clashes)
    optimizers = [entry.optimizer for entry in entries]
    twice = [
        refusal(f"is the same optimizer with the same options as optimizers[{optimizers.index(each)}]", index)
        for index, each in enumerate(optimizers)
        if each in optimizers[:index]
    ]
    if twice:
        raise refuse(*twice)
    return entries


def _label_of(raw: object) -> object:
    raw = with_known_name(raw, OPTIMIZERS)
    if isinstance(raw, Mapping):
        return raw.get("label", raw.get("name"))
    if isinstance(raw, OptimizerEntry):
        return raw.label
    return raw.name if isinstance(raw, Optimizer) else raw


Optimizers = Annotated[tuple[OptimizerEntry, ...], Field(min_length=1), WrapValidator(_labels_differ)]
