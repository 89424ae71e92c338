"""All checks of one store, part after part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from robustness.checks.epoch_counts import faults_of_curves, lost_curves
from robustness.checks.fault import RUN_AGAIN, Checked, Fault
from robustness.checks.files import faults_of_digests, read_study
from robustness.checks.ids import Ids
from robustness.checks.values import faults_of_losses, faults_of_states, faults_of_values
from robustness.results import SchemaError, StorageError
from robustness.results.batches import Ticks
from robustness.results.files.folder import Entry
from robustness.results.tables.schema import CURVES, RUNS
from robustness.search.stored_cells import KINDS, asked_for

if TYPE_CHECKING:
    from robustness.results import Store
    from robustness.results.batches import OnProgress
    from robustness.study.resolved import Resolved

SAME = [*KINDS, "lr", "weight_decay", "seed", "code_version", "code"]
"""Columns that are the same of one run trained twice by the same code."""
_KEPT = pa.schema([*(RUNS.field(name) for name in (*SAME, "run_id", "sampler")), pa.field("part", pa.string())])


def check(store: Store, on_progress: OnProgress | None = None) -> Checked:
    """Return what is wrong with a store.

    Args:
        store: Of which nothing is changed.
        on_progress: Hears how far it is.

    Raises:
        StorageError: The store cannot be reached.
    """
    done = Checked()
    digests = faults_of_digests(store)
    resolved, faults = read_study(store)
    done.faults += [*(digests or ()), *(each for each in faults if digests is None or "SHA-256" not in each.what)]
    names, ids = sorted(store.reader.names("runs")), Ids(resolved)
    altered = {each.file for each in digests or ()}
    tick, kept = Ticks(on_progress, len(names)), []
    for name in names:
        if f"runs/{name}.parquet" not in altered:
            kept.append(_check_part(store, name, ids, done, altered))
        tick()
    done.parts = len(names)
    runs = pa.concat_tables([_KEPT.empty_table(), *(table for table in kept if table is not None)])
    done.runs = len(runs)
    done.faults += [each for each in lost_curves(store, set(names)) if each.file not in altered]
    done.faults += _twice(runs)
    if resolved is not None:
        _beyond(runs, resolved, done, published=digests is not None)
    digested = [] if digests is None else ["digests"]
    done.verified = ["schema", *digested, "ids", "duplicates", "ranges of values", "curves", "study file"]
    if ids.unknown:
        done.notes.append(
            f"the ids of {ids.unknown} runs could not be worked out: their classes are not of this package, and"
            " resolved.json does not have them"
        )
    return done


def _check_part(store: Store, name: str, ids: Ids, done: Checked, altered: set[str]) -> pa.Table | None:
    """Check a part of runs and its curves; return the columns that are compared with those of other parts."""
    file, beside = f"runs/{name}.parquet", f"curves/{name}.parquet"
    runs = _read(store, name, "runs", RUNS, done)
    curves = None if beside in altered else _read(store, name, "curves", CURVES, done)
    if runs is None:
        return None
    done.faults += [*faults_of_values(file, runs), *faults_of_states(file, runs), *ids.faults(file, runs)]
    if curves is not None:
        completed = runs.filter(pc.equal(runs.column("status"), "completed")).column("run_id").combine_chunks()
        done.faults += [*faults_of_values(beside, curves), *faults_of_losses(beside, curves, completed)]
    if beside not in altered and (curves is not None or store.folder.age(beside) is None):
        done.faults += faults_of_curves(file, beside, runs, curves)
    return runs.append_column("part", pa.array([file] * len(runs), pa.string())).select(_KEPT.names)


def _read(store: Store, name: str, folder: str, schema: pa.Schema, done: Checked) -> pa.Table | None:
    """Return a part; None without one, or where it is a fault."""
    file = f"{folder}/{name}.parquet"
    is_file = any(each.is_file for each in store.folder.entries(folder) if each.name == f"{name}.parquet")
    if not is_file and store.folder.age(file) is None:
        return None
    try:
        found = store.reader.read_one(folder, Entry(f"{name}.parquet", is_file=is_file), schema, None, None)
    except StorageError as error:
        done.faults.append(Fault(file=file, what=str(error), advice="nothing of this study can be read until then"))
        return None
    if isinstance(found, SchemaError):
        aside = "it is set aside by the next sweep, which trains its runs anew" if folder == "runs" else RUN_AGAIN
        done.faults.append(Fault(file=file, what=str(found), advice=aside))
        return None
    return found


def _twice(runs: pa.Table) -> list[Fault]:
    """Return the runs that are there twice: under one id, or under two though all that decides them is the same."""
    if not len(runs):
        return []
    merge = "`robustness compact` keeps the row that counts"
    groups = runs.group_by("run_id").aggregate([("part", "list")])
    doubled = groups.filter(pc.greater(pc.list_value_length(groups.column("part_list")), 1)).to_pylist()
    found = [
        Fault(
            file=min(row["part_list"]),
            run=row["run_id"],
            what=f"it is there {len(row['part_list'])} times, in {', '.join(sorted(set(row['part_list'])))}",
            advice=merge,
        )
        for row in doubled
    ]
    groups = runs.group_by(SAME).aggregate([("run_id", "distinct"), ("part", "distinct")])
    same = groups.filter(pc.greater(pc.list_value_length(groups.column("run_id_distinct")), 1)).to_pylist()
    return found + [
        Fault(
            file=min(row["part_distinct"]),
            run=min(row["run_id_distinct"]),
            what=f"the same run is there under another id: {', '.join(sorted(row['run_id_distinct'])[1:])}",
            advice="remove the part of the one whose id is wrong",
        )
        for row in same
    ]


def _beyond(runs: pa.Table, resolved: Resolved, done: Checked, *, published: bool) -> None:
    """Add the rows that the study file does not ask for: a fault of published ones, else worth a note."""
    frame = runs.to_pandas()
    asked = {run for one in resolved.workloads for run in asked_for(frame, resolved, one)[0]["run_id"]}
    more = frame[~frame["run_id"].isin(asked)]
    if published:
        done.faults += [
            Fault(file=part, run=run, what="study.yaml does not ask for it", advice="publish the study anew")
            for part, run in more[["part", "run_id"]].itertuples(index=False)
        ]
    elif len(more):
        done.notes.append(f"{len(more)} runs are of other cells, seeds or options than study.yaml asks for now")
