"""Which of the stored runs a stored study asks for, told without its classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from robustness.study.resolved import best_fit

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from robustness.study.resolved import Resolved, ResolvedOptimizer, ResolvedWorkload

MOST_KNOWN = 8
_known: dict[str, frozenset[str]] = {}

KINDS = ["workload", "workload_options", "optimizer", "optimizer_options"]
"""Columns that say what trained what."""


def asked_for(runs: pd.DataFrame, study: Resolved, workload: ResolvedWorkload) -> tuple[pd.DataFrame, int]:
    """Return the runs that the study asks for of one of its workloads, and how many those are in all.

    A store keeps the runs of earlier versions of a study, with other options or on other axes. Where a class is not
    there to tell the ids of the runs, their options, rates and seeds decide.
    """
    part = study.model_copy(update={"workloads": (workload,)})
    if part.is_exact and not part.is_sampled:
        ids = _asked_ids(part)
        return runs[runs["run_id"].isin(ids)], len(ids)
    mask = np.zeros(len(runs), dtype=bool)
    kinds: dict[Any, NDArray[np.intp]] = runs.groupby(KINDS, sort=False).indices
    for (of, options, name, own), places in kinds.items():
        optimizer, found = best_fit(study.optimizers, name, own), best_fit(study.workloads, of, options)
        if optimizer is not None and found is not None and found.title == workload.title:
            mask[places] = _chosen(runs.iloc[places], part, optimizer)
    return runs[mask], part.total


def _chosen(rows: pd.DataFrame, part: Resolved, optimizer: ResolvedOptimizer) -> NDArray[np.bool_]:
    """Return which rows of one optimizer on one workload are of a cell and a seed that the study asks for."""
    kept: NDArray[np.bool_] = rows["seed"].isin(part.seeds).to_numpy(dtype=bool, copy=True)
    if part.is_exact:
        cells = rows[["run_id", "lr", "weight_decay", "seed"]].itertuples(index=False, name=None)
        ids = [part.run_id(part.workload, optimizer, *cell) == run_id for run_id, *cell in cells]
        return kept & np.array(ids, dtype=bool)
    for column, axis in (("lr", optimizer.lr), ("weight_decay", optimizer.weight_decay)):
        if axis.values is not None:
            kept &= rows[column].isin(axis.values).to_numpy(dtype=bool)
    return kept


def _asked_ids(study: Resolved) -> frozenset[str]:
    """Return the ids of a grid's runs; those of the last studies are kept, for a study is looked at again and again."""
    key = study.model_dump_json()
    ids = _known.get(key)
    if ids is None:
        ids = _known[key] = frozenset(study.run_ids())
        for old in list(_known)[:-MOST_KNOWN]:
            _known.pop(old, None)
    return ids
