"""Everything that a report shows, gathered from a store: the study, its runs, maps and measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.basin import common_box, depth
from analysis.landscape import canonical, label, landscapes
from analysis.samples import samples
from analysis.summary import best_runs, summarize, summarize_samples

if TYPE_CHECKING:
    import pandas as pd

    from analysis.landscape import Labels, Landscape
    from analysis.summary import Summary
    from robustness.results import Store
    from robustness.study import Study

METRIC = "test_error"
CHOOSER = "validation_error"


@dataclass(frozen=True, eq=False)
class Contents:
    """What a report shows.

    Attributes:
        name: The study's name.
        study: The study as it was asked last; None where its file is missing or cannot be read.
        text: That file.
        problem: Why `study` is None; "" otherwise.
        runs: The runs to show, with the column `label`.
        asked: Runs that the study asks for; None where unknown.
        others: Stored runs that the study no longer asks for.
        maps: Landscapes of the test error; empty for a sampled study.
        cells: The cells of a sampled study; None for a grid.
        summaries: A line per optimizer.
        delta: Points of error that bound a basin.
        best: label -> run_ids of its best cell.
        curves: Curves of these runs.
        provenance: Records of the sweeps, oldest first.
    """

    name: str
    study: Study | None
    text: str
    problem: str
    runs: pd.DataFrame
    asked: int | None
    others: int
    maps: dict[str, Landscape]
    cells: pd.DataFrame | None
    summaries: list[Summary]
    delta: float
    best: dict[str, list[str]]
    curves: pd.DataFrame
    provenance: list[dict[str, Any]]

    @property
    def results(self) -> int:
        """Runs with a result: completed or diverged."""
        return int((self.runs["status"] != "failed").sum())


def gather(store: Store, delta: float = 1.0) -> Contents:
    """Read a store and measure what is there, however little.

    Raises:
        robustness.results.StorageError: The store cannot be reached.
    """
    name = store.root.partition("?")[0].rstrip("/").rpartition("/")[2]
    text = store.read_study()
    study, problem = _study(text, name)
    stored = store.runs()
    kept, asked = _asked_for(stored, study)
    runs = label(kept, _labels(study))
    maps, cells, summaries = _measure(runs, study, delta)
    best = best_runs(runs, summaries)
    return Contents(
        name=study.name if study else name,
        study=study,
        text=text or "",
        problem=problem,
        runs=runs,
        asked=asked,
        others=len(stored) - len(runs),
        maps=maps,
        cells=cells,
        summaries=summaries,
        delta=delta,
        best=best,
        curves=store.curves([run_id for ids in best.values() for run_id in ids]),
        provenance=store.read_provenance(),
    )


def _study(text: str | None, name: str) -> tuple[Study | None, str]:
    """Return the stored study and "", or None and what is wrong with it."""
    if text is None:
        return None, "there is no study.yaml beside the results"
    from robustness.study import Study, StudyError

    try:
        return Study.parse(text, f"{name}.yaml"), ""
    except StudyError as error:
        return None, f"study.yaml cannot be read: {error}"


def _labels(study: Study | None) -> Labels | None:
    if study is None:
        return None
    from robustness.study.run import stored_options

    return {(e.optimizer.name, canonical(stored_options(e.optimizer))): e.label for e in study.optimizers}


def _asked_for(runs: pd.DataFrame, study: Study | None) -> tuple[pd.DataFrame, int | None]:
    """Return the runs that the study asks for as it is now, and how many those are in all.

    A store keeps the runs of earlier versions of a study, with other options or on other axes.
    """
    if study is None:
        return runs, None
    from robustness.study import Sampled

    if not isinstance(study.search, Sampled):
        ids = {run.run_id for run in study.grid()}
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


def _measure(
    runs: pd.DataFrame, study: Study | None, delta: float
) -> tuple[dict[str, Landscape], pd.DataFrame | None, list[Summary]]:
    if not len(runs):
        return {}, None, []
    if _sampled(runs, study):
        cells = samples(runs, METRIC)
        return {}, cells, summarize_samples(cells, samples(runs, CHOOSER))
    space = study.space if study else None
    axes = (space.lr.values, space.weight_decay.values) if space else (None, None)  # noqa: PD011
    test, validation = (landscapes(runs, metric, lr=axes[0], weight_decay=axes[1]) for metric in (METRIC, CHOOSER))
    box = common_box(test.values())
    reference = min((d for d in map(depth, test.values()) if np.isfinite(d)), default=float("nan"))
    has_validation = runs[CHOOSER].notna().any()
    summaries = [
        summarize(one, validation[name] if has_validation else None, delta, reference, box)
        for name, one in test.items()
    ]
    return test, None, summaries


def _sampled(runs: pd.DataFrame, study: Study | None) -> bool:
    """Whether a search chose the cells; without the study's file, as the runs themselves say."""
    if study is None:
        return bool((runs["sampler"] != "grid").any())
    from robustness.study import Sampled

    return isinstance(study.search, Sampled)
