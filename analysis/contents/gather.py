"""Everything that a report shows, gathered from a store: the study, its runs, maps and measures.

In two stages, for whoever must show something at once: `lightly` has what the rows tell, without curves and without a
bootstrap; `answered` adds the comparisons that the report's sentences state, `fully` those of the tables and the
verdicts, and the curves. What a stage returns is finished: nothing in it is filled later.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from analysis.claims.judge import questions_of, study_verdicts
from analysis.contents import questions
from analysis.contents.by_workload import by_workload
from analysis.contents.contents import Contents
from analysis.contents.measured import Measured, summaries_of
from analysis.contents.which_runs import stored_study
from analysis.conventions import DELTAS
from analysis.formats import listing
from analysis.measures.contrasts import Contrasts
from analysis.measures.equal_loss import last_epochs
from robustness.results.files.errors import StorageError
from robustness.results.tables.schema import CURVES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from analysis.contents.by_workload import WorkloadRuns
    from analysis.statistics.comparisons import Comparisons
    from robustness.results import Store
    from robustness.study import Claim

__all__ = ["Contents", "against", "answered", "fully", "gather", "gather_all", "lightly", "within"]

CURVE_COLUMNS = [
    "run_id", "epoch", "lr", "train_loss", "test_loss", "test_error", "grad_norm", "grad_norm_sq", "effective_decay",
    "root_mean_v", "effective_lr",
]  # fmt: skip
"""Columns of the curves that figures draw."""
CLAIM_COLUMNS = ["run_id", "epoch", "train_loss", "test_error"]
"""Those of them that claims read."""


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
        robustness.results.StorageError: The store cannot be reached, or no file in it can be used.
    """
    text = store.read_study()
    study, problem = stored_study(text, store.read_resolved(), store.name)
    stored, provenance = store.runs(), store.read_provenance()
    if not len(stored) and (unusable := store.reader.left_out):
        raise StorageError(f"{store.root} holds no run, for {listing(sorted(unusable))} cannot be used")
    found = lightly(store.name, text, problem, by_workload(stored, study), stored, deltas=deltas)
    return fully(found, provenance, store.curves, claims)


def lightly(
    name: str,
    text: str | None,
    problem: str | None,
    found: Sequence[WorkloadRuns],
    stored: pd.DataFrame,
    *,
    deltas: Sequence[float] = DELTAS,
) -> list[Contents]:
    """Measure what was read already, each workload by itself: no comparisons, curves, verdicts or tuning curves.

    Args:
        name: What the study is called where its file cannot be read.
        text: That file; None where there is none.
        problem: Why it cannot be read; None otherwise.
        found: The study taken apart.
        stored: All of its runs.
        deltas: Points of error that bound a basin; the first one is drawn.
    """
    others = len(stored) - sum(len(one.runs) for one in found)
    later: dict[str, Any] = {"comparisons": None, "verdicts": [], "tuning": {}, "provenance": []}
    shared = {"text": text, "problem": problem, "others": others, "deltas": tuple(deltas)} | later
    return [_measured(one, name, shared) for one in found]


def _measured(one: WorkloadRuns, name: str, shared: dict[str, Any]) -> Contents:
    """Return what is known of one workload at once; `shared` is what all workloads have alike."""
    measured = Measured.of(one.runs, one.study, shared["deltas"][0])
    return Contents(
        name=one.study.name if one.study else name,
        workload=one.title,
        study=one.study,
        runs=one.runs,
        asked=one.asked,
        maps=measured.maps,
        cells=measured.cells,
        summaries=measured.summaries,
        seeds=measured.seeds,
        best=measured.best,
        reference=one.study.reference if one.study else None,
        curves=CURVES.empty_table().select(CURVE_COLUMNS).to_pandas(),
        **shared,
    )


def within(contents: Contents, delta: float) -> Contents:
    """Return what `lightly` measured with basins within another distance, in points of error."""
    if delta == contents.delta or contents.seeds is None:
        return contents
    summaries = summaries_of(contents.runs, contents.maps, contents.cells, contents.seeds, delta)
    return replace(contents, summaries=summaries, deltas=(delta, 2 * delta), comparisons=None)


def against(contents: Contents, reference: str | None) -> Contents:
    """Return what `lightly` measured, to be compared with another optimizer; None leaves it as the study has it."""
    if reference in (None, contents.reference):
        return contents
    return replace(contents, reference=reference, comparisons=None)


def answered(contents: Contents) -> Contents:
    """Return what `lightly` measured with the comparisons that the report's first sentences state."""
    if contents.seeds is None:
        return contents
    asked = questions.of_answer(contents)
    return replace(contents, comparisons=Contrasts.of(contents.seeds, contents.runs).answers(asked))


def fully(
    found: Sequence[Contents],
    provenance: list[dict[str, Any]],
    curves: Callable[[list[str], list[str]], pd.DataFrame],
    claims: Sequence[Claim] | None = None,
) -> list[Contents]:
    """Return what `lightly` measured with all that takes longer.

    Args:
        found: Every workload of a study.
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
        asked = (one.study.claims if one.study else ()) if claims is None else claims
        compared = _compared(one, own, asked)
        verdicts = study_verdicts(one.name, one.runs, compared, asked, one.deltas, workload=one.workload)
        complete.append(
            replace(
                one,
                comparisons=compared,
                verdicts=verdicts,
                tuning=_measures(one).tuning,
                curves=own,
                provenance=provenance,
            )
        )
    return complete


def fully_against(contents: Contents, reference: str) -> Contents:
    """Return what `fully` measured, compared with another optimizer; itself where that is no label of it."""
    if reference not in contents.identities or reference == contents.reference:
        return contents
    other = against(contents, reference)
    claims = other.study.claims if other.study else ()
    return replace(other, comparisons=_compared(other, other.curves, claims))


def _compared(one: Contents, curves: pd.DataFrame, claims: Sequence[Claim]) -> Comparisons | None:
    """Return every comparison that sentences, tables and verdicts state; None without a grid's run."""
    if one.seeds is None:
        return None
    # Claims look at the last epochs alone, each anew: a fifth of a table that may fill the memory.
    last = last_epochs(curves.loc[curves["train_loss"] > 0, CLAIM_COLUMNS])
    measures = {claim.measure for claim in claims}
    asked = [
        *questions_of(claims, one.seeds.labels, one.runs, one.deltas),
        *questions.of_answer(one),
        *questions.of_table(one, measures),
    ]
    return Contrasts.of(one.seeds, one.runs, last).answers(asked, questions.values(one, measures))


def _measures(one: Contents) -> Measured:
    return Measured(
        runs=one.runs, maps=one.maps, cells=one.cells, seeds=one.seeds, summaries=one.summaries, best=one.best
    )
