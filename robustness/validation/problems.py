"""What is wrong with a study: pydantic's errors in plain words, all of them at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError, to_json

from robustness.validation.messages import Loc, dotted, nearest, show, spelled, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

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
    """A study can't be read; `problems` has everything wrong with it, `str()` a line for each.

    Args:
        problems: everything that is wrong, each with its file, line and key.

    Example:
        >>> from robustness import Study, StudyError
        >>> try:
        ...     Study.parse("{workload: digits, optimizers: [adams]}")
        ... except StudyError as error:
        ...     print(error.problems[0])
        study.yaml:1: space: is missing
    """

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


def chosen(
    raw: object,
    known: Mapping[str, type[M]],
    what: str,
    also: tuple[str, ...] = (),
    own: Callable[[Mapping[str, Any], tuple[str, ...], Loc], M] | None = None,
) -> M:
    """Make the model that `raw` names: a bare name, or a mapping with `name` and options.

    Args:
        raw: as the study has it.
        known: the models by name.
        what: what they are called in messages.
        also: keys that the caller has taken out of the mapping; messages name them as allowed.
        own: makes the model of an import string, a name with a colon; of the mapping, `also` and the name's place.

    Raises:
        ValidationError: with the translated errors.
    """
    loc: Loc = ("name",) if isinstance(raw, Mapping) else ()
    if isinstance(raw, Mapping) and "name" not in raw:
        raise refuse(refusal(f"is missing; the known {what}s are {_listed(known)}", "name"))
    name = raw["name"] if isinstance(raw, Mapping) else raw
    if not isinstance(name, str):
        raise refuse(refusal(f"expected the name of {_a(what)} ({_listed(known)}), got {show(name)}", *loc))
    options = raw if isinstance(raw, Mapping) else {"name": name}
    if own and ":" in name:
        return own(options, also, loc)
    if name not in known:
        name = spelled(name, known)
        options = {**options, "name": name}
    if name not in known:
        hint = nearest(name, known)
        raise refuse(refusal(f"unknown {what} '{name}'{hint or ';'} the known ones are {_listed(known)}", *loc))
    return build(known[name], options, also)


def _listed(known: Iterable[str]) -> str:
    return ", ".join(sorted(known))


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
