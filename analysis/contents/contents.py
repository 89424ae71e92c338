"""What a report shows of one workload: `analysis.contents.gather` fills it, stage by stage."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from analysis.contents.which_runs import study_labels
from analysis.conventions import AXES
from analysis.landscapes.basin import Mark, common_box
from analysis.landscapes.labels import IDENTITY, canonical
from analysis.landscapes.slots import slots

if TYPE_CHECKING:
    import pandas as pd

    from analysis.claims.verdict import Verdict
    from analysis.contents.summary import Summary
    from analysis.landscapes.basin import Place
    from analysis.landscapes.labels import Identity
    from analysis.landscapes.landscape import Landscape
    from analysis.measures.study_landscapes import StudyLandscapes
    from analysis.measures.tuning_curve import TuningCurve
    from analysis.statistics.comparisons import Comparisons
    from robustness.study.resolved import Resolved


@dataclass(frozen=True, eq=False, kw_only=True)
class Contents:
    """What a report shows of one workload.

    Attributes:
        name: The study's name.
        workload: What tables and figures call the workload.
        study: The study as it was asked last, on this workload alone; None where its file is missing or cannot be
            read.
        text: That file; None without one.
        problem: Why `study` is None; None otherwise.
        runs: The runs to show, with the column `label`.
        asked: Runs that the study asks for; None where unknown.
        others: Runs in the store that the study no longer asks for, on any workload.
        maps: Landscapes of the test error; empty for a sampled study.
        cells: The cells of a sampled study; None for a grid.
        summaries: A line per optimizer.
        seeds: Every seed's landscape of each optimizer of a grid; None without a run, and for a sampled study.
        comparisons: What was asked of a grid's optimizers; None before `answered` or `fully`, and where `seeds` is.
        verdicts: On every claim.
        tuning: Tuning curve of each optimizer whose cells are spread evenly over the box.
        deltas: Points of error that bound a basin; the first one is drawn.
        best: label -> run_ids of the cell by which it is judged.
        curves: `analysis.contents.gather.CURVE_COLUMNS` of these runs, of those that share their optimizer and
            learning rate, and of all in basins.
        provenance: Records of the sweeps, oldest first.
        reference: Label of the optimizer that the others are compared with; None: the first that has a result.

    Example:
        >>> from analysis import gather
        >>> from robustness.published.shipped import published
        >>> contents = gather(published()["cifar10"])
        >>> contents.results, contents.asked, contents.deltas
        (504, 504, (1.0, 2.0))
        >>> sorted(contents.maps)
        ['Adam', 'AdamS', 'AdamW']
    """

    name: str
    workload: str
    study: Resolved | None
    text: str | None
    problem: str | None
    runs: pd.DataFrame
    asked: int | None
    others: int
    maps: dict[str, Landscape]
    cells: pd.DataFrame | None
    summaries: list[Summary]
    seeds: StudyLandscapes | None
    comparisons: Comparisons | None
    verdicts: list[Verdict]
    tuning: dict[str, TuningCurve]
    deltas: tuple[float, ...]
    best: dict[str, list[str]]
    curves: pd.DataFrame
    provenance: list[dict[str, Any]]
    reference: str | None = None

    @property
    def delta(self) -> float:
        """Points of error that bound the basin that is drawn."""
        return self.deltas[0]

    @property
    def chosen(self) -> dict[str, Place | None]:
        """The cell by which each optimizer of a grid is judged."""
        found = self.seeds.chosen if self.seeds else {}
        return {name: found.get(name) for name in self.maps}

    @property
    def marks(self) -> dict[str, Mark]:
        """That cell and its error, where there is one."""
        return {
            name: Mark(cell, self.seeds.depth(name))
            for name, cell in self.chosen.items()
            if cell is not None and self.seeds is not None
        }

    @cached_property
    def identities(self) -> dict[str, Identity]:
        """What each optimizer is, by label: its name and canonical options; of those without a run by the study."""
        found = {label: identity for identity, label in (study_labels(self.study, self.runs) or {}).items()}
        if len(self.runs):
            rows = self.runs.drop_duplicates("label")[["label", *IDENTITY]]
            found |= {
                str(label): (str(name), canonical(str(options)))
                for label, name, options in rows.itertuples(index=False, name=None)
            }
        return found

    @cached_property
    def slots(self) -> dict[str, int]:
        """Which look each optimizer has, by label."""
        return slots(self.identities)

    @property
    def results(self) -> int:
        """Runs with a result: completed or diverged."""
        return int((self.runs["status"] != "failed").sum())

    @property
    def axes(self) -> tuple[str, ...]:
        """Columns of those axes of which some optimizer has several values: none where each has a single cell."""
        if not self.maps:
            return tuple(AXES)
        counts = [(len(one.lr), len(one.weight_decay)) for one in self.maps.values()]
        return tuple(name for name, column in zip(AXES, zip(*counts, strict=True), strict=True) if max(column) > 1)

    @property
    def apart(self) -> bool:
        """Whether the maps have no box in common, because of the optimizers' own learning rates and weight decays."""
        placed = [one for one in self.maps.values() if (one.weight_decay > 0).any()]
        return self.no_map is None and len(placed) > 1 and common_box(placed) is None

    @property
    def no_map(self) -> str | None:
        """Why the cells are no map of learning rate and weight decay; None where they are one."""
        if len(self.axes) == len(AXES):
            return None
        if not self.axes:
            return "each optimizer has a single cell, which is no map"
        missing = next(column for column in AXES if column not in self.axes)
        return f"each optimizer has a single {AXES[missing]}, so its cells are a line and no map"
