"""A study as plain data: labels, options, conventions, claims, order and run ids, for whoever looks at its results.

A study file names classes; this is what came of them when it was read where they could be imported. It lies beside the
results as `resolved.json`, and reading it imports nothing.
"""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from robustness.claims.claim import Claim

if TYPE_CHECKING:
    from collections.abc import Iterator


FORMAT = 1
"""Of `resolved.json`; it rises where a reader of the format before would misread the file."""

MOST = 4_000_000
"""Characters of a stored `resolved.json` that are read."""


class ResolvedError(Exception):
    """A stored `resolved.json` cannot be used; the text says why, in one sentence."""


class Plain(BaseModel):
    """Plain data that keeps the keys it does not know, for a newer version may have written them."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False, populate_by_name=True)


def one_line(text: str) -> str:
    """Return a text as one line of at most 300 characters that a terminal shows as they are."""
    shown = "".join(each if each.isprintable() else " " for each in text)[:300].strip()
    if not shown:
        raise ValueError("must be a line of text")
    return shown


def _object(text: str) -> str:
    if not isinstance(json.loads(text), dict):
        raise ValueError("must be the text of a JSON object")
    return text


def _ascending(values: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(sorted(set(values)))


Line = Annotated[str, AfterValidator(one_line)]
JsonObject = Annotated[str, AfterValidator(_object)]


class ResolvedAxis(Plain):
    """Values of one hyperparameter, ascending; of a search over a range its ends instead."""

    values: Annotated[tuple[Annotated[float, Field(ge=0)], ...], AfterValidator(_ascending)] | None = None
    low: float | None = None
    high: float | None = None


class ResolvedWorkload(Plain):
    """A workload as the study resolved it.

    Attributes:
        name: As in the column `workload` of the results: a short name, or an import string.
        title: What tables and figures call it; no two of a study are alike.
        options: As in the column `workload_options`; None where its class was not there to tell them.
        identity: Its part of a run's identity, canonical JSON; None likewise.
        given: What the study file says of its options, where `options` are not known.
        chance_error: Of having learnt nothing, percent; None where unknown.
        has_validation: Whether part of its data chooses a cell; None where unknown.
        epochs: Of each run; None where unknown.
        engine: What trains it; None where unknown.
    """

    name: Annotated[str, Field(min_length=1)]
    title: Line
    options: JsonObject | None = None
    identity: JsonObject | None = None
    given: dict[str, Any] = {}
    chance_error: float | None = None
    has_validation: bool | None = None
    epochs: int | None = None
    engine: str | None = None


class ResolvedOptimizer(Plain):
    """An optimizer as the study resolved it.

    Attributes:
        kind: `own` for a class of one's own, `torch` for one of torch's kind by import string, else `known`.
        name: As in the column `optimizer` of the results.
        label: What tables and figures call it; no two of a study are alike.
        options: As in the column `optimizer_options`; None where its class was not there to tell them.
        identities: Its part of a run's identity by the workload's title, canonical JSON; empty likewise.
        given: What the study file says of its options, where `options` are not known.
        convention: How its weight decay acts; None where unknown.
        lr: Its learning rates.
        weight_decay: Its weight decays, on the common scale.
        own_space: Whether they are its own, rather than the study's.
    """

    kind: Literal["known", "own", "torch"] = "own"
    name: Annotated[str, Field(min_length=1)]
    label: Line
    options: JsonObject | None = None
    identities: dict[str, JsonObject] = {}
    given: dict[str, Any] = {}
    convention: str | None = None
    lr: ResolvedAxis
    weight_decay: ResolvedAxis
    own_space: bool = False


class ResolvedCode(Plain):
    """The modules of one's own that a study was trained with.

    Attributes:
        since: When a sweep first began with them.
        modules: Name -> SHA-256 of its source.
    """

    since: AwareDatetime
    modules: dict[str, str]


class Resolved(Plain):
    """A study as plain data.

    Attributes:
        format: Of this file.
        name: The study's.
        description: What it says of itself.
        digest: SHA-256 of the study file that it was made of; None where it was made in passing.
        workloads: In the study's order.
        optimizers: In the study's order.
        sampler: What chooses the cells; `grid` for all of them.
        cells: Cells of each optimizer of a sampled study; None for a grid.
        reference: Label of the optimizer that the others are compared with; None for the first.
        seeds: Of every cell.
        claims_as_written: What it is to answer, each claim whole.
        versions: Of packages, as they were when it was resolved.
        plugins: Versions of packages that bring a class of it.
        code: Which of `codes` is today's; None where all classes are known ones.
        codes: The modules of one's own that runs of it were trained with, by a short digest, oldest first.

    Example:
        >>> from robustness import Study
        >>> from robustness.study.resolution import resolve
        >>> digits = resolve(Study.load("digits"))
        >>> digits.total, next(digits.run_ids()) == Study.load("digits").grid()[0].run_id
        (1638, True)
    """

    format: Annotated[int, Field(ge=1)] = FORMAT
    name: Line
    description: str = ""
    digest: str | None = None
    workloads: Annotated[tuple[ResolvedWorkload, ...], Field(min_length=1)]
    optimizers: Annotated[tuple[ResolvedOptimizer, ...], Field(min_length=1)]
    sampler: Line = "grid"
    cells: Annotated[int, Field(ge=1)] | None = None
    reference: str | None = None
    seeds: Annotated[tuple[int, ...], Field(min_length=1)]
    claims_as_written: tuple[dict[str, Any], ...] = Field((), alias="claims")
    versions: dict[str, str | None] = {}
    plugins: dict[str, str] = {}
    code: str | None = None
    codes: dict[str, ResolvedCode] = {}

    @classmethod
    def read(cls, text: str) -> Resolved:
        """Return what `text`, a stored `resolved.json`, says.

        Raises:
            ResolvedError: It is none, or one that this version cannot read.
        """
        if len(text) > MOST:
            raise ResolvedError(f"resolved.json is too large: {len(text) / 1e6:.0f} MB, at most {MOST / 1e6:.0f} MB")
        try:
            raw = json.loads(text)
            if isinstance(raw, dict) and isinstance(raw.get("format"), int) and raw["format"] > FORMAT:
                raise ResolvedError(f"resolved.json has format {raw['format']}, which a newer version wrote")
            return cls.model_validate(raw)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(each) for each in first["loc"])
            raise ResolvedError(f"resolved.json cannot be read: {place}: {first['msg']}"[:500]) from None
        except (ValueError, RecursionError) as error:
            raise ResolvedError(f"resolved.json cannot be read: {type(error).__name__}"[:500]) from None

    def to_json(self) -> str:
        """Return it as the text of `resolved.json`."""
        return f"{self.model_dump_json(indent=1, by_alias=True, exclude_none=True)}\n"

    @property
    def workload(self) -> ResolvedWorkload:
        """The workload of a study of one; the first of several."""
        return self.workloads[0]

    @property
    def parts(self) -> list[Resolved]:
        """The study on each of its workloads alone."""
        if len(self.workloads) == 1:
            return [self]
        return [self.model_copy(update={"workloads": (each,)}) for each in self.workloads]

    @property
    def is_sampled(self) -> bool:
        """Whether a search chooses the cells."""
        return self.sampler != "grid"

    @property
    def is_exact(self) -> bool:
        """Whether the ids of its runs are known, of every optimizer on every workload."""
        return all(
            workload.identity is not None and workload.title in optimizer.identities
            for workload in self.workloads
            for optimizer in self.optimizers
        )

    @property
    def total(self) -> int:
        """How many runs it asks for."""
        each = [self.cells or 0] * len(self.optimizers) if self.is_sampled else [
            len(one.lr.values or ()) * len(one.weight_decay.values or ()) for one in self.optimizers
        ]  # fmt: skip
        return sum(each) * len(self.seeds) * len(self.workloads)

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """The claims of it that this version can judge."""
        found = []
        for raw in self.claims_as_written:
            try:
                found.append(Claim.model_validate(raw))
            except ValidationError:  # one of a newer version, or of a measure that is not installed
                continue
        return tuple(found)

    def run_id(
        self, workload: ResolvedWorkload, optimizer: ResolvedOptimizer, lr: float, weight_decay: float, seed: int
    ) -> str | None:
        """Return the id of a run, as `robustness.study.Run` has it; None where the identities are not known."""
        identity = optimizer.identities.get(workload.title)
        if identity is None or workload.identity is None:
            return None
        content = (
            f'{{"lr":{float(lr)!r},"optimizer":{identity},"seed":{int(seed)},'
            f'"weight_decay":{float(weight_decay) + 0.0!r},"workload":{workload.identity}}}'
        )
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def run_ids(self) -> Iterator[str]:
        """Yield the ids of a grid's runs, as far as they are known, in the order of `Study.grid`."""
        for workload in self.workloads:
            for one in self.optimizers:
                for lr in one.lr.values or ():
                    for weight_decay in one.weight_decay.values or ():
                        for seed in self.seeds:
                            if (found := self.run_id(workload, one, lr, weight_decay, seed)) is not None:
                                yield found
