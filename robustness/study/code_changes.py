"""Which stored runs were trained with other modules of one's own than those of now, and which modules those are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robustness.study.resolved import ResolvedCode

RAISE = "raise `version` in the class to train them anew"
MOST_NAMES = 5


@dataclass(frozen=True, kw_only=True)
class CodeChange:
    """Stored runs of other code.

    Attributes:
        modules: Names of the modules, and of classes of `__main__`, that differ.
        runs: How many stored runs with a result are of the other code.
        ids: Those runs.
    """

    modules: tuple[str, ...]
    runs: int
    ids: frozenset[str]

    def __str__(self) -> str:
        """Return a sentence that says what happened, and what to do."""
        shown = ", ".join(self.modules[:MOST_NAMES]) + (", …" if self.modules[MOST_NAMES:] else "")
        has = "has" if len(self.modules) == 1 else "have"
        runs = "1 stored run was" if self.runs == 1 else f"{self.runs} stored runs were"
        it = (
            ("it is kept as it is", RAISE.replace("them", "it"))
            if self.runs == 1
            else ("they are kept as they are", RAISE)
        )
        return f"{shown} {has} changed since {runs} trained; {it[0]}: {it[1]}"


def code_change(runs: pd.DataFrame, codes: Mapping[str, ResolvedCode], modules: Mapping[str, str]) -> CodeChange | None:
    """Return what of the code of stored runs differs from `modules`; None where nothing is known to differ.

    Args:
        runs: A runs table.
        codes: What runs of the study were trained with, by a short digest.
        modules: Name -> digest as they are now.
    """
    done = runs[(runs["status"] != "failed") & (_is_own(runs["workload"]) | _is_own(runs["optimizer"]))]
    names: set[str] = set()
    ids: set[str] = set()
    for digest, rows in done.groupby(_trained_with(done, codes)):
        before = codes[str(digest)].modules
        # A class that is in no module of the other code says nothing of it: another study's, or a new one.
        differing = {name for name, text in modules.items() if name in before and before[name] != text}
        if differing and (found := rows[_concerned(rows, differing)])["run_id"].size:
            names |= differing
            ids |= set(found["run_id"])
    return CodeChange(modules=tuple(sorted(names)), runs=len(ids), ids=frozenset(ids)) if ids else None


def _is_own(names: pd.Series) -> pd.Series:
    """Whether a workload or an optimizer is called by an import string."""
    return names.astype(str).str.contains(":", regex=False)


def _concerned(rows: pd.DataFrame, names: set[str]) -> pd.Series:
    """Return which rows a change concerns: all where a module changed, else those of the classes of `__main__`."""
    if any(":" not in name for name in names):
        return pd.Series(data=True, index=rows.index)
    return rows["workload"].isin(names) | rows["optimizer"].isin(names)


def _trained_with(runs: pd.DataFrame, codes: Mapping[str, ResolvedCode]) -> pd.Series:
    """Return the short digest of each run's code; of a row that has none, what was in use when it ended.

    Null where it is of no code that is known.
    """
    known = sorted((code.since.timestamp(), digest) for digest, code in codes.items())
    ended = runs["finished_at"].map(lambda moment: moment.timestamp()).to_numpy(dtype=np.float64)
    places = np.searchsorted(np.array([moment for moment, _ in known]), ended, side="right") - 1
    by_time = pd.Series([known[at][1] if at >= 0 else None for at in places], index=runs.index, dtype="object")
    if "code" not in runs.columns:
        return by_time
    stored = runs["code"].astype("object")
    return stored.where(stored.isin(list(codes)), by_time.where(stored.isna()))
