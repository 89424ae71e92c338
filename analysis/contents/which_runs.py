"""A stored study as it is now: what it is, what it calls its optimizers, and on which axes it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.landscapes.labels import IDENTITY, canonical
from robustness.search.stored_cells import best_fit

if TYPE_CHECKING:
    import pandas as pd

    from analysis.landscapes.labels import Labels
    from analysis.landscapes.landscape import Axis
    from robustness.study.resolved import Resolved


def stored_study(text: str | None, resolved: str | None, name: str) -> tuple[Resolved | None, str | None]:
    """Return the stored study and None, or None and what is wrong with it; nothing that it names is imported.

    Args:
        text: Its file; None without one.
        resolved: What that resolved to when it was stored, JSON; None where an older version stored it.
        name: What the study is called.
    """
    if text is None:
        return None, "there is no study.yaml beside the results"
    from robustness.study import StudyError
    from robustness.study.resolution import stored_study as read

    try:
        return read(text, resolved, f"{name}.yaml"), None
    except StudyError as error:
        return None, f"study.yaml cannot be read: {error}"


def study_labels(study: Resolved | None, runs: pd.DataFrame) -> Labels | None:
    """Return the study's labels by optimizer and options, in its order; None without a study.

    Args:
        study: The study.
        runs: A runs table, which has the options of those optimizers whose classes are not there to tell them.
    """
    if study is None:
        return None
    if all(one.options is not None for one in study.optimizers):
        return {(one.name, canonical(str(one.options))): one.label for one in study.optimizers}
    pairs = runs[IDENTITY].drop_duplicates().itertuples(index=False, name=None)
    found: dict[str, list[tuple[str, str]]] = {}
    for name, options in pairs:
        if (one := best_fit(study.optimizers, str(name), str(options))) is not None:
            found.setdefault(one.label, []).append((str(name), canonical(str(options))))
    return {key: one.label for one in study.optimizers for key in found.get(one.label, [(one.name, "{}")])}


def axes(study: Resolved | None) -> tuple[Axis, Axis]:
    """Return the learning rates and weight decays of a grid: label -> its own, where some optimizer has its own.

    (None, None) without a study: then they are those of the runs.
    """
    if study is None:
        return None, None
    if not any(one.own_space for one in study.optimizers):
        return study.optimizers[0].lr.values, study.optimizers[0].weight_decay.values
    return (
        {one.label: one.lr.values or () for one in study.optimizers},
        {one.label: one.weight_decay.values or () for one in study.optimizers},
    )


def is_sampled(runs: pd.DataFrame, study: Resolved | None) -> bool:
    """Whether a search chose the cells; without the study's file, as the runs themselves say."""
    if study is None:
        return bool((runs["sampler"] != "grid").any())
    return study.is_sampled
