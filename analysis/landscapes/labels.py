"""What an optimizer of a table of runs is called."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Identity = tuple[str, str]
    Labels = Mapping[Identity, str]

IDENTITY = ["optimizer", "optimizer_options"]


def canonical(options: str) -> str:
    """Return a JSON text with sorted keys, so that equal options are equal texts."""
    return json.dumps(json.loads(options), sort_keys=True)


def labelled(runs: pd.DataFrame, labels: Labels | None = None) -> pd.DataFrame:
    """Return the runs labelled by `label`, as they are if it has done so: a stored label is that of the training."""
    done = "label" in runs and isinstance(runs["label"].dtype, pd.CategoricalDtype)
    return runs if done else label(runs, labels)


def label(runs: pd.DataFrame, labels: Labels | None = None) -> pd.DataFrame:
    """Return the runs with a categorical column `label`, each run once.

    Args:
        runs: A runs table.
        labels: (optimizer, canonical options) -> label, in the order to show; runs of other optimizers are
            dropped. Without it an optimizer is called by its name, and by the options that differ where one
            name has several.
    """
    again = runs["run_id"].duplicated()
    # A wide table is copied only where rows go.
    runs = runs[~again] if again.any() else runs
    groups = runs.groupby(IDENTITY, sort=True)
    firsts = groups[IDENTITY].head(1).sort_values(IDENTITY)
    found = [(str(name), canonical(str(options))) for name, options in firsts.itertuples(index=False, name=None)]
    chosen = labels if labels is not None else told_apart(found)
    names = pd.Series([chosen.get(key) for key in found], dtype="object")
    column = pd.Categorical(
        names.to_numpy()[groups.ngroup().to_numpy()], categories=list(dict.fromkeys(chosen.values()))
    )
    labelled = runs.assign(label=column)
    return labelled.dropna(subset="label") if (column.codes < 0).any() else labelled


def told_apart(found: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return (name, options as JSON) -> a title: the name, and the options that differ where one name has several."""
    labels = {}
    for name, options in found:
        rivals = [json.loads(other) for rival, other in found if rival == name]
        own = json.loads(options)
        differing = [k for k in own if any(rival.get(k) != own[k] for rival in rivals)]
        labels[name, options] = " ".join([name, *(f"{key}={own[key]}" for key in differing)])
    return labels
