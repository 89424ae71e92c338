"""The options of a class as a cell of a table: names, bounds and defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

SHARED = ("name", "schedule", "decay_on", "groups")
"""Options that every optimizer has, described once."""

WORDS = {"gt": "above", "ge": "from", "lt": "below", "le": "to"}


def listed(model: type[BaseModel]) -> str:
    """Return the options of its own, as in `eps` (above 0; 1e-08)."""
    own = {name: field for name, field in model.model_fields.items() if name not in SHARED}
    return ", ".join(f"`{name}` ({_about(field)})" for name, field in own.items())


def _about(field: FieldInfo) -> str:
    bounds = [
        f"{word} {getattr(mark, name):g}"
        for mark in field.metadata
        for name, word in WORDS.items()
        if getattr(mark, name, None) is not None
    ]
    return "; ".join([" ".join(bounds), _shown(field.default)] if bounds else [_shown(field.default)])


def _shown(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "none"}[value]
    if isinstance(value, tuple):
        return " and ".join(_shown(each) for each in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
