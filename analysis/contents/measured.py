"""The maps and measures of one workload's runs, however few there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.contents.summary import runs_of_summaries, summarize, summarize_samples
from analysis.contents.which_runs import axes, is_sampled
from analysis.conventions import CHOOSER, METRIC, WITHIN
from analysis.landscapes.basin import common_box
from analysis.landscapes.by_seed import in_cells, replicates
from analysis.landscapes.landscape import landscapes
from analysis.landscapes.sampled import samples
from analysis.measures.study_landscapes import StudyLandscapes
from analysis.measures.tuning_curve import grid_curve, sample_curve
from robustness.results.best import best_errors
from robustness.results.tables.cells import chance_of

if TYPE_CHECKING:
    import pandas as pd

    from analysis.contents.summary import Summary
    from analysis.landscapes.landscape import Landscape
    from analysis.measures.tuning_curve import TuningCurve
    from robustness.study.resolved import Resolved


@dataclass(frozen=True, eq=False, kw_only=True)
class Measured:
    """What the runs of one workload come to; attributes as in `analysis.contents.contents.Contents`."""

    runs: pd.DataFrame
    maps: dict[str, Landscape]
    cells: pd.DataFrame | None
    seeds: StudyLandscapes | None
    summaries: list[Summary]
    best: dict[str, list[str]]

    @classmethod
    def of(cls, runs: pd.DataFrame, study: Resolved | None, delta: float) -> Measured:
        """Measure labelled runs of one workload.

        Args:
            runs: A runs table with the column `label`.
            study: The study on this workload alone, where its file can be read.
            delta: Points of error that bound a basin.
        """
        maps, cells = _mapped(runs, study)
        seeds = _by_seed(runs, study) if maps else None
        summaries = summaries_of(runs, maps, cells, seeds, delta)
        best = runs_of_summaries(runs, summaries)
        return cls(runs=runs, maps=maps, cells=cells, seeds=seeds, summaries=summaries, best=best)

    @property
    def curves(self) -> list[str]:
        """Runs whose curves are shown or measured: by the best cells, and in basins."""
        return _with_neighbors(self.runs, self.best) + (_in_basins(self.runs, self.seeds) if self.seeds else [])

    @property
    def tuning(self) -> dict[str, TuningCurve]:
        """Tuning curve of each optimizer whose cells are spread evenly over the box."""
        box = common_box(self.maps.values())
        curves = {name: grid_curve(one, box) for name, one in self.maps.items()}
        if self.cells is not None:
            samplers = set(self.runs["sampler"].unique())
            for name, part in self.cells.groupby("label", observed=True, sort=True):
                curves[str(name)] = sample_curve(str(name), part, samplers)
        return {name: curve for name, curve in curves.items() if curve is not None}


def _mapped(runs: pd.DataFrame, study: Resolved | None) -> tuple[dict[str, Landscape], pd.DataFrame | None]:
    """Return the landscapes of a grid, or the cells of a sampled study."""
    if not len(runs):
        return {}, None
    if is_sampled(runs, study):
        return {}, samples(runs, METRIC)
    lr, weight_decay = axes(study)
    return landscapes(runs, METRIC, lr=lr, weight_decay=weight_decay), None


def _by_seed(runs: pd.DataFrame, study: Resolved | None) -> StudyLandscapes:
    """Return every seed's landscape of each optimizer of a grid."""
    known = study.workload.chance_error if study else None
    chance = chance_of(runs) if known is None else known
    return StudyLandscapes(replicates(runs, [METRIC, CHOOSER], *axes(study)), chance=chance)


def summaries_of(
    runs: pd.DataFrame,
    maps: dict[str, Landscape],
    cells: pd.DataFrame | None,
    seeds: StudyLandscapes | None,
    delta: float,
) -> list[Summary]:
    """Return a line per optimizer; arguments as the attributes of `analysis.contents.contents.Contents`."""
    if seeds is not None:
        return [summarize(one, seeds, delta) for one in maps.values()]
    if cells is None:
        return []
    depths = best_errors(runs, one_grid=False)
    return summarize_samples(cells, samples(runs, CHOOSER), set(runs["sampler"].unique()), delta, depths=depths)


def _with_neighbors(runs: pd.DataFrame, best: dict[str, list[str]]) -> list[str]:
    """Return the runs of the best cells and those of the same optimizer and learning rate."""
    rows = runs.loc[runs["run_id"].isin([run for ids in best.values() for run in ids]), ["label", "lr"]]
    return list(runs.merge(rows.drop_duplicates(), on=["label", "lr"])["run_id"])


def _in_basins(runs: pd.DataFrame, seeds: StudyLandscapes) -> list[str]:
    """Return the runs of every optimizer in the cells that lie in some optimizer's basin."""
    kept = np.zeros(len(runs), dtype=bool)
    for name, one in seeds.replicates.items():
        kept |= in_cells(runs, one, seeds.inside(name, WITHIN))
    return list(runs.loc[kept, "run_id"])
