"""The paper's claims, and the key `claims` of a study file, which names some of them or has claims of its own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from pydantic import PlainSerializer, ValidationError, WrapValidator

from robustness.claims.claim import Claim
from robustness.validation.document import Document
from robustness.validation.messages import close, show
from robustness.validation.problems import StudyError, build, refusal, refusals_of, refuse
from robustness.validation.text import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import ValidationInfo, ValidatorFunctionWrapHandler
    from pydantic_core import InitErrorDetails

    from robustness.options import Named


class Entry(Protocol):
    """What a claim needs to know of an optimizer of a study."""

    @property
    def label(self) -> str:
        """What the study calls it."""

    @property
    def optimizer(self) -> Named:
        """Its options."""


CATALOGUE = Path(__file__).with_name("paper.yaml")


@lru_cache(maxsize=1)
def paper_claims() -> dict[str, Claim]:
    """Return the claims that come with the package, by id, in the order of their file.

    Raises:
        StudyError: with everything that is wrong with the file, each with its line.
    """
    document = Document(read(CATALOGUE), CATALOGUE.name)
    try:
        claims = _claims(document.data.get("claims"), {}, None)
    except ValidationError as error:
        places = [document.placed(("claims", *item["loc"]), item["msg"]) for item in error.errors()]
        raise StudyError([*document.problems, *places]) from None
    if document.problems:
        raise StudyError(document.problems)
    return {claim.id: claim for claim in claims}


def _of_a_study(raw: Any, _handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> tuple[Claim, ...]:
    # The catalogue takes longer to read than a study: only where a study needs it.
    return _claims(raw, paper_claims() if raw else {}, info.data.get("optimizers"))


def _claims(raw: object, known: Mapping[str, Claim], entries: Sequence[Entry] | None) -> tuple[Claim, ...]:
    """Return the claims of a list of ids and mappings; `entries` None checks no optimizer's name.

    Raises:
        ValidationError: with everything that is wrong, below the list's own place.
    """
    if not isinstance(raw, (list, tuple)):
        raise refuse(refusal(f"expected a list of claims, got {show(raw)}"))
    claims: list[Claim] = []
    wrong: list[InitErrorDetails] = []
    for place, item in enumerate(raw):
        try:
            claim = _claim(item, known, entries)
            if claim.id in [each.id for each in claims]:
                raise refuse(refusal(f"the claim '{claim.id}' is in the list twice"))
            claims.append(claim)
        except ValidationError as error:
            wrong += [each | {"loc": (place, *each["loc"])} for each in refusals_of(error, Claim)]
    if wrong:
        raise refuse(*wrong)
    return tuple(claims)


def _claim(raw: object, known: Mapping[str, Claim], entries: Sequence[Entry] | None) -> Claim:
    if isinstance(raw, str):
        if raw not in known:
            hint = close(raw, known)
            others = f"; the known ones are {', '.join(known)}" if not hint else ""
            raise refuse(refusal(f"unknown claim '{raw}'{hint}{others}"))
        return known[raw]
    if not isinstance(raw, (Mapping, Claim)):
        raise refuse(
            refusal(f"expected the id of a claim, or a mapping with id, sentence and measure, got {show(raw)}")
        )
    claim = raw if isinstance(raw, Claim) else build(Claim, raw)
    if claim == known.get(claim.id):
        return claim
    if claim.id in known:
        raise refuse(refusal(f"'{claim.id}' is one of the paper's claims: write its id alone, or choose another", "id"))
    wrong = [
        refusal(message, key, place)
        for key, names in (("of", claim.of), ("against", claim.against))
        for place, name in enumerate(names)
        if entries is not None and (message := _unnamed(name, entries))
    ]
    if wrong:
        raise refuse(*wrong)
    return claim


def _unnamed(name: str, entries: Sequence[Entry]) -> str | None:
    """Return why `name` names no optimizer of a study, None if it does: by a label, or a registry name of only one."""
    if name in [entry.label for entry in entries]:
        return None
    called = [entry.label for entry in entries if entry.optimizer.name == name]
    if len(called) == 1:
        return None
    if called:
        return f"'{name}' is the optimizer of several: name one by its label, {', '.join(called)}"
    there = dict.fromkeys(word for entry in entries for word in (entry.label, entry.optimizer.name))
    hint = close(name, there) or ";"
    return f"no optimizer of this study is called '{name}'{hint} those that there are: {', '.join(there)}"


def _as_written(claims: tuple[Claim, ...]) -> list[object]:
    known = paper_claims() if claims else {}
    return [
        claim.id if claim == known.get(claim.id) else claim.model_dump(mode="json", exclude_defaults=True)
        for claim in claims
    ]


Claims = Annotated[tuple[Claim, ...], WrapValidator(_of_a_study), PlainSerializer(_as_written)]
"""A study's claims: in YAML an id of the catalogue, or a mapping that is a claim of one's own."""
