"""Everything that a report shows, gathered from a store: the study, its runs, maps and measures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from analysis.claims.judge import study_verdicts
from analysis.contents.by_workload import parts
from analysis.contents.measured import Measured
from analysis.contents.which_runs import stored_study
from analysis.conventions import AXES, DELTAS
from analysis.landscapes.basin import Cell, Mark, common_box
from analysis.measures.equal_loss import last_epochs
from robustness.results.tables.schema import CURVES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from analysis.claims.verdict import Verdict
    from analysis.contents.by_workload import Part
    from analysis.contents.summary import Summary
    from analysis.landscapes.landscape import Landscape
    from analysis.measures.contrasts import Contrasts
    from analysis.measures.tuning_curve import TuningCurve
    from robustness.results import Store
    from robustness.study import Claim, Study

__all__ = ["Contents", "fully", "gather", "gather_all", "lightly"]


CURVE_COLUMNS = [
    "run_id", "epoch", "lr", "train_loss", "test_loss", "test_error", "grad_norm", "grad_norm_sq", "effective_decay",
    "root_mean_v", "effective_lr",
]  # fmt: skip
"""Columns of the curves that figures draw."""
CLAIM_COLUMNS = ["run_id", "epoch", "train_loss", "test_error"]
"""Those of them that claims read."""


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
        curves: `CURVE_COLUMNS` of these runs, of those that share their optimizer and learning rate, and of all in
            basins.
        provenance: Records of the sweeps, oldest first.

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
    """Read a store of one workload and measure what is there, however little.

    Args:
        store: The study's results.
        deltas: Points of error that bound a basin; the first one is drawn.
        claims: What the study is asked; None means what its stored file asks.

    Returns:
        Maps, measures, comparisons, verdicts and curves of the study.

    Raises:
        ValueError: The study has several workloads: see `gather_all`.
        robustness.results.StorageError: The store cannot be reached.

    Example:
        >>> from analysis import gather
        >>> from robustness.published.shipped import published
        >>> contents = gather(published()["cifar10"])
        >>> {verdict.claim: verdict.outcome for verdict in contents.verdicts}["wider-basin"]
        'undecided'
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
    stored, provenance = store.runs(), store.read_provenance()
    found = lightly(store.name, text or "", problem, parts(stored, study), stored, deltas=deltas)
    return fully(found, provenance, store.curves, claims)


def lightly(
    name: str, text: str, problem: str, found: Sequence[Part], stored: pd.DataFrame, *, deltas: Sequence[float] = DELTAS
) -> list[Contents]:
    """Measure what was read already, each workload by itself: without curves, verdicts, tuning curves and provenance.

    Args:
        name: What the study is called where its file cannot be read.
        text: That file; "" where there is none.
        problem: Why it cannot be read; "" otherwise.
        found: The study taken apart.
        stored: All of its runs.
        deltas: Points of error that bound a basin; the first one is drawn.
    """
    others = len(stored) - sum(len(part.runs) for part in found)
    later: dict[str, Any] = {"verdicts": [], "tuning": {}, "provenance": []}
    shared = {"text": text, "problem": problem, "others": others, "deltas": tuple(deltas)} | later
    return [_measured(part, name, shared) for part in found]


def _measured(part: Part, name: str, shared: dict[str, Any]) -> Contents:
    """Return what is known of one workload at once; `shared` is what all workloads have alike."""
    measured = Measured.of(part.runs, part.study, shared["deltas"][0])
    return Contents(
        name=part.study.name if part.study else name,
        workload=part.title,
        study=part.study,
        runs=part.runs,
        asked=part.asked,
        maps=measured.maps,
        cells=measured.cells,
        summaries=measured.summaries,
        contrasts=measured.contrasts,
        best=measured.best,
        curves=CURVES.empty_table().select(CURVE_COLUMNS).to_pandas(),
        **shared,
    )


def fully(
    found: Sequence[Contents],
    provenance: list[dict[str, Any]],
    curves: Callable[[list[str], list[str]], pd.DataFrame],
    claims: Sequence[Claim] | None = None,
) -> list[Contents]:
    """Return what `lightly` measured with all that takes longer.

    Args:
        found: Every workload of a study; what `contrasts` has worked out is shared.
        provenance: Records of its sweeps.
        curves: Reads these columns of the curves of some runs.
        claims: What the study is asked; None means what its stored file asks.

    Raises:
        robustness.results.StorageError: The curves cannot be reached.
    """
    read = curves([run for one in found for run in _measures(one).curves], CURVE_COLUMNS)
    pa.default_memory_pool().release_unused()  # twice the table, of which files and columns were read
    complete = []
    for one in found:
        own = read if len(found) == 1 else read[read["run_id"].isin(one.runs["run_id"])]
        if one.contrasts is not None:
            # Claims look at the last epochs alone, each anew: a fifth of a table that may fill the memory.
            one.contrasts.curves = last_epochs(own.loc[own["train_loss"] > 0, CLAIM_COLUMNS])
        asked = (one.study.claims if one.study else ()) if claims is None else claims
        verdicts = study_verdicts(one.name, one.runs, one.contrasts, asked, one.deltas, workload=one.workload)
        tuning = _measures(one).tuning
        complete.append(replace(one, verdicts=verdicts, tuning=tuning, curves=own, provenance=provenance))
    return complete


def _measures(one: Contents) -> Measured:
    return Measured(one.runs, one.maps, one.cells, one.contrasts, one.summaries, one.best)
