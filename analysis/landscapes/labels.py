"""What an optimizer of a table of runs is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from robustness.results.run_labels import IDENTITY, canonical, told_apart

if TYPE_CHECKING:
    from collections.abc import Mapping

    Identity = tuple[str, str]
    Labels = Mapping[Identity, str]

__all__ = ["IDENTITY", "canonical", "label", "told_apart"]


def names_of(runs: pd.DataFrame) -> dict[str, str]:
    """Return label -> name of its optimizer, of the labels with runs."""
    firsts = runs.drop_duplicates("label")
    return dict(zip(firsts["label"].astype(str), firsts["optimizer"].astype(str), strict=True))


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
