"""The workloads of a study: one, or several with a title of their own each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field, SerializeAsAny, ValidationError

from robustness.study.own_classes import with_known_name, workload_of, written_out
from robustness.validation.problems import chosen, placed_all, refusal, refuse
from robustness.workloads import WORKLOADS, Workload


def _one_or_several(raw: object) -> object:
    """Make workloads of their YAML forms: one, or a list of them; everything wrong with the list at once."""
    if isinstance(raw, tuple) and all(isinstance(each, Workload) for each in raw):
        found = list(raw)
    elif not isinstance(raw, (list, tuple)):
        return (_workload(raw),)
    else:
        found, wrong = [], []
        for index, each in enumerate(raw):
            try:
                found.append(_workload(each))
            except ValidationError as error:
                wrong += placed_all(error, index)
        if wrong:
            raise refuse(*wrong)
    titles = [each.title for each in found]
    clashes = [
        refusal(f"is called '{title}', as workload[{titles.index(title)}] is; give one of them a label", index)
        for index, title in enumerate(titles)
        if title in titles[:index]
    ]
    if clashes:
        raise refuse(*clashes)
    return tuple(found)


def _workload(raw: object) -> Workload:
    if isinstance(raw, Workload):
        return raw
    raw = with_known_name(raw, WORKLOADS)
    full = written_out(raw, WORKLOADS)
    made = chosen(full, WORKLOADS, "workload", own=workload_of)
    if full is raw or made.label is not None:
        return made
    # Tables and figures say the short name that the study says.
    return made.model_copy(update={"label": raw["name"] if isinstance(raw, Mapping) else raw})


Workloads = Annotated[tuple[SerializeAsAny[Workload], ...], Field(min_length=1), BeforeValidator(_one_or_several)]
