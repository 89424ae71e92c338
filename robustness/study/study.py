"""A study: which workload, optimizers, learning rates, weight decays and seeds, and the runs that follow.

Loads neither torch nor ray: a study is read and checked in a moment.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    Strict,
    ValidationError,
    WrapValidator,
    field_serializer,
    field_validator,
    model_validator,
)

from robustness.claims.catalogue import Claims
from robustness.options import Model
from robustness.study.entry_checks import wrong_entry
from robustness.study.optimizer_entry import OptimizerEntry, Optimizers, wrong_reference
from robustness.study.resources import Resources
from robustness.study.run import Run
from robustness.study.space import Grid, Sampled, Search, SearchSpace, too_few_cells, without_points
from robustness.study.workload_entry import Workloads
from robustness.validation.messages import show
from robustness.validation.numbers import once_each, plain_list
from robustness.validation.problems import StudyError, problems_of, refusal, refuse, validated

if TYPE_CHECKING:
    from typing import Self

    from pydantic import FieldSerializationInfo, ValidationInfo, ValidatorFunctionWrapHandler

    from robustness.optimizers import Optimizer
    from robustness.workloads import Workload

MAX_SEED = 2**32 - 1
"""The greatest seed that scikit-learn takes."""

NAME = r"[a-z0-9][a-z0-9._-]{0,63}"


def _study_name(name: str) -> str:
    if not re.fullmatch(NAME, name):
        words = "must be 1 to 64 of a-z, 0-9, '.', '_' and '-', a letter or digit first"
        raise refuse(refusal(f"{words}, got {show(name)}"))
    return name


def _seed_range(raw: object) -> object:
    """Make the seeds 0 to N - 1 of an N."""
    raw = plain_list(raw)
    if isinstance(raw, list):
        return raw
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise refuse(refusal(f"expected a number of seeds or a list of them, got {show(raw)}"))
    if not 1 <= raw <= 10_000:
        raise refuse(refusal(f"must be 1 to 10000 seeds, or a list of them, got {raw}"))
    return tuple(range(raw))


Seed = Annotated[int, Strict(), Field(ge=0, le=MAX_SEED)]


class Study(Model):
    """A study file, checked: every (workload, optimizer, learning rate, weight decay, seed) that it asks for.

    In Python it takes the same forms as YAML does, or the objects themselves:
    `Study(name="mine", workload=Digits(epochs=3), optimizers=["adams"], space={...})`.

    Raises:
        StudyError: with everything that is wrong.

    Example:
        >>> from robustness import Study
        >>> study = Study.load("digits")
        >>> len(study.grid()), study.seeds
        (1638, (0, 1, 2))
    """

    name: Annotated[str, Strict(), AfterValidator(_study_name)] = Field(
        json_schema_extra={"pattern": f"^{NAME}$"},
        description="Names the folder of its results; the file's name if absent.",
    )
    description: Annotated[str, Strict()] = Field("", description="A line or more for whoever reads the report.")
    workloads: Workloads = Field(
        alias="workload", description="What is trained: a name, or a mapping with a name and options; or several."
    )
    optimizers: Optimizers = Field(description="What is compared: names, or mappings with a name, options and a label.")
    reference: Annotated[str | None, Strict()] = Field(
        None, description="Label of the optimizer that the others are compared with; the first one if absent."
    )
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

    @field_serializer("workloads")
    def _as_written(self, workloads: tuple[Workload, ...], info: FieldSerializationInfo) -> Any:
        written = [each.model_dump(mode=info.mode, exclude_none=True, by_alias=True) for each in workloads]
        return written if len(written) > 1 else written[0]

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

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        wrong = [
            each
            for index, entry in enumerate(self.optimizers)
            for each in wrong_entry(
                entry, index, space=self.space_of(entry), search=self.search, workloads=self.workloads
            )
        ]
        wrong += wrong_reference(self.reference, self.optimizers)
        if wrong:
            # What two optimizers share is said once.
            raise refuse(*{(str(each["type"]), each["loc"]): each for each in wrong}.values())
        return self

    @classmethod
    def load(cls, name_or_path: str | Path) -> Study:
        """Read a study file: a path, or the name of one in ./search_spaces or among those of the package.

        Raises:
            StudyError: with everything that is wrong, each with its line.
        """
        from robustness.study.file import find
        from robustness.study.import_string import beside
        from robustness.validation.text import read, shown

        path = find(name_or_path)
        with beside(path):
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

        study = parse(text, file, cls)
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

    @property
    def workload(self) -> Workload:
        """The workload.

        Raises:
            ValueError: if the study has several; `parts` has a study of each.
        """
        if len(self.workloads) > 1:
            raise ValueError(f"study {self.name!r} has {len(self.workloads)} workloads: see `parts`")
        return self.workloads[0]

    @property
    def parts(self) -> list[Self]:
        """The study on each of its workloads alone."""
        if len(self.workloads) == 1:
            return [self]
        return [self._changed(workloads=(workload,)) for workload in self.workloads]

    def _changed(self, **changes: object) -> Self:
        """Return this study with other values, and without the text that it was read from."""
        changed = self.model_copy(update=changes)
        changed._source = changed._text = None
        return changed

    def space_of(self, entry: OptimizerEntry) -> SearchSpace:
        """Return the learning rates and weight decays of an optimizer: its own where it has some."""
        own = {name: axis for name, axis in entry.space or () if axis is not None}
        return self.space.model_copy(update=own)

    def grid(self) -> list[Run]:
        """Return every run of a grid, ordered by workload, optimizer, learning rate, weight decay and seed.

        Raises:
            ValueError: if the study is sampled: which cells it has is then known only after it ran.
        """
        if not isinstance(self.search, Grid):
            raise ValueError(f"study {self.name!r} is sampled and has no grid")
        spaces = [(entry, self.space_of(entry)) for entry in self.optimizers]
        return [
            Run(workload, entry.optimizer, lr, weight_decay, seed)
            for workload in self.workloads
            for entry, space in spaces
            for lr in space.lr.values
            for weight_decay in space.weight_decay.values
            for seed in self.seeds
        ]

    def run(
        self,
        optimizer: OptimizerEntry | Optimizer,
        lr: float,
        weight_decay: float,
        seed: int,
        workload: Workload | None = None,
    ) -> Run:
        """Return the run of this study's workload, or of one of several, with `optimizer`."""
        chosen_optimizer = optimizer.optimizer if isinstance(optimizer, OptimizerEntry) else optimizer
        return Run(workload or self.workload, chosen_optimizer, lr, weight_decay, seed)

    def with_data_dir(self, folder: str | Path) -> Self:
        """Return this study with the data of those workloads that read some and name no folder in `folder`."""
        path = str(Path(folder).expanduser().absolute())
        placed = tuple(
            each.model_copy(update={"data_dir": path}) if getattr(each, "data_dir", path) is None else each
            for each in self.workloads
        )
        return self.model_copy(update={"workloads": placed})

    def smoke(self) -> Self:
        """Return the smallest version of this study: a cell an optimizer, one seed, the smallest workloads.

        The cell is the middle of each axis. It shows that a study goes all the way, and nothing about optimizers.
        """
        entries = tuple(
            entry.model_copy(update={"space": self.space_of(entry).middle() if entry.space else None})
            for entry in self.optimizers
        )
        return self._changed(
            name=f"{self.name[:58]}-smoke",
            description="A smoke run of few steps: it shows that the study goes all the way, and nothing else.",
            workloads=tuple(workload.smoke() for workload in self.workloads),
            optimizers=entries,
            space=self.space.middle(),
            search=Grid(),
            seeds=self.seeds[:1],
        )
