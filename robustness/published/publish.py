"""Making published results of a stored study: its rows and curves in two small files, and nothing of the machine."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from ruamel.yaml import YAML

from robustness.results import StorageError, finished
from robustness.results.batches import Batch, PartsGoneError, Ticks, gather
from robustness.results.files.folder import PUBLISHED as MARK
from robustness.results.index import COLUMNS, Index
from robustness.results.tables.arrow import to_table
from robustness.results.tables.parquet import encode_small
from robustness.results.tables.schema import CURVES, RUNS
from robustness.search.stored_cells import asked_for
from robustness.study import Study, StudyError
from robustness.study.resolution import digest, stored_study
from robustness.study.unimported import without_imports

if TYPE_CHECKING:
    import pandas as pd

    from robustness.results import Store
    from robustness.study.resolved import Resolved

HOST = "-"
"""In place of a machine's name."""
KEPT = ("started_at", "git", "versions", "plugins", "cpu", "gpus")
"""What is published of a sweep's record: no command line, which may hold paths, and nothing that names a machine."""


class PublishError(Exception):
    """A study cannot be published as it is stored; the text says why."""


@dataclass(frozen=True)
class Published:
    """What was published.

    Attributes:
        runs: runs with a result.
        lacking: runs of the study without one.
        size: bytes of all Parquet files.
    """

    runs: int
    lacking: int
    size: int


def publish(source: Store, target: Store, *, partial: bool = False) -> Published:
    """Write what the stored study `source` asks for, and has results of, to `target`, in place of what is there.

    Args:
        source: A study's results; those of `target` are written anew.
        target: The folder of the published study.
        partial: Publish it even if runs have no result.

    Raises:
        PublishError: Runs have no result, curves are missing or broken, or the study file names a folder.
        StorageError: One of the two cannot be reached, read or written.
    """
    resolved, stored = _resolved(source), source.runs()
    study = _study(source)
    asked, total = _asked(resolved, stored)
    lacking = max(total - int(finished(stored)["run_id"].isin(asked).sum()), 0)
    if lacking and not partial:
        raise PublishError(
            f"{study.name}: {lacking} of {total} runs have no result; train them first, or publish what"
            " there is with --partial"
        )
    batch = _gathered(study.name, asked, source)
    records = _records(source.read_provenance())
    text = named(study)
    files = {
        f"curves/{study.name}.parquet": encode_small(to_table(batch.curves, CURVES)),
        f"runs/{study.name}.parquet": encode_small(to_table(_without_host(batch.runs), RUNS)),
        "study.yaml": text.encode(),
        "resolved.json": resolved.model_copy(update={"digest": digest(text)}).to_json().encode(),
    } | records
    _replace(target, files)
    size = sum(len(data) for path, data in files.items() if path.endswith(".parquet"))
    return Published(len(batch.runs), lacking, size)


def _study(source: Store) -> Study:
    """Return the study file, read without any import.

    Raises:
        PublishError: It names a folder.
    """
    with without_imports(stored=True):
        study = Study.parse(str(source.read_study()), f"{source.name}.yaml")
    if any(getattr(workload, "data_dir", None) for workload in study.workloads):
        raise PublishError(
            f"{source.root}/study.yaml: workload.data_dir names a folder of this machine: leave it out of the"
            " study file, run that once more (it trains nothing), and publish then"
        )
    return study


def _asked(resolved: Resolved, stored: pd.DataFrame) -> tuple[set[str], int]:
    """Return the ids of the stored runs that a study asks for, and how many it asks for in all."""
    rows = stored[stored["sampler"] == resolved.sampler] if resolved.is_sampled else stored
    found = [asked_for(rows, resolved, each) for each in resolved.workloads]
    return {run for kept, _ in found for run in kept["run_id"]}, sum(total for _, total in found)


def _resolved(source: Store) -> Resolved:
    text = source.read_study()
    if text is None:
        raise PublishError(f"{source.root}: there is no study.yaml beside the results")
    try:
        return stored_study(text, source.read_resolved(), f"{source.name}.yaml")
    except StudyError as error:
        raise PublishError(f"{source.root}: {error}") from error


def _gathered(name: str, asked: set[str], source: Store) -> Batch:
    try:
        index = Index.of(source.reader.read("runs", RUNS, COLUMNS))
        wanted = pa.array(sorted(asked), pa.string())
        batch = gather(source.reader, index.only(index.finished & index.is_in(wanted)), Ticks(None, 0))
    except PartsGoneError as error:
        raise StorageError(f"{source.root}: its parts are being merged; try again later") from error
    if batch.bare:
        raise PublishError(
            f"{source.root}: the curves of {', '.join(sorted(batch.bare))} are missing or broken; remove these"
            " parts from runs/, and run the study again"
        )
    if not len(batch.runs):
        raise PublishError(f"{name}: no run of it has a result")
    return batch


def _without_host(runs: pa.Table) -> pa.Table:
    place = runs.schema.get_field_index("host")
    return runs.set_column(place, runs.schema.field(place), pa.array([HOST] * len(runs), pa.string()))


def named(study: Study) -> str:
    """Return the study file with the study's name in it: the published one is called study.yaml.

    Raises:
        PublishError: The file is of a form into which no name can be put.
    """
    root = YAML(typ="safe", pure=True).compose(study.text)
    if any(key.value == "name" for key, _ in root.value):
        return study.text
    # Before the first key, and as far to the right: it may follow comments, directives and `---`.
    first = root.value[0][0].start_mark
    name = study.name if isinstance(YAML(typ="safe", pure=True).load(study.name), str) else json.dumps(study.name)
    after = ", " if root.flow_style else "\n" + " " * first.column
    text = f"{study.text[: first.index]}name: {name}{after}{study.text[first.index :]}"
    try:
        with without_imports(stored=True):
            same = Study.parse(text, "study.yaml").name == study.name
    except StudyError:
        same = False
    if not same:
        raise PublishError(f"{study.name}: give its study file a `name: {study.name}`, run it once more, publish then")
    return text


def _records(records: list[dict[str, Any]]) -> dict[str, bytes]:
    """Return the records of sweeps as files, each kind of machine and version once."""
    files, seen = {}, set()
    for record in records:
        kept = {name: record[name] for name in KEPT if name in record}
        alike = json.dumps(kept | {"started_at": None}, sort_keys=True)
        if alike in seen:
            continue
        seen.add(alike)
        stamp = re.sub(r"[^0-9T]", "", str(kept.get("started_at", ""))[:19])
        text = json.dumps(kept, indent=2, sort_keys=True, ensure_ascii=False)
        files[f"provenance/{stamp}.{len(seen):06}Z-published.json"] = f"{text}\n".encode()
    return files


def _replace(target: Store, files: dict[str, bytes]) -> None:
    """Write these files, curves before rows, and remove those that were published before."""
    for folder in ("runs", "curves", "provenance"):
        for entry in target.folder.entries(folder):
            if f"{folder}/{entry.name}" not in files:
                target.folder.remove(f"{folder}/{entry.name}")
    for path, data in files.items():
        target.folder.write(path, data)
    digests = {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}
    target.folder.write(MARK, f"{json.dumps({'version': 1, 'files': digests}, indent=2)}\n".encode())
