"""Keyword arguments of a study file: plain values that do not change."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import core_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler

Value = bool | int | float | str | None | tuple["Value", ...]


class Keywords(Mapping[str, Value]):
    """Keyword arguments that do not change and can be hashed; lists are kept as tuples.

    Unlike numbers, they are equal only when they are written alike: 1, 1.0 and true are three values, which an
    optimizer may tell apart.
    """

    def __init__(self, values: Mapping[str, object]) -> None:
        """Take the arguments.

        Raises:
            ValueError: a name is not text, or a value is neither a finite number, text, true, false, nothing nor a
                list of these.
        """
        if wrong := [name for name in values if not isinstance(name, str)]:
            raise ValueError(f"the name of a keyword argument is text, got {wrong[0]!r}")
        self._values = {name: _frozen(name, values[name]) for name in sorted(values)}
        self._text = json.dumps(self._values)

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Keywords) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return repr(self._values)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _keywords, serialization=core_schema.plain_serializer_function_ser_schema(dict)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        scalar = {"type": ["boolean", "number", "string", "null"]}
        return {"type": "object", "additionalProperties": {"anyOf": [scalar, {"type": "array"}]}}


def _keywords(raw: object) -> Keywords:
    if not isinstance(raw, Mapping):
        raise ValueError(f"expected a mapping of keyword arguments, got {raw!r}")
    return raw if isinstance(raw, Keywords) else Keywords(raw)


def _frozen(name: str, value: object) -> Value:
    if isinstance(value, (list, tuple)):
        return tuple(_frozen(name, each) for each in value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{name} must be a finite number, got {value}")
        return value + 0.0  # -0.0 is 0.0, as everywhere in a run's identity
    if value is None or isinstance(value, (bool, int, str)):
        return value
    raise ValueError(f"{name} must be a number, text, true, false or a list of these, got {value!r}")
