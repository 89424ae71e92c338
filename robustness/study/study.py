"""A study: which workload, optimizers, learning rates, weight decays and seeds, and the runs that follow.

Loads neither torch nor ray: a study is read and checked in a moment.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    SerializeAsAny,
    Strict,
    ValidationError,
    WrapValidator,
    field_validator,
)

from robustness.study.axis import Whole, once_each
from robustness.study.catalogue import Claims
from robustness.study.messages import show
from robustness.study.optimizer_entry import OptimizerEntry, Optimizers
from robustness.study.problems import (
    StudyError,
    chosen,
    problems_of,
    refusal,
    refuse,
    validated,
)
from robustness.study.run import Run
from robustness.study.space import Grid, Sampled, Search, SearchSpace, too_few_cells, without_points
from robustness.workloads import WORKLOADS, Workload
from robustness.workloads.base import Model

if TYPE_CHECKING:
    from pydantic import ValidationInfo, ValidatorFunctionWrapHandler

    from robustness.optimizers import Optimizer

MAX_SEED = 2**32 - 1
"""The greatest seed that scikit-learn takes."""


def _stack_size(raw: object) -> object:
    if raw == "auto" or (isinstance(raw, int) and not isinstance(raw, bool) and raw >= 1):
        return raw
    raise refuse(refusal(f"must be auto or a whole number of at least 1, got {show(raw)}"))


def _gpus(raw: object) -> object:
    if raw == "auto" or (isinstance(raw, (int, float)) and not isinstance(raw, bool) and 0 <= raw < math.inf):
        return raw
    raise refuse(refusal(f"must be auto or a number of at least 0, got {show(raw)}"))


class Resources(Model):
    """What a stack is given on the cluster; none of it changes a result."""

    cpus: Annotated[float, Strict()] = Field(1.0, gt=0, description="CPU cores for each stack.")
    gpus: Annotated[float | Literal["auto"], BeforeValidator(_gpus)] = Field(
        "auto", description="GPUs for each stack, a fraction shares one; auto is 1 where there are any, else 0."
    )
    stack_size: Annotated[int | Literal["auto"], BeforeValidator(_stack_size)] = Field(
        "auto", description="Runs trained together as one model; auto fills every core or GPU."
    )
    max_concurrent: Whole | None = Field(None, ge=1, description="Most stacks at a time; no limit if absent.")
    retries: Whole = Field(2, ge=0, description="How often a stack that failed is tried again.")


NAME = r"[a-z0-9][a-z0-9._-]{0,63}"


def _study_name(name: str) -> str:
    if not re.fullmatch(NAME, name):
        words = "must be 1 to 64 of a-z, 0-9, '.', '_' and '-', a letter or digit first"
        raise refuse(refusal(f"{words}, got {show(name)}"))
    return name


def _seed_range(raw: object) -> object:
    """Make the seeds 0 to N - 1 of an N."""
    if isinstance(raw, (list, tuple)):
        return raw
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise refuse(refusal(f"expected a number of seeds or a list of them, got {show(raw)}"))
    if not 1 <= raw <= 10_000:
        raise refuse(refusal(f"must be 1 to 10000 seeds, or a list of them, got {raw}"))
    return tuple(range(raw))


Seed = Annotated[int, Strict(), Field(ge=0, le=MAX_SEED)]


class Study(Model):
    """A study file, checked: every (optimizer, learning rate, weight decay, seed) that it asks for.

    In Python it takes the same forms as YAML does, or the objects themselves:
    `Study(name="mine", workload=Digits(epochs=3), optimizers=["adams"], space={...})`.

    Raises:
        StudyError: with everything that is wrong.
    """

    name: Annotated[str, Strict(), AfterValidator(_study_name)] = Field(
        json_schema_extra={"pattern": f"^{NAME}$"},
        description="Names the folder of its results; the file's name if absent.",
    )
    description: Annotated[str, Strict()] = Field("", description="A line or more for whoever reads the report.")
    workload: Annotated[
        SerializeAsAny[Workload],
        BeforeValidator(lambda raw: raw if isinstance(raw, Workload) else chosen(raw, WORKLOADS, "workload")),
    ] = Field(description="What is trained: a name, or a mapping with a name and options.")
    optimizers: Optimizers = Field(description="What is compared: names, or mappings with a name, options and a label.")
    search: Search = Field(Grid(), description="`grid`, or a mapping with Optuna's sampler and a number of cells.")
    space: SearchSpace = Field(description="Learning rates and weight decays.")
    seeds: Annotated[tuple[Seed, ...], WrapValidator(once_each), BeforeValidator(_seed_range)] = Field(
        (0, 1, 2), min_length=1, description="How many seeds, counted from 0, or a list of them."
    )
    resources: Resources = Field(Resources(), description="Cores and GPUs; they change no result.")
    claims: Claims = Field((), description="What it is to answer: ids of the paper's claims, or claims of its own.")

    _source: Path | None = PrivateAttr(None)
    _text: str | None = PrivateAttr(None)

    def __init__(self, /, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise StudyError(problems_of(error, type(self))) from None

    @field_validator("space", mode="wrap")
    @classmethod
    def _fits_the_search(cls, raw: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> SearchSpace:
        search = info.data.get("search")
        space: SearchSpace = validated(
            handler, raw, SearchSpace, *(without_points(raw) if isinstance(search, Grid) else [])
        )
        if isinstance(search, Sampled) and (few := too_few_cells(space, search)):
            raise refuse(*few)
        return space

    @classmethod
    def load(cls, name_or_path: str | Path) -> Study:
        """Read a study file: a path, or the name of one in ./search_spaces or among those of the package.

        Raises:
            StudyError: with everything that is wrong, each with its line.
        """
        from robustness.study.file import find
        from robustness.study.reading import read, shown

        path = find(name_or_path)
        study = cls.parse(read(path), shown(path))
        study._source = path
        return study

    @classmethod
    def parse(cls, text: str, file: str = "study.yaml") -> Study:
        """Make a study of YAML; `file` stands in messages, and names the study if the text doesn't.

        Raises:
            StudyError: with everything that is wrong, each with its line.
        """
        from robustness.study.file import parse

        study = parse(text, file)
        study._text = text
        return study

    @property
    def source(self) -> Path | None:
        """The file that it was read from, if it was."""
        return self._source

    @property
    def text(self) -> str:
        """The YAML that it was read from, comments and all; of a study made in Python, equivalent YAML."""
        from robustness.study.file import write

        return self._text if self._text is not None else write(self)

    def grid(self) -> list[Run]:
        """Return every run of a grid, ordered by optimizer, learning rate, weight decay and seed.

        Raises:
            ValueError: if the study is sampled: which cells it has is then known only after it ran.
        """
        if not isinstance(self.search, Grid):
            raise ValueError(f"study {self.name!r} is sampled and has no grid")
        return [
            Run(self.workload, entry.optimizer, lr, weight_decay, seed)
            for entry in self.optimizers
            for lr in self.space.lr.values
            for weight_decay in self.space.weight_decay.values
            for seed in self.seeds
        ]

    def run(self, optimizer: OptimizerEntry | Optimizer, lr: float, weight_decay: float, seed: int) -> Run:
        """Return the run of this study's workload with `optimizer`."""
        chosen_optimizer = optimizer.optimizer if isinstance(optimizer, OptimizerEntry) else optimizer
        return Run(self.workload, chosen_optimizer, lr, weight_decay, seed)
