"""Which of the stored runs a study asks for as it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.landscapes.labels import canonical

if TYPE_CHECKING:
    import pandas as pd

    from analysis.landscapes.labels import Labels
    from analysis.landscapes.landscape import Axis
    from robustness.study import Study


MOST_KNOWN = 8
_known: dict[str, frozenset[str]] = {}


def stored_study(text: str | None, name: str) -> tuple[Study | None, str | None]:
    """Return the stored study and None, or None and what is wrong with it."""
    if text is None:
        return None, "there is no study.yaml beside the results"
    from robustness.study import Study, StudyError

    try:
        return Study.parse(text, f"{name}.yaml"), None
    except StudyError as error:
        return None, f"study.yaml cannot be read: {error}"


def study_labels(study: Study | None) -> Labels | None:
    """Return the study's labels by optimizer and options, in its order; None without a study."""
    if study is None:
        return None
    from robustness.study.run import stored_options

    return {(e.optimizer.name, canonical(stored_options(e.optimizer))): e.label for e in study.optimizers}


def axes(study: Study | None) -> tuple[Axis, Axis]:
    """Return the learning rates and weight decays of a grid: label -> its own, where some optimizer has its own.

    (None, None) without a study: then they are those of the runs.
    """
    if study is None:
        return None, None
    if all(entry.space is None for entry in study.optimizers):
        return study.space.lr.values, study.space.weight_decay.values
    spaces = {entry.label: study.space_of(entry) for entry in study.optimizers}
    return (
        {label: space.lr.values for label, space in spaces.items()},
        {label: space.weight_decay.values for label, space in spaces.items()},
    )


def asked_for(runs: pd.DataFrame, study: Study | None) -> tuple[pd.DataFrame, int | None]:
    """Return the runs that the study asks for as it is now, and how many those are in all.

    A store keeps the runs of earlier versions of a study, with other options or on other axes.
    """
    if study is None:
        return runs, None
    from robustness.study import Sampled

    if not isinstance(study.search, Sampled):
        ids = _asked_ids(study)
        return runs[runs["run_id"].isin(ids)], len(ids)
    by_name: dict[str, list[Any]] = {}
    for entry in study.optimizers:
        by_name.setdefault(entry.optimizer.name, []).append(entry)
    possible = runs[runs["seed"].isin(study.seeds) & runs["optimizer"].isin(list(by_name))]
    rows = possible[["run_id", "optimizer", "lr", "weight_decay", "seed"]].itertuples(index=False, name=None)
    mask = [
        any(study.run(entry, lr, decay, seed).run_id == run_id for entry in by_name[optimizer])
        for run_id, optimizer, lr, decay, seed in rows
    ]
    return possible[np.array(mask, dtype=bool)], study.search.cells * len(study.optimizers) * len(study.seeds)


def _asked_ids(study: Study) -> frozenset[str]:
    """Return the ids of a grid's runs; those of the last studies are kept, for a study is looked at again and again."""
    key = study.model_dump_json()
    ids = _known.get(key)
    if ids is None:
        ids = _known[key] = frozenset(run.run_id for run in study.grid())
        for old in list(_known)[:-MOST_KNOWN]:
            _known.pop(old, None)
    return ids


def is_sampled(runs: pd.DataFrame, study: Study | None) -> bool:
    """Whether a search chose the cells; without the study's file, as the runs themselves say."""
    if study is None:
        return bool((runs["sampler"] != "grid").any())
    from robustness.study import Sampled

    return isinstance(study.search, Sampled)
