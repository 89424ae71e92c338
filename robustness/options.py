"""The base of all options, and marks on options that a run's identity leaves out.

A run is known by its options: what decides its outcome is part of its identity. Two marks, given as
`Annotated[int | None, LATER]`, say where that is not so; `left_out` finds the marked options of a model. A mark
stands around the whole type: inside a union or a tuple it says nothing.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo


class Model(BaseModel):
    """A pydantic model that refuses unknown keys and does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Named(Model):
    """Options under a name. A subclass that does not name itself has the name by which it is imported.

    So another network built on a known workload is never taken for it.
    """

    name: str

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "name" not in inspect.get_annotations(cls):
            name = FieldInfo(annotation=str, default=f"{cls.__module__}:{cls.__qualname__}")
            cls.__pydantic_fields__["name"] = name
            cls.model_rebuild(force=True)


@dataclass(frozen=True)
class Mark:
    """What an annotation says of an option besides its type."""

    name: str


LATER: Final = Mark("later")
"""An option that came after results were stored.

It is left out of a run's identity at its default, which must therefore train as before.
"""

ELSEWHERE: Final = Mark("elsewhere")
"""An option that decides no outcome, such as where data lie: never part of the identity."""


def left_out(model: BaseModel) -> dict[str, Any]:
    """Return what a run's identity leaves out of `model`, in the form that pydantic's `exclude=` takes.

    That is every option marked ELSEWHERE, and every one marked LATER whose value is its default. Models inside
    `model` are searched too, also those in tuples, lists and dictionaries: they appear as nested mappings, by the
    name of their field and their index or key.
    """
    found: dict[str, Any] = {}
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if ELSEWHERE in field.metadata or (LATER in field.metadata and value == _default(field, model)):
            found[name] = True
        elif inside := _left_out_of(value):
            found[name] = inside
    return found


def _default(field: FieldInfo, model: BaseModel) -> object:
    return field.get_default(call_default_factory=True, validated_data=vars(model))


def _left_out_of(value: object) -> dict[Any, Any]:
    if isinstance(value, BaseModel):
        return left_out(value)
    items = enumerate(value) if isinstance(value, (tuple, list)) else value.items() if isinstance(value, dict) else ()
    return {key: inside for key, item in items if (inside := _left_out_of(item))}
