"""Numbers of a study file."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, Strict, ValidatorFunctionWrapHandler

from robustness.options import Model
from robustness.validation.messages import show
from robustness.validation.problems import refusal, validated

Positive = Annotated[float, Strict(), Field(gt=0)]


# -0.0 is 0.0 to every optimizer: it must not become another run.
NonNegative = Annotated[float, Strict(), Field(ge=0), AfterValidator(abs)]


Whole = Annotated[int, Strict()]


def once_each(raw: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Refuse a number that is in a list twice, beside whatever else is wrong with the list."""
    items = list(raw) if isinstance(raw, (list, tuple)) else []
    first = {value: index for index, value in reversed(list(enumerate(items))) if _is_number(value)}
    repeats = [
        refusal(f"{show(value)} is in the list twice", index)
        for index, value in enumerate(items)
        if _is_number(value) and first[value] != index
    ]
    return validated(handler, raw, Model, *repeats)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
