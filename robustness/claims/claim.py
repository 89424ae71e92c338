"""A claim about optimizers as data: which measure, of which optimizer, against which others, in which direction."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, Strict, WithJsonSchema, model_validator
from pydantic_core import PydanticKnownError

from robustness.claims.measures import MEASURES, Measure, measure, measures
from robustness.options import Model
from robustness.plugins import PluginError
from robustness.validation.messages import show
from robustness.validation.numbers import Positive, Whole
from robustness.validation.problems import refusal, refuse
from robustness.workloads.base import Engine

if TYPE_CHECKING:
    from typing import Self

    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema, InitErrorDetails

Direction = Literal["greater", "less", "differs", "equal"]
ID = r"[a-z0-9][a-z0-9-]{0,63}"


def _names(raw: object) -> object:
    """Make a list of a single name, and refuse a list that has a name twice."""
    if isinstance(raw, str):
        return (raw,)
    if not isinstance(raw, (list, tuple)):
        raise refuse(refusal(f"expected a name or a list of names, got {show(raw)}"))
    repeats = [
        refusal(f"{show(name)} is in the list twice", place) for place, name in enumerate(raw) if name in raw[:place]
    ]
    if repeats:
        raise refuse(*repeats)
    return tuple(raw)


def _one_line(text: str) -> str:
    if not text.strip() or "\n" in text.strip():
        raise refuse(refusal("must be a sentence on one line"))
    return text.strip()


def _slug(text: str) -> str:
    if not re.fullmatch(ID, text):
        raise refuse(refusal(f"must be 1 to 64 of a-z, 0-9 and '-', a letter or digit first, got {show(text)}"))
    return text


def _not_empty(text: str) -> str:
    if not text:
        raise refuse(refusal("must not be empty"))
    return text


def _measure(raw: object) -> object:
    """Refuse what no measure is called, of this package or another's."""
    if isinstance(raw, str) and raw in MEASURES:
        return raw
    try:
        known = measures()
    except PluginError as error:
        raise refuse(refusal(str(error))) from None
    if not isinstance(raw, str) or raw not in known:
        *names, last = [f"'{name}'" for name in known]
        raise PydanticKnownError("literal_error", {"expected": f"{', '.join(names)} or {last}"})
    return raw


class _MeasureNames:
    """The names of all measures as an enumeration in the schema: which those are is known when it is asked for."""

    def __get_pydantic_json_schema__(self, _core: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"enum": list(measures()), "type": "string"}


_NAME = {"type": "string", "minLength": 1}
MeasureName = Annotated[str, BeforeValidator(_measure), _MeasureNames()]
"""The name of a row of `robustness.claims.measures`."""
Name = Annotated[str, Strict(), AfterValidator(_not_empty)]
_LIST: dict[str, object] = {"type": "array", "items": _NAME, "uniqueItems": True}
Names = Annotated[tuple[Name, ...], BeforeValidator(_names), WithJsonSchema({"anyOf": [_NAME, _LIST]})]
SomeNames = Annotated[
    tuple[Name, ...],
    Field(min_length=1),
    BeforeValidator(_names),
    WithJsonSchema({"anyOf": [_NAME, _LIST | {"minItems": 1}]}),
]


class Where(Model):
    """What runs must be like for a claim to be about them; a key that is absent asks for nothing."""

    workload: Names = Field((), description="The workload's name, or several of which one must be it.")
    schedule: Name | None = Field(None, description="Kind of the learning-rate schedule.")
    engine: Engine | None = Field(None, description="`stack` or `single`.")
    epochs_at_least: Whole | None = Field(None, ge=1, description="Epochs that the workload must have.")


class Claim(Model):
    """One sentence that runs can bear out or contradict.

    Optimizers go by their label in a study or by their registry name. Every measure is taken at the cell that an
    optimizer's validation error chooses, or over its whole landscape; `analysis.measures` has the definitions.

    Attributes:
        id: Its name.
        sentence: What it says.
        figure: Figure, theorem or text of the paper that says so; "" for a claim of one's own.
        measure: What is compared.
        column: Column of the runs table, for `matched` and `trend` alone.
        of: The optimizer that it is about; several for a `trend` of each.
        against: The optimizers that it is compared with; empty only for a `trend`, which is compared with 0.
        direction: How `of` relates to each of `against`.
        margin: How far from equality still counts as equal, in the measure's unit; 0.05 of a ratio is within 5 %.
        deltas: Points of error that bound the basin; empty for those of whoever asks.
        where: Which runs it is about.
        study: Study file that gives the data; "" where none is named.
    """

    id: Annotated[str, Strict(), AfterValidator(_slug)] = Field(
        json_schema_extra={"pattern": f"^{ID}$"}, description="Its name: a-z, 0-9 and '-'."
    )
    sentence: Annotated[str, Strict(), AfterValidator(_one_line)] = Field(description="What it says, on one line.")
    figure: Annotated[str, Strict()] = Field("", description="Where it is said.")
    measure: MeasureName = Field(description="What is compared.")
    column: Annotated[str, Strict()] = Field("", description="Column of the runs table; for matched and trend alone.")
    of: SomeNames = Field(description="The optimizer that it is about, by label or name; several for a trend.")
    against: Names = Field((), description="The optimizers that it is compared with; a trend needs none.")
    direction: Direction = Field(description="How `of` relates to each of `against`.")
    margin: Positive | None = Field(None, description="What still counts as equal; 0.05 of a ratio is within 5 %.")
    deltas: tuple[Positive, ...] = Field((), description="Points of error that bound a basin; the caller's if absent.")
    where: Where = Field(Where(), description="Which runs it is about.")
    study: Annotated[str, Strict()] = Field("", description="Study file that gives the data.")

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        wrong = [*self._wrong_column(), *self._wrong_optimizers(), *self._wrong_bounds()]
        if wrong:
            raise refuse(*wrong)
        return self

    @property
    def row(self) -> Measure:
        """What there is to know of its measure."""
        return measure(self.measure)

    def _wrong_column(self) -> list[InitErrorDetails]:
        if self.row.column and not self.column:
            return [refusal(f"is missing: {self.measure} reads a column of the runs table", "column")]
        if not self.row.column and self.column:
            readers = " and ".join(row.name for row in MEASURES.values() if row.column)
            return [refusal(f"is for {readers} alone, not for {self.measure}", "column")]
        return []

    def _wrong_optimizers(self) -> list[InitErrorDetails]:
        wrong = []
        if len(self.of) > 1 and (not self.row.against_zero or self.against):
            wrong.append(refusal("must be one optimizer; only a trend, compared with nothing, takes several", "of"))
        if not self.against and not self.row.against_zero:
            wrong.append(refusal("is missing: the optimizers to compare with", "against"))
        both = [name for name in self.against if name in self.of]
        if both:
            wrong.append(refusal(f"has {show(both[0])}, which is also what the claim is of", "against"))
        return wrong

    def _wrong_bounds(self) -> list[InitErrorDetails]:
        wrong = []
        if self.direction == "equal" and self.margin is None:
            wrong.append(refusal("is missing: it says how far apart still counts as equal", "margin"))
        if self.direction in {"greater", "less"} and self.margin is not None:
            wrong.append(refusal(f"is for equal and differs alone, not for {self.direction}", "margin"))
        if self.deltas and not self.row.basin:
            wrong.append(refusal(f"has no meaning for {self.measure}, which has no basin", "deltas"))
        return wrong
