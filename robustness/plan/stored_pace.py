"""How long a run and epoch of a workload takes on each device, by what stored runs took."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from robustness.results import ResultsWarning, StorageError, Store, child, finished, list_studies
from robustness.study.run import stored_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from robustness.study import Study
    from robustness.workloads import Workload

CPU = "cpu"
"""What the column `device` says of a run that was trained without a GPU."""

UNKNOWN = "unknown"
"""What it says where nobody knows: no GPU-hours are made of that."""

FREE = ("epochs", "schedule")
"""Options of a workload that change the number of epochs or their learning rates, but not how long an epoch takes."""


@dataclass(frozen=True)
class StoredPace:
    """What a run and epoch of a workload costs on one device.

    Attributes:
        device: as in the column `device`: `cpu`, or the name of a GPU.
        seconds: a run and epoch of its stack's time, divided by the runs in the stack.
        runs: stored runs that this is the mean of, or runs of the stack that was calibrated.
        calibrated: whether it was measured for the plan, rather than by stored runs.
    """

    device: str
    seconds: float
    runs: int
    calibrated: bool = False


def stored_paces(study: Study, runs: pd.DataFrame) -> dict[str, StoredPace]:
    """Return the pace of a study's only workload on each device that trained it, none if nothing is stored of it.

    On each device runs of the same options count, else those that differ in epochs and schedule alone. The mean is
    over all that came to a result, a diverged one with the epochs that it was to have: the rest is taken to diverge as
    often.

    Args:
        study: A study of one workload.
        runs: A runs table, of this study or others.
    """
    workload = study.workload
    rows = finished(runs)
    rows = rows[rows["workload"] == workload.name]
    same = rows["workload_options"] == stored_options(workload)
    alike = rows["workload_options"].map({text: _alike(text, workload) for text in rows["workload_options"].unique()})
    paces = _by_device(rows[alike.fillna(value=0).to_numpy(dtype=bool)])
    return paces | _by_device(rows[same])


def paces_elsewhere(studies: list[Study], store: Store) -> list[dict[str, StoredPace]]:
    """Return the same for each of `studies`, each of one workload, by the runs of all studies beside `store`.

    A study beside it that cannot be read, such as one that a newer version wrote, is left out with a warning.
    """
    beside = store.root.parent
    found: list[dict[str, StoredPace]] = [{} for _ in studies]
    for name in list_studies(beside):
        if name == store.name:
            continue
        try:
            runs = Store(child(beside, name), read_only=True).runs()
        except StorageError as error:
            warnings.warn(f"the times of {name} are left out: {error}", ResultsWarning, stacklevel=2)
            continue
        for study, paces in zip(studies, found, strict=True):
            for device, pace in stored_paces(study, runs).items():
                if device not in paces or paces[device].runs < pace.runs:
                    paces[device] = pace
    return found


def _alike(options: str, workload: Workload) -> bool:
    """Whether stored options are those of `workload` but for the epochs and the schedule."""
    if workload.hessian is not None:  # its cost does not go with the epochs
        return False
    return _fixed(json.loads(options)) == _fixed(json.loads(stored_options(workload)))


def _fixed(options: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in options.items() if name not in FREE}


def _by_device(rows: pd.DataFrame) -> dict[str, StoredPace]:
    """Return each device's seconds a run and epoch: the sum of the durations by that of the epochs asked for."""
    asked = rows["workload_options"].map(
        {text: json.loads(text)["epochs"] for text in rows["workload_options"].unique()}
    )
    known = rows["device"].replace(UNKNOWN, CPU)
    devices = rows.assign(asked=asked.astype(float)).groupby(known, sort=True)
    return {
        str(device): StoredPace(str(device), float(own["duration_s"].sum() / own["asked"].sum()), len(own))
        for device, own in devices
    }
