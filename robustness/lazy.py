"""Names that a package hands on when they are asked for, and not before: what they rest on may take seconds to load."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def lazily(package: str, places: Mapping[str, str]) -> Callable[[str], object]:
    """Return the `__getattr__` of a package.

    Args:
        package: Its name.
        places: Where each name lies that it hands on, as `module:name`; a place that ends in `()` is called.
    """

    def attribute(name: str) -> object:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, _, found = places[name].partition(":")
        value: object = getattr(importlib.import_module(module), found.removesuffix("()"))
        return value() if found.endswith("()") and callable(value) else value

    return attribute
