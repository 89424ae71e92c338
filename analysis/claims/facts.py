"""What claims ask of a table of runs, each looked up once for all claims."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from analysis.landscapes.labels import names_of
from robustness.study.samplers import LEARNING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import pandas as pd


class Facts:
    """What a labelled runs table (see `analysis.landscapes.labels.label`) holds; nothing in it changes."""

    def __init__(self, runs: pd.DataFrame) -> None:
        """Take the table; each fact is read off it when it is first asked for."""
        self.runs = runs

    def __len__(self) -> int:
        """Return the number of runs."""
        return len(self.runs)

    def values(self, column: str) -> set[str]:
        """Return the different texts of a column of the run's identity or provenance."""
        return self._values[column]

    @cached_property
    def _values(self) -> dict[str, set[str]]:
        return {name: set(self.runs[name].unique()) for name in ("workload", "engine", "sampler")}

    @cached_property
    def _workload_options(self) -> list[Mapping[str, Any]]:
        return [json.loads(text) for text in self.runs["workload_options"].unique()]

    @cached_property
    def schedules(self) -> set[str]:
        """Kinds of the runs' schedules: the workload's, or the optimizer's own."""
        columns = [name for name in ("optimizer_options", "workload_options") if name in self.runs.columns]
        given = [list(map(json.loads, each)) for each in self.runs[columns].drop_duplicates().itertuples(index=False)]
        found: list[Mapping[str, Any]] = [
            next((one["schedule"] for one in options if one.get("schedule")), {}) for options in given
        ]
        return {str(schedule.get("kind", "unknown")) for schedule in found}

    @cached_property
    def epochs(self) -> int:
        """Epochs that the shortest workload asks for."""
        return min(int(each.get("epochs", 0)) for each in self._workload_options)

    @cached_property
    def searches(self) -> list[str]:
        """Samplers, sorted, that chose cells by what they had found."""
        return sorted(self.values("sampler") & set(LEARNING))

    @cached_property
    def optimizers(self) -> dict[str, str]:
        """The optimizer's name by label."""
        return names_of(self.runs)

    @cached_property
    def _counts(self) -> pd.DataFrame:
        return self.runs.groupby("label", observed=True)[["lr", "weight_decay"]].nunique()

    def fewest(self, axis: str, names: Collection[str]) -> int:
        """Return the values on an axis of that optimizer which has fewest.

        Args:
            axis: The column "lr" or "weight_decay".
            names: Labels or names of the optimizers that are meant; all of them where none is there.
        """
        meant = [label for label, name in self.optimizers.items() if label in names or name in names]
        return int((self._counts.loc[meant] if meant else self._counts)[axis].min())

    @cached_property
    def _known(self) -> pd.Series:
        return self.runs.notna().any()

    def measured(self, column: str) -> bool:
        """Whether some run has a value in a column of the table."""
        return bool(self._known[column])
