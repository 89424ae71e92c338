"""Which of the stored runs a stored study asks for, told without its classes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from robustness.study.resolved import ResolvedOptimizer, ResolvedWorkload

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from robustness.study.resolved import Resolved

Entry = TypeVar("Entry", ResolvedWorkload, ResolvedOptimizer)

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
    if part.is_exact:
        return runs[_sampled(runs, part)], part.total
    mask = np.zeros(len(runs), dtype=bool)
    number = runs.groupby(KINDS, sort=False).ngroup().to_numpy()
    firsts = runs.assign(number=number).drop_duplicates("number")[[*KINDS, "number"]]
    for of, options, name, own, group in firsts.itertuples(index=False, name=None):
        places = np.flatnonzero(number == group)
        optimizer, found = best_fit(study.optimizers, name, own), best_fit(study.workloads, of, options)
        if optimizer is not None and found is not None and found.title == workload.title:
            mask[places] = _chosen(runs.iloc[places], study, optimizer)
    return runs[mask], part.total


def on_one_grid(study: Resolved) -> bool:
    """Whether all optimizers have the same cells: those of one grid."""
    axes = {(one.lr.values, one.weight_decay.values) for one in study.optimizers}
    return not study.is_sampled and len(axes) == 1


def _sampled(runs: pd.DataFrame, part: Resolved) -> NDArray[np.bool_]:
    """Return which runs are those of some optimizer of a sampled study, in the cell and of the seed that they have."""
    seeds = set(part.seeds)
    rows = runs[["run_id", "optimizer", "lr", "weight_decay", "seed"]].itertuples(index=False, name=None)
    kept = [
        cell[2] in seeds
        and any(part.run_id(part.workload, one, *cell) == run_id for one in part.optimizers if one.name == name)
        for run_id, name, *cell in rows
    ]
    return np.array(kept, dtype=bool)


def _chosen(rows: pd.DataFrame, study: Resolved, optimizer: ResolvedOptimizer) -> NDArray[np.bool_]:
    """Return which rows of one optimizer on one workload are of a cell and a seed that the study asks for."""
    kept: NDArray[np.bool_] = rows["seed"].isin(study.seeds).to_numpy(dtype=bool, copy=True)
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


def best_fit(entries: Sequence[Entry], name: str, options: str) -> Entry | None:
    """Return which of a study's workloads, or optimizers, a row of the results is of; None if it is of none.

    Args:
        entries: Those of the study.
        name: As the row has it.
        options: Likewise, JSON.
    """
    found = json.loads(options)
    fitting = [each for each in entries if _fits(each, name, found)]
    return max(fitting, key=lambda each: (each.options is not None, each.name == name, len(each.given)), default=None)


def _fits(entry: ResolvedWorkload | ResolvedOptimizer, name: str, options: Mapping[str, Any]) -> bool:
    """Tell whether a row is of `entry`: by its options, or by what the study file says of them."""
    if entry.options is not None:
        return name == entry.name and json.loads(entry.options) == options
    # A short name of a package that is not here stands for some import string.
    same = name == entry.name or (":" not in entry.name and ":" in name)
    return same and all(options[key] == value for key, value in entry.given.items() if key in options)
