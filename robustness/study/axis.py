"""The values of one hyperparameter: a list, or a range on a log scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    WrapValidator,
    field_validator,
    model_serializer,
    model_validator,
)

from robustness.options import Model
from robustness.validation.messages import show
from robustness.validation.numbers import NonNegative, Positive, Whole, once_each, plain_list
from robustness.validation.problems import refusal, refuse, validated

if TYPE_CHECKING:
    from typing import Self

    from pydantic import ValidationInfo
    from pydantic_core import InitErrorDetails


def log_spaced(low: float, high: float, points: int) -> tuple[float, ...]:
    """Return `points` numbers from `low` to `high`, both included, evenly spaced on a log scale.

    The inner ones are rounded to 6 significant digits, so that a run's identity doesn't hang on the last bits
    of a logarithm.
    """
    if points == 1:
        return (low,)
    start, stop = math.log(low), math.log(high)
    inner = (math.exp(start + (stop - start) * i / (points - 1)) for i in range(1, points - 1))
    return (low, *(float(f"{value:.6g}") for value in inner), high)


class Axis(Model):
    """The values of one hyperparameter: a list, or `points` values from `low` to `high` on a log scale.

    A bare list stands for `{values: [...]}`.
    """

    listed: Annotated[tuple[Positive, ...] | None, WrapValidator(once_each)] = Field(
        None, alias="values", min_length=1, description="The values themselves, in any order, none twice."
    )
    low: Positive | None = Field(None, description="Least value.")
    high: Positive | None = Field(None, description="Greatest value, itself included.")
    points: Whole | None = Field(
        None, ge=1, le=1000, description="How many values, both ends included; a sampled search ignores it."
    )

    @field_validator("listed")
    @classmethod
    def _ascending(cls, values: tuple[float, ...] | None) -> tuple[float, ...] | None:
        return values and tuple(sorted(values))

    @property
    def values(self) -> tuple[float, ...]:
        """Return the values of the axis, ascending.

        Raises:
            ValueError: if it is a range without `points`, which only a sampled search can use.
        """
        if self.listed is not None:
            return self.listed
        if self.points is None or self.low is None or self.high is None:
            raise ValueError("a range without points has no values of its own")
        return log_spaced(self.low, self.high, self.points)

    @property
    def middle(self) -> float:
        """Return the middle value of a list, the upper of two; of a range the geometric middle."""
        if self.listed is not None:
            return self.listed[len(self.listed) // 2]
        assert self.low is not None
        assert self.high is not None
        return log_spaced(self.low, self.high, 3)[1]

    @model_validator(mode="wrap")
    @classmethod
    def _list_or_range(cls, raw: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(raw, Axis):
            return handler(raw)
        raw = plain_list(raw)
        if isinstance(raw, list):
            return handler({"values": raw})
        if not isinstance(raw, Mapping):
            raise refuse(refusal(f"expected a list of numbers or a mapping with low and high, got {show(raw)}"))
        more = _shape(raw)
        if "zero" in raw and "zero" not in cls.model_fields:
            more.append(refusal("is for weight_decay only: a learning rate of 0 trains nothing", "zero"))
            raw = {key: value for key, value in raw.items() if key != "zero"}
        if "values" in raw:
            raw = {**raw, "values": plain_list(raw["values"])}
        return validated(handler, raw, cls, *more)

    @field_validator("high")
    @classmethod
    def _not_below_low(cls, high: float | None, info: ValidationInfo) -> float | None:
        low = info.data.get("low")
        if low is not None and high is not None and low > high:
            raise refuse(refusal(f"must not be less than low, got {show(high)} with low: {show(low)}"))
        return high

    @field_validator("points")
    @classmethod
    def _distinct(cls, points: int | None, info: ValidationInfo) -> int | None:
        low, high = info.data.get("low"), info.data.get("high")
        if points is None or low is None or high is None:
            return points
        if points == 1 and low < high:
            raise refuse(refusal("needs at least 2 from low to high, got 1; for a single value write a list"))
        values = log_spaced(low, high, points)
        if any(left >= right for left, right in pairwise(values)):
            raise refuse(refusal(f"low and high are too close for {points} different values"))
        return points

    @model_serializer
    def _as_written(self) -> Any:
        if self.listed is not None:
            return list(self.listed)
        given = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: value for name, value in given.items() if value is not None and value is not False}


class DecayAxis(Axis):
    """Values of the weight decay: 0 may be in a list, and comes before a range's with `zero: true`."""

    listed: Annotated[tuple[NonNegative, ...] | None, WrapValidator(once_each)] = Field(
        None, alias="values", min_length=1, description="The values themselves, in any order, none twice."
    )
    zero: bool = Field(False, strict=True, description="Whether 0 is a value too, beside those of the range.")

    @property
    def is_positive(self) -> bool:
        """Whether a value is not 0."""
        return self.listed is None or any(self.listed)

    @property
    def values(self) -> tuple[float, ...]:
        """Return the values of the axis, ascending; see `Axis.values`."""
        return (0.0, *super().values) if self.zero else super().values


def _shape(raw: Mapping[str, object]) -> list[InitErrorDetails]:
    """Return what is wrong with an axis that is neither a list nor a range."""
    if "values" in raw:
        ends = [key for key in ("low", "high", "points", "zero") if key in raw]
        return [refusal("can't stand beside values: an axis is a list or a range", key) for key in ends]
    return [
        refusal("expected a number, got nothing" if key in raw else "is missing", key)
        for key in ("low", "high")
        if raw.get(key) is None
    ]
