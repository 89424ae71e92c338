"""What is wrong with a study: pydantic's errors in plain words, all of them at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError, to_json

from robustness.optimizers.base import Convention
from robustness.study.imported import ImportStringError, check, own_optimizer, own_workload
from robustness.study.messages import Loc, dotted, nearest, show, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CONVENTIONS = ", ".join(get_args(Convention))

M = TypeVar("M", bound=BaseModel)
R = TypeVar("R")


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a study; `str()` is its line, `file:line: key: message`."""

    file: str
    line: int | None
    key: str
    message: str
    loc: Loc = field(default=(), compare=False, repr=False)

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (where, self.key, self.message) if part)


class StudyError(Exception):
    """A study can't be read; `problems` has everything wrong with it, `str()` a line for each."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(list(problems))
        self.problems = list(problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


def refusal(message: str, *loc: str | int) -> InitErrorDetails:
    """Return one error at `loc`, below the value that is being validated."""
    kind = PydanticCustomError("study", "{message}", {"message": message})
    return InitErrorDetails(type=kind, loc=loc, input=None)


def placed(error: InitErrorDetails, *loc: str | int) -> InitErrorDetails:
    """Return the same error below `loc`."""
    return InitErrorDetails(type=error["type"], loc=(*loc, *error.get("loc", ())), input=None)


def placed_all(error: ValidationError, *loc: str | int) -> list[InitErrorDetails]:
    """Return the errors of one that was raised by `refuse`, below `loc`."""
    return [refusal(str(each["msg"]), *loc, *each["loc"]) for each in error.errors()]


def refuse(*refusals: InitErrorDetails) -> ValidationError:
    """Return an error to raise in a validator; pydantic puts the validated value's own place in front."""
    return ValidationError.from_exception_data("study", list(refusals))


def refusals_of(error: ValidationError, model: type[BaseModel], also: tuple[str, ...] = ()) -> list[InitErrorDetails]:
    """Return the errors of validating `model`, translated, to be raised again with others."""
    return [refusal(message, *loc) for loc, message in translated(error, model, also)]


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Return the errors of validating `model` as problems of no file."""
    return [Problem("", None, dotted(loc), message, loc) for loc, message in translated(error, model)]


def validated(handler: Callable[[Any], R], raw: object, model: type[BaseModel], *more: InitErrorDetails) -> R:
    """Run pydantic's own validation of `model` and raise what it finds together with `more`.

    Raises:
        ValidationError: with all of it, translated.
    """
    try:
        value = handler(raw)
    except ValidationError as error:
        raise refuse(*more, *refusals_of(error, model)) from None
    if more:
        raise refuse(*more)
    return value


def build(model: type[M], options: Mapping[str, object], also: tuple[str, ...] = ()) -> M:
    """Make a model of a mapping from YAML: a number in quotes, or `true` where 1 is meant, is refused.

    It goes through JSON because pydantic's strict mode takes lists for tuples only there.

    Raises:
        ValidationError: with the translated errors.
    """
    try:
        content = to_json(dict(options), inf_nan_mode="constants", fallback=str)
        return model.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise refuse(*refusals_of(error, model, also)) from None


def chosen(raw: object, known: Mapping[str, type[M]], what: str, also: tuple[str, ...] = ()) -> M:
    """Make the model that `raw` names: a bare name, or a mapping with `name` and options.

    A name with a colon is an import string.

    `also` are keys that the caller has taken out of the mapping; messages name them as allowed.

    Raises:
        ValidationError: with the translated errors.
    """
    names = ", ".join(sorted(known))
    loc = ("name",) if isinstance(raw, Mapping) else ()
    if isinstance(raw, Mapping) and "name" not in raw:
        raise refuse(refusal(f"is missing; the known {what}s are {names}", "name"))
    name = raw["name"] if isinstance(raw, Mapping) else raw
    if not isinstance(name, str):
        raise refuse(refusal(f"expected the name of {_a(what)} ({names}), got {show(name)}", *loc))
    options = raw if isinstance(raw, Mapping) else {"name": name}
    if ":" in name:
        return cast("M", _imported(options, what, also, *loc))
    if name not in known:
        hint = nearest(name, known)
        raise refuse(refusal(f"unknown {what} '{name}'{hint or ';'} the known ones are {names}", *loc))
    return build(known[name], options, also)


def _imported(options: Mapping[str, Any], what: str, also: tuple[str, ...], *loc: str) -> BaseModel:
    """Make the model whose name is an import string; `loc` is where the name is."""
    find = own_workload if what == "workload" else own_optimizer
    try:
        model: type[BaseModel] = find(options["name"])
    except ImportStringError as error:
        raise refuse(refusal(str(error), *loc)) from None
    if "convention" in model.model_fields and "convention" not in options:
        raise refuse(refusal(f"is missing: it says how weight decay acts, {CONVENTIONS}", "convention"))
    made = build(model, options, also)
    try:
        check(made)
    except ImportStringError as error:
        raise refuse(refusal(str(error), *error.loc)) from None
    return made


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
