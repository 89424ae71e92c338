"""Pydantic's errors in words for whoever wrote a study file: allowed keys, the nearest word, no jargon."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic import BaseModel

from robustness import redaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

Loc = tuple[str | int, ...]

MOST = 200
"""Errors of one model that are put into words: looking for the nearest word takes its time, and nobody reads more."""


def dotted(loc: Iterable[str | int]) -> str:
    """Write a place in a study as a key: `optimizers[1].betas`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc).removeprefix(".")


def show(value: object) -> str:
    """Name a value as its author would know it from YAML."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        return _show_number(value)
    if isinstance(value, (Mapping, list, tuple)):
        noun = "mapping" if isinstance(value, Mapping) else "list"
        return f"a {noun}" if value else f"an empty {noun}"
    text = redaction.text(" ".join(str(value).split()))
    return f"the text '{text if len(text) <= 60 else text[:57] + '...'}'"


def _show_number(value: float) -> str:
    if isinstance(value, int):
        return str(value) if abs(value) < 10**30 else "a huge whole number"
    if not math.isfinite(value):
        return ".nan" if math.isnan(value) else f"{'-' if value < 0 else ''}.inf"
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


def nearest(word: object, known: Iterable[object]) -> str:
    """Return `, did you mean 'x'?` for the known word closest to `word`, or nothing."""
    found = _near(word, known, most=1, cutoff=0.6)
    return f", did you mean '{found[0]}'?" if found else ""


def close(word: object, known: Iterable[object]) -> str:
    """Return `, did you mean 'x', 'y' or 'z'?` for up to three known words near `word`, or nothing."""
    found = _near(word, known, most=3, cutoff=0.5)
    quoted = [f"'{each}'" for each in found]
    words = f"{', '.join(quoted[:-1])} or {quoted[-1]}" if len(quoted) > 1 else "".join(quoted)
    return f", did you mean {words}?" if found else ""


def _near(word: object, known: Iterable[object], *, most: int, cutoff: float) -> list[str]:
    """Return the known words nearest to `word`, case left aside: to difflib a capital is another letter."""
    folded: dict[str, list[str]] = {}
    for each in map(str, known):
        folded.setdefault(each.casefold(), []).append(each)
    found = difflib.get_close_matches(str(word).casefold(), folded, n=most, cutoff=cutoff)
    return [each for fold in found for each in folded[fold]][:most]


def spelled(word: str, known: Iterable[str]) -> str:
    """Return the known word that is equal to `word` but for case; `word` itself where none is, or several are."""
    every = list(known)
    alike = [] if word in every else [each for each in every if each.casefold() == word.casefold()]
    return alike[0] if len(alike) == 1 else word


def translated(error: ValidationError, model: type[BaseModel], also: tuple[str, ...] = ()) -> Iterator[tuple[Loc, str]]:
    """Return the place and the message of every error of validating `model`.

    `also` are keys that are allowed beside those of the model.
    """
    items = error.errors(include_url=False)[:MOST]
    for item in items:
        if item["type"] == "too_short" and any(_below(other["loc"], item["loc"]) for other in items):
            continue  # pydantic doesn't count the items that are wrong
        if item["type"] == "study":
            yield item["loc"], item["msg"]
        else:
            yield _place(item, model), _message(item, model, also)


def _below(inner: Loc, outer: Loc) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _place(item: ErrorDetails, model: type[BaseModel]) -> Loc:
    """Return where it is, without the tags that pydantic adds for a union's members."""
    _, place = _descend(model, item["loc"])
    if item["type"].startswith("union_tag"):
        return (*place, _discriminator(item))
    return place


_EXPECTED = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "tuple": "a list",
    "list": "a list",
    "model": "a mapping",
    "dict": "a mapping",
    "none": "nothing",
}

_LIMITS = {
    "greater_than": ("greater than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}

_FIXED = {
    "missing": "is missing",
    "union_tag_not_found": "is missing: it says which kind of value this is",
}


def _message(item: ErrorDetails, model: type[BaseModel], also: tuple[str, ...]) -> str:
    kind, context, got = item["type"], item.get("ctx", {}), f", got {show(item['input'])}"
    if kind == "extra_forbidden":
        message = _unknown_key(item["loc"], model, also)
    elif kind in _LIMITS:
        words, bound = _LIMITS[kind]
        message = f"must be {words} {show(context[bound])}{got}"
    elif kind in {"too_short", "too_long"}:
        message = _wrong_length(kind, context)
    elif kind == "literal_error":
        message = f"must be {_unquoted(context['expected'])}{got}"
    elif kind == "union_tag_invalid":
        message = f"must be one of {_unquoted(context['expected_tags'])}, got {show(context['tag'])}"
    elif kind in {"value_error", "assertion_error"}:
        message = str(context["error"])
    elif kind == "finite_number":
        message = f"must be a finite number{got}"
    elif kind.endswith(("_type", "_parsing", "_from_float")) and kind.split("_")[0] in _EXPECTED:
        message = f"expected {_EXPECTED[kind.split('_')[0]]}{got}"
    else:
        message = _FIXED.get(kind) or item["msg"][:1].lower() + item["msg"][1:]
    return " ".join(message.split())


def _wrong_length(kind: str, context: Mapping[str, Any]) -> str:
    limit, bound = ("at least", "min_length") if kind == "too_short" else ("at most", "max_length")
    count = context[bound]
    return f"needs {limit} {count} item{'s' * (count != 1)}, got {context['actual_length']}"


def _unquoted(words: str) -> str:
    return words.replace("'", "")


def _unknown_key(loc: Loc, model: type[BaseModel], also: tuple[str, ...]) -> str:
    models, _ = _descend(model, loc[:-1])
    allowed = [str(key) for each in models for key in _fields(each)]
    if len(loc) == 1:
        allowed.extend(also)
    hint = nearest(loc[-1], allowed)
    return f"unknown key{hint or ';'} allowed here: {', '.join(dict.fromkeys(allowed))}"


def _discriminator(item: ErrorDetails) -> str:
    return str(item["ctx"]["discriminator"]).strip("'")


def _descend(model: type[BaseModel], loc: Loc) -> tuple[list[type[BaseModel]], Loc]:
    """Follow `loc` through the fields of `model`: the models at its end, and `loc` without union tags."""
    models, place = [model], list[str | int]()
    for step in loc:
        fields = [_fields(each)[step] for each in models if step in _fields(each)]
        tagged = [each for each in models if step in _tags(each)]
        if fields:
            models = [inner for annotation in fields for inner in _models_in(annotation)]
        elif tagged:
            models = tagged
            continue
        place.append(step)
    return models, tuple(place)


def _fields(model: type[BaseModel]) -> dict[str | int, Any]:
    return {info.alias or name: info.annotation for name, info in model.model_fields.items()}


def _tags(model: type[BaseModel]) -> set[object]:
    return {tag for each in _fields(model).values() if get_origin(each) is Literal for tag in get_args(each)}


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and get_origin(annotation) is None and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
