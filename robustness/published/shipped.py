"""Results that come with the code: where they lie, and how a study takes from them what it need not train.

    published/<study>/runs/, curves/   Parquet, as in any results folder, of completed and diverged runs
    published/<study>/study.yaml       the study as it was asked
    published/<study>/provenance/      what it ran on
    published/<study>/published.json   its files and their digests; marks the folder as one that nobody writes to
    published/<study>/README.md        what it is and what it shows

They are in the folder that $ROBUSTNESS_PUBLISHED names; where that is not set, in ./published, then in the one that
came with the package. An empty variable means none.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from robustness.machine.home import expanded
from robustness.results import ResultsWarning, StorageError, Store, finished
from robustness.results.batches import PartsGoneError, Ticks, gather
from robustness.results.files.folder import PUBLISHED as MARK
from robustness.results.files.place import child
from robustness.results.index import COLUMNS, Index
from robustness.results.tables.schema import RUNS
from robustness.search.cells import asked_ids, grid_ids
from robustness.search.make import make_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from robustness.results.files.place import Place
    from robustness.study import Study
    from robustness.workloads import Workload

FOLDER = Path("published")
INSTALLED = Path(__file__).resolve().parent / "data"
"""Where a wheel has them; a checkout has them beside the packages."""
PACKAGED = INSTALLED if INSTALLED.is_dir() else Path(__file__).resolve().parents[2] / FOLDER
VARIABLE = "ROBUSTNESS_PUBLISHED"


def folders() -> list[Path]:
    """Return the folders that hold published studies, the first to be looked at first; they need not exist."""
    named = os.environ.get(VARIABLE)
    if named is not None:
        return [expanded(named)] if named else []
    return [FOLDER, PACKAGED]


def published() -> dict[str, Store]:
    """Return the published studies by name; reading leaves their files as they are."""
    found: dict[str, Store] = {}
    for folder in folders():
        try:
            entries = sorted(folder.iterdir()) if folder.is_dir() else []
        except OSError as error:
            _warn(folder, error)
            continue
        for path in entries:
            if path.name not in found and not path.name.startswith(".") and _is_marked(path):
                try:
                    found[path.name] = Store(child(folder, path.name), read_only=True)
                except StorageError as error:
                    _warn(path, error)
    return found


def _is_marked(path: Path) -> bool:
    try:
        return (path / MARK).is_file()
    except OSError:  # a link to itself
        return False


def is_published(root: Place) -> bool:
    """Tell whether the folder of a study is a published one, which is not to be written to."""
    return not root.is_uri and _is_marked(Path(root))


def refuse(store: Store) -> None:
    """Refuse to train into a published study.

    Raises:
        StorageError: `store` is one.
    """
    if is_published(store.root):
        raise StorageError(
            f"{store.root}: published results are not written to; with another --results a sweep takes from them what"
            " it need not train"
        )


def take(study: Study, store: Store, stored: pd.DataFrame) -> int:
    """Copy into `store`, whose runs are `stored`, what it lacks of `study` and is published; return how many runs.

    What cannot be read is left out with a warning; so is a run whose curve cannot be read, which trains anew.

    Raises:
        StorageError: `store` cannot be read or written, or is a published one.
    """
    taken = 0
    for source, wanted in _offers(study, store, stored):
        taken += _copy(source, store, wanted)
    return taken


def with_published(study: Study, store: Store, stored: pd.DataFrame) -> pd.DataFrame:
    """Return `stored`, the runs in `store`, and the rows that `take` would add to them.

    Raises:
        StorageError: `store` cannot be read.
    """
    tables = [stored]
    for source, wanted in _offers(study, store, stored):
        rows = finished(source.runs())
        tables.append(rows[rows["run_id"].isin(wanted)])
    if len(tables) == 1:
        return stored
    return pd.concat(tables, ignore_index=True).drop_duplicates("run_id", keep="last")


def to_train(study: Study, store: Store, *, use_published: bool = True) -> list[Workload]:
    """Return the workloads of `study` of which something is neither stored nor published.

    Raises:
        StorageError: `store` cannot be read.
    """
    stored = store.runs()
    known = with_published(study, store, stored) if use_published else stored
    sources = [(part, make_source(part, known)) for part in study.parts]
    return [part.workload for part, source in sources if source.total > source.done]


def _offers(study: Study, store: Store, stored: pd.DataFrame) -> Iterator[tuple[Store, set[str]]]:
    """Return published studies with the runs that each has first of those that `study` lacks."""
    have = set(finished(stored)["run_id"])
    asked = grid_ids(study)
    if asked is not None and asked <= have:
        return
    for name, source in published().items():
        # Cells that another search chose would count as this one's: it takes those under its own name alone.
        if source.root == store.root or (asked is None and name != study.name):
            continue
        try:
            found = asked_ids(study, source.runs()) if asked is None else asked
            wanted = (source.done() & found) - have
        except (StorageError, OSError) as error:
            _warn(source.root, error)
            continue
        if wanted:
            have |= wanted
            yield source, wanted


def _copy(source: Store, target: Store, wanted: set[str]) -> int:
    """Copy these runs with their curves; those whose curves are missing or broken are left out."""
    try:
        index = Index.of(source.reader.read("runs", RUNS, COLUMNS))
        index = index.only(index.finished & index.is_in(pa.array(sorted(wanted))))
        batch = gather(source.reader, index, Ticks(None, 0))
        if batch.bare:
            index = index.only(~np.isin(index.place, [index.parts.index(name) for name in batch.bare]))
            batch = gather(source.reader, index, Ticks(None, 0))
        records = source.folder.entries("provenance")
    except (StorageError, PartsGoneError, OSError) as error:
        _warn(source.root, error)
        return 0
    ids = batch.runs["run_id"].to_pylist()
    if ids:
        target.write(target.part_name(ids), _copies(batch.runs, source.name), batch.curves)
        target.remove_failed(ids)
        for entry in records:
            if (data := source.folder.read(f"provenance/{entry.name}")) is not None:
                target.folder.write(f"provenance/{entry.name}", data)
    return len(ids)


def _copies(runs: pa.Table, name: str) -> pa.Table:
    """Return rows that say which published study they were taken from."""
    place = runs.schema.get_field_index("copied_from")
    return runs.set_column(place, runs.schema.field(place), pa.array([name] * len(runs), pa.string()))


def _warn(place: Path | Place, error: Exception) -> None:
    words = str(error) or type(error).__name__
    warnings.warn(f"published results in {place} are left out: {words}", ResultsWarning, stacklevel=3)
