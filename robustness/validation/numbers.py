"""Numbers of a study file."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, Strict, ValidatorFunctionWrapHandler

from robustness.options import Model
from robustness.validation.messages import show
from robustness.validation.problems import refusal, validated
from robustness.validation.stored_studies import is_stored

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeGuard

ONE_NUMBER = 1e-9
"""Relative difference up to which two fractions are one number, which a script wrote in two ways (0.3 and 0.1 * 3)."""

Positive = Annotated[float, Strict(), Field(gt=0)]


# -0.0 is 0.0 to every optimizer: it must not become another run.
NonNegative = Annotated[float, Strict(), Field(ge=0), AfterValidator(abs)]


Whole = Annotated[int, Strict()]


def plain_list(raw: Any) -> Any:
    """Return a list of plain numbers for an array or tensor, or for a list of NumPy's numbers; else `raw`."""
    if callable(listed := getattr(raw, "tolist", None)):
        raw = listed()
    if isinstance(raw, (list, tuple)):
        return [each.item() if callable(getattr(each, "item", None)) else each for each in raw]
    return raw


def once_each(raw: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Refuse a number that is in a list twice, beside whatever else is wrong with the list."""
    items = list(raw) if isinstance(raw, (list, tuple)) else []
    repeats = [
        refusal(f"{show(items[index])} is in the list twice{_as_written(items[first], items[index])}", index)
        for index, first in sorted(_repeats(items).items())
    ]
    return validated(handler, raw, Model, *repeats)


def _repeats(items: Sequence[object]) -> dict[int, int]:
    """Return the place of each number that is there before -> the place of the one before it that it equals."""
    numbers = sorted((value, index) for index, value in enumerate(items) if _is_number(value))
    repeats: dict[int, int] = {}
    start = 0
    for end in range(1, len(numbers) + 1):
        if end == len(numbers) or not _one_number(numbers[end - 1][0], numbers[end][0]):
            first, *others = sorted(index for _, index in numbers[start:end])
            repeats |= dict.fromkeys(others, first)
            start = end
    return repeats


def _one_number(one: float, other: float) -> bool:
    if isinstance(one, int) and isinstance(other, int):
        return one == other
    return one == other or (not is_stored() and math.isclose(one, other, rel_tol=ONE_NUMBER))


def _as_written(first: float, other: float) -> str:
    return "" if first == other else f": as {show(first)} before, which it equals to nine digits"


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
