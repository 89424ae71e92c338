"""Attributes whose names have a hyphen, as Dash's components take them."""

from __future__ import annotations

from typing import Any


def aria(**values: str) -> dict[str, Any]:
    """Return `label="x"` as `aria-label`, and so on."""
    return {f"aria-{name}": value for name, value in values.items()}


def dataset(**values: str) -> dict[str, Any]:
    """Return `study="x"` as `data-study`, and so on."""
    return {f"data-{name}": value for name, value in values.items()}
