"""Everything that a report shows, gathered from a store: the study, its runs, maps and measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.asked import asked_for, is_sampled, stored_study, study_labels
from analysis.basin import Cell, Mark, common_box
from analysis.claims import DELTAS, study_verdicts
from analysis.contrasts import Contrasts
from analysis.landscape import label, landscapes
from analysis.measures import WITHIN
from analysis.replicates import in_cells
from analysis.samples import samples
from analysis.summary import runs_of_summaries, summarize, summarize_samples
from analysis.tuning import grid_curve, sample_curve

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from analysis.landscape import Landscape
    from analysis.summary import Summary
    from analysis.tuning import TuningCurve
    from analysis.verdict import Verdict
    from robustness.results import Store
    from robustness.study import Claim, Study

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
        contrasts: The comparisons of a grid; None without a result, and for a sampled study.
        verdicts: On every claim.
        tuning: Tuning curve of each optimizer whose cells are spread evenly over the box.
        deltas: Points of error that bound a basin; the first one is drawn.
        best: label -> run_ids of the cell by which it is judged.
        curves: Curves of these runs, of those that share their optimizer and learning rate, and of all in basins.
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
    contrasts: Contrasts | None
    verdicts: list[Verdict]
    tuning: dict[str, TuningCurve]
    deltas: tuple[float, ...]
    best: dict[str, list[str]]
    curves: pd.DataFrame
    provenance: list[dict[str, Any]]

    @property
    def delta(self) -> float:
        """Points of error that bound the basin that is drawn."""
        return self.deltas[0]

    @property
    def chosen(self) -> dict[str, Cell | None]:
        """The cell by which each optimizer of a grid is judged."""
        found = self.contrasts.chosen if self.contrasts else {}
        return {name: found.get(name) for name in self.maps}

    @property
    def marks(self) -> dict[str, Mark]:
        """That cell and its error, where there is one."""
        return {
            name: Mark(cell, self.contrasts.depth(name))
            for name, cell in self.chosen.items()
            if cell is not None and self.contrasts is not None
        }

    @property
    def results(self) -> int:
        """Runs with a result: completed or diverged."""
        return int((self.runs["status"] != "failed").sum())


def gather(store: Store, deltas: Sequence[float] = DELTAS, claims: Sequence[Claim] | None = None) -> Contents:
    """Read a store and measure what is there, however little.

    Args:
        store: The study's results.
        deltas: Points of error that bound a basin; the first one is drawn.
        claims: What the study is asked; None means what its stored file asks.

    Raises:
        robustness.results.StorageError: The store cannot be reached.
    """
    name = store.name
    text = store.read_study()
    study, problem = stored_study(text, name)
    stored = store.runs()
    kept, asked = asked_for(stored, study)
    runs = label(kept, study_labels(study))
    maps, cells = _mapped(runs, study)
    contrasts = Contrasts.of_runs(runs, *_axes(study), chance=_chance(study)) if maps else None
    summaries = _summaries(runs, maps, cells, contrasts, deltas[0])
    best = runs_of_summaries(runs, summaries)
    curves = store.curves(_with_neighbors(runs, best) + (_in_basins(runs, contrasts) if contrasts else []))
    if contrasts is not None:
        contrasts.curves = curves
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
        contrasts=contrasts,
        verdicts=study_verdicts(
            study.name if study else name,
            runs,
            contrasts,
            study.claims if study and claims is None else claims or (),
            deltas,
        ),
        tuning=_tuning(runs, maps, cells),
        deltas=tuple(deltas),
        best=best,
        curves=curves,
        provenance=store.read_provenance(),
    )


def _axes(study: Study | None) -> tuple[Sequence[float] | None, Sequence[float] | None]:
    return (study.space.lr.values, study.space.weight_decay.values) if study else (None, None)


def _mapped(runs: pd.DataFrame, study: Study | None) -> tuple[dict[str, Landscape], pd.DataFrame | None]:
    """Return the landscapes of a grid, or the cells of a sampled study."""
    if not len(runs):
        return {}, None
    if is_sampled(runs, study):
        return {}, samples(runs, METRIC)
    lr, weight_decay = _axes(study)
    return landscapes(runs, METRIC, lr=lr, weight_decay=weight_decay), None


def _summaries(
    runs: pd.DataFrame,
    maps: dict[str, Landscape],
    cells: pd.DataFrame | None,
    contrasts: Contrasts | None,
    delta: float,
) -> list[Summary]:
    if contrasts is not None:
        return [summarize(one, contrasts, delta) for one in maps.values()]
    if cells is None:
        return []
    return summarize_samples(cells, samples(runs, CHOOSER), set(runs["sampler"].unique()), delta)


def _chance(study: Study | None) -> float | None:
    return study.workload.chance_error if study else None


def _with_neighbors(runs: pd.DataFrame, best: dict[str, list[str]]) -> list[str]:
    """Return the runs of the best cells and those of the same optimizer and learning rate."""
    rows = runs.loc[runs["run_id"].isin([run for ids in best.values() for run in ids]), ["label", "lr"]]
    return list(runs.merge(rows.drop_duplicates(), on=["label", "lr"])["run_id"])


def _in_basins(runs: pd.DataFrame, contrasts: Contrasts) -> list[str]:
    """Return the runs of every optimizer in the cells that lie in some optimizer's basin."""
    kept = np.zeros(len(runs), dtype=bool)
    for name, one in contrasts.replicates.items():
        kept |= in_cells(runs, one, contrasts.inside(name, WITHIN))
    return list(runs.loc[kept, "run_id"])


def _tuning(runs: pd.DataFrame, maps: dict[str, Landscape], cells: pd.DataFrame | None) -> dict[str, TuningCurve]:
    box = common_box(maps.values())
    curves = {name: grid_curve(one, box) for name, one in maps.items()}
    if cells is not None:
        samplers = set(runs["sampler"].unique())
        for name, part in cells.groupby("label", observed=True, sort=True):
            curves[str(name)] = sample_curve(str(name), part, samplers)
    return {name: curve for name, curve in curves.items() if curve is not None}
