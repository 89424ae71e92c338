"""A stored study taken apart: the runs of each of its workloads, under the title that tables and figures give it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.contents.which_runs import study_labels
from analysis.landscapes.labels import canonical, label, told_apart
from robustness.search.stored_cells import asked_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from robustness.study.resolved import Resolved

UNKNOWN = "unknown workload"


@dataclass(frozen=True, eq=False, kw_only=True)
class WorkloadRuns:
    """One workload of a stored study.

    Attributes:
        title: What tables and figures call the workload.
        study: The study on this workload alone; None where its file is missing or cannot be read.
        runs: Its runs, of those that the study asks for, with the column `label`.
        asked: How many the study asks for; None where unknown.
    """

    title: str
    study: Resolved | None
    runs: pd.DataFrame
    asked: int | None


def by_workload(stored: pd.DataFrame, study: Resolved | None) -> list[WorkloadRuns]:
    """Return the runs of each workload, at least one; without a study, one for each workload and options in the runs.

    Args:
        stored: A runs table.
        study: The study as it was asked last.
    """
    if study is None:
        return _found(stored)
    found = []
    for one in study.parts:
        kept, asked = asked_for(stored, study, one.workload)
        runs = label(kept, study_labels(one, kept))
        found.append(WorkloadRuns(title=one.workload.title, study=one, runs=runs, asked=asked))
    return found


def slugs(titles: Sequence[str]) -> list[str]:
    """Return names for folders and anchors, one a title and no two alike: "cifar10-resnet18"."""
    found: list[str] = []
    for title in titles:
        plain = "-".join(re.findall(r"[a-z0-9]+", title.lower())) or "workload"
        name, number = plain, 2
        while name in found:
            name, number = f"{plain}-{number}", number + 1
        found.append(name)
    return found


def _found(stored: pd.DataFrame) -> list[WorkloadRuns]:
    kinds = stored[["workload", "workload_options"]].drop_duplicates()
    if not len(kinds):
        return [WorkloadRuns(title=UNKNOWN, study=None, runs=label(stored), asked=None)]
    keys = {(str(name), str(text)): _named(str(name), str(text)) for name, text in kinds.itertuples(index=False)}
    titles = told_apart(list(dict.fromkeys(keys.values())))
    place = [titles[keys[key]] for key in zip(stored["workload"], stored["workload_options"], strict=True)]
    return [
        WorkloadRuns(title=str(title), study=None, runs=label(rows), asked=None)
        for title, rows in stored.groupby(place, sort=False)
    ]


def _named(name: str, options: str) -> tuple[str, str]:
    """Return a workload's name, with that of its network where the options tell it, and the options' canonical text."""
    network = json.loads(options).get("model")
    called = network.get("name") if isinstance(network, dict) else network
    return f"{name} {called}" if isinstance(called, str) else name, canonical(options)
