"""Everything that a report shows, gathered from a store: the study, its runs, maps and measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.asked import stored_study
from analysis.basin import Cell, Mark, common_box
from analysis.claims import DELTAS, study_verdicts
from analysis.measured import CHOOSER, METRIC, Measured
from analysis.parts import parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from analysis.contrasts import Contrasts
    from analysis.landscape import Landscape
    from analysis.parts import Part
    from analysis.summary import Summary
    from analysis.tuning import TuningCurve
    from analysis.verdict import Verdict
    from robustness.results import Store
    from robustness.study import Claim, Study

__all__ = ["AXES", "CHOOSER", "METRIC", "Contents", "gather", "gather_all"]

AXES = {"lr": "learning rate", "weight_decay": "weight decay"}
"""What the two axes of a map are called, by their columns."""


@dataclass(frozen=True, eq=False)
class Contents:
    """What a report shows of one workload.

    Attributes:
        name: The study's name.
        workload: What tables and figures call the workload.
        study: The study as it was asked last, on this workload alone; None where its file is missing or cannot be
            read.
        text: That file.
        problem: Why `study` is None; "" otherwise.
        runs: The runs to show, with the column `label`.
        asked: Runs that the study asks for; None where unknown.
        others: Runs in the store that the study no longer asks for, on any workload.
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
    workload: str
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
        return not self.no_map and len(placed) > 1 and common_box(placed) is None

    @property
    def no_map(self) -> str:
        """Why the cells are no map of learning rate and weight decay; "" where they are one."""
        if len(self.axes) == len(AXES):
            return ""
        if not self.axes:
            return "each optimizer has a single cell, which is no map"
        missing = next(column for column in AXES if column not in self.axes)
        return f"each optimizer has a single {AXES[missing]}, so its cells are a line and no map"


def gather(store: Store, deltas: Sequence[float] = DELTAS, claims: Sequence[Claim] | None = None) -> Contents:
    """Read a store of one workload and measure what is there, however little; arguments as in `gather_all`.

    Raises:
        ValueError: The study has several workloads.
        robustness.results.StorageError: The store cannot be reached.
    """
    found = gather_all(store, deltas, claims)
    if len(found) > 1:
        raise ValueError(f"study {store.name!r} has {len(found)} workloads: see `gather_all`")
    return found[0]


def gather_all(store: Store, deltas: Sequence[float] = DELTAS, claims: Sequence[Claim] | None = None) -> list[Contents]:
    """Read a store and measure what is there, each workload by itself; at least one, if it has no run.

    Args:
        store: The study's results.
        deltas: Points of error that bound a basin; the first one is drawn.
        claims: What the study is asked; None means what its stored file asks.

    Raises:
        robustness.results.StorageError: The store cannot be reached.
    """
    text = store.read_study()
    study, problem = stored_study(text, store.name)
    name = study.name if study else store.name
    asked = (study.claims if study else ()) if claims is None else claims
    stored, provenance = store.runs(), store.read_provenance()
    found = parts(stored, study)
    others = len(stored) - sum(len(part.runs) for part in found)
    measured = [Measured.of(part.runs, part.study, deltas[0]) for part in found]
    curves = store.curves([run for one in measured for run in one.curves])
    shared = {"name": name, "text": text or "", "problem": problem, "others": others, "provenance": provenance}
    return [
        _contents(part, one, curves, asked, shared | {"deltas": tuple(deltas)})
        for part, one in zip(found, measured, strict=True)
    ]


def _contents(
    part: Part,
    measured: Measured,
    curves: pd.DataFrame,
    claims: Sequence[Claim],
    shared: dict[str, Any],
) -> Contents:
    """Return what is shown of one workload; `curves` are those of all, `shared` what all workloads have alike."""
    own = curves[curves["run_id"].isin(part.runs["run_id"])]
    contrasts = measured.contrasts
    if contrasts is not None:
        contrasts.curves = own
    return Contents(
        workload=part.title,
        study=part.study,
        runs=part.runs,
        asked=part.asked,
        maps=measured.maps,
        cells=measured.cells,
        summaries=measured.summaries,
        contrasts=contrasts,
        verdicts=study_verdicts(shared["name"], part.runs, contrasts, claims, shared["deltas"], workload=part.title),
        tuning=measured.tuning,
        best=measured.best,
        curves=own,
        **shared,
    )
