"""The results of a study: Parquet files that workers write and everybody reads.

    <root>/runs/<part>.parquet      a row a run
    <root>/curves/<part>.parquet    a row a run and epoch
    <root>/study.yaml               the study as it was asked last
    <root>/resolved.json            the same as plain data: labels, options, claims, what run ids are made of
    <root>/provenance/*.json        a record a sweep
    <root>/sweep.json               the sweep that may write here
    <root>/set-aside/               files that were torn or foreign

A run is done exactly when its row is in `runs/`; curves are written before rows.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from robustness import redaction
from robustness.results.batches import runs_of
from robustness.results.curves import read_curves
from robustness.results.files.opening import open_folder
from robustness.results.files.place import Place
from robustness.results.files.published_files import CheckedFolder
from robustness.results.index import COLUMNS, Index
from robustness.results.parts import PartReader
from robustness.results.tables.arrow import finished, join, to_table
from robustness.results.tables.parquet import encode
from robustness.results.tables.schema import CURVES, RUNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

    from robustness.results.files.folder import Folder

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HOUR = 3600.0


class Store:
    """The stored results of one study; cheap to make, and travels to workers by pickling.

    Args:
        root: The study's folder: a local path, or the URI of any pyarrow filesystem; kept as a `Place`.
        read_only: Whether reading leaves even torn files where they are.

    Example:
        >>> from robustness import Store
        >>> Store("results/mine").name
        'mine'
        >>> Store("results/mine").exists()
        False
    """

    def __init__(self, root: str | Path | Place, *, read_only: bool = False) -> None:
        self.root, self._read_only = Place(root), read_only

    def __getstate__(self) -> dict[str, Any]:
        return {"root": self.root, "_read_only": self._read_only}  # what is open stays here

    def __repr__(self) -> str:
        return f"Store({str(self.root)!r})"

    @property
    def name(self) -> str:
        """The folder's own name; of a URI, without its query."""
        return self.root.name

    @cached_property
    def folder(self) -> Folder:
        """The files themselves, for the rest of this package; published ones as they were published."""
        return CheckedFolder(open_folder(self.root), self.root)

    @cached_property
    def reader(self) -> PartReader:
        """What reads parts, for the rest of this package."""
        return PartReader(self.folder, self.root, read_only=self._read_only)

    @staticmethod
    def part_name(run_ids: Iterable[str]) -> str:
        """Return the name of the part that holds these runs, whatever their order."""
        return hashlib.sha256("\n".join(sorted(run_ids)).encode()).hexdigest()[:24]

    def write(
        self,
        part: str,
        runs: pa.Table | list[dict[str, Any]],
        curves: pa.Table | list[dict[str, Any]] | Mapping[str, Iterable[Any]],
    ) -> None:
        """Store a part: its curves, then its rows. Writing the same part again changes nothing.

        Args:
            part: A file name without ending, from `part_name`.
            runs: Rows of `schema.RUNS`, or a table; a nullable column may be left out, NaN is stored as null. There may
                be optional columns; see `tables.optional`.
            curves: Rows, or columns, of `schema.CURVES`; may be empty.

        Raises:
            StorageError: The disk is full, not writable, or the object store out of reach; nothing of
                the file that failed is left.
            SchemaError: A column is unknown, missing, or of another type.
        """
        if not _PART.fullmatch(part):
            raise ValueError(f"not a part's name: {part!r}")
        rows, epochs = to_table(runs, RUNS), to_table(curves, CURVES)
        self.folder.write(f"curves/{part}.parquet", encode(epochs))
        self.folder.write(f"runs/{part}.parquet", encode(rows))

    def write_failed(self, run: pa.Table | dict[str, Any]) -> None:
        """Store the row of a failed run as a part of its own, so that `remove_failed` can take it back."""
        rows = run if isinstance(run, dict) else run.to_pylist()[0]
        self.write(f"failed-{rows['run_id']}", [run] if isinstance(run, dict) else run, [])

    def remove_failed(self, run_ids: Iterable[str]) -> None:
        """Remove the failed rows of runs that have succeeded since."""
        wanted = {f"failed-{run_id}.parquet" for run_id in run_ids}
        if not wanted:
            return
        for entry in self.folder.entries("runs"):
            if entry.name in wanted:
                self.folder.remove(f"curves/{entry.name}")
                self.folder.remove(f"runs/{entry.name}")

    def runs(self) -> pd.DataFrame:
        """Return one row a run, sorted by workload, optimizer, lr, weight decay and seed.

        Of several rows of a run a completed or diverged one beats a failed one, then the earliest wins.
        Integer columns that may be null are pandas' nullable integers.

        Raises:
            StorageError: The files cannot be reached, or a newer version wrote them.
        """
        return runs_of(self.reader.read("runs", RUNS, None))

    def curves(self, run_ids: Iterable[str] | None = None, columns: Iterable[str] | None = None) -> pd.DataFrame:
        """Return the curves of these runs (default: of all), sorted by run and epoch.

        A run's curve comes from the part that holds its row; curves without a row are left out. `columns` are read
        besides run_id and epoch, by default all.

        Raises:
            StorageError: The files cannot be reached, or a newer version wrote them.
            ValueError: There is no such column.
        """
        return read_curves(self.reader, self._index(), self._index, run_ids, columns)

    def _index(self) -> Index:
        """Return which part holds the row of each run."""
        return Index.of(self.reader.read("runs", RUNS, COLUMNS))

    def done(self) -> set[str]:
        """Return the runs that need no training: completed or diverged. Reads two columns only.

        Raises:
            StorageError: The files cannot be reached, or a newer version wrote them.
        """
        return self.done_since(set())

    def done_since(self, seen: set[str]) -> set[str]:
        """Return the done runs of the parts that are not in `seen`, and add these parts to it.

        Raises:
            StorageError: The files cannot be reached, or a newer version wrote them; `seen` is as it was.
        """
        names = ["run_id", "status"]
        parts = self.reader.read("runs", RUNS, names, dict.fromkeys(seen))
        seen.update(parts)
        table, _ = join(parts, RUNS, names)
        return set(finished(table.to_pandas())["run_id"])

    def exists(self) -> bool:
        """Tell whether anything of a study is stored here."""
        return self.folder.age("study.yaml") is not None or any(e.name == "runs" for e in self.folder.entries())

    def claim(self, sweep_id: str) -> dict[str, Any] | None:
        """Make `sweep_id` the sweep that may write here; return the claim of one before it that has not ended.

        The workers of a killed driver live on for seconds, while the next driver already reads what is stored and
        divides the rest anew: what they finish must not be stored beside it.
        """
        before = self.claimant()
        since = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        claim = {"sweep_id": sweep_id, "host": socket.gethostname(), "pid": os.getpid(), "since": since}
        self.folder.write("sweep.json", json.dumps(claim).encode())
        return before

    def release(self, sweep_id: str) -> None:
        """Take the claim of `sweep_id` back, for it has ended; that of another stays."""
        claim = self.claimant()
        if claim is not None and claim.get("sweep_id") == sweep_id:
            self.folder.remove("sweep.json")

    def claimed_by(self, sweep_id: str) -> bool:
        """Tell whether `sweep_id` may still write here; a claim that is gone or unreadable stops nobody."""
        claim = self.claimant()
        return claim is None or claim.get("sweep_id") == sweep_id

    def claimant(self) -> dict[str, Any] | None:
        """Return who may write here: `sweep_id`, `host`, `pid`, `since`; None if nobody says."""
        data = self.folder.read("sweep.json")
        try:
            claim = json.loads(data) if data else None
        except ValueError:
            claim = None
        return claim if isinstance(claim, dict) else None

    def write_study(self, text: str) -> None:
        """Store the study file beside its results."""
        self.folder.write("study.yaml", text.encode())

    def read_study(self) -> str | None:
        """Return the stored study file, None if there is none."""
        data = self.folder.read("study.yaml")
        return None if data is None else data.decode(errors="replace")

    def write_resolved(self, text: str) -> None:
        """Store what the study file resolved to beside it, as JSON."""
        self.folder.write("resolved.json", text.encode())

    def read_resolved(self) -> str | None:
        """Return what was stored of it, None if there is nothing."""
        data = self.folder.read("resolved.json")
        return None if data is None else data.decode(errors="replace")

    def write_provenance(self, record: Mapping[str, Any]) -> None:
        """Store a record of one sweep: what ran, where and with which versions."""
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{os.getpid()}.json"
        text = json.dumps(record, indent=2, sort_keys=True, default=str, ensure_ascii=False)
        self.folder.write(f"provenance/{name}", f"{text}\n".encode())

    def read_provenance(self) -> list[dict[str, Any]]:
        """Return the records of all sweeps, oldest first; one that is no JSON object, or too deep, is left out.

        Records of earlier versions and of others may hold a key in a URI: it is blotted out.
        """
        records = []
        for entry in sorted(self.folder.entries("provenance"), key=lambda entry: entry.name):
            data = self.folder.read(f"provenance/{entry.name}") if entry.name.endswith(".json") else None
            try:
                record = redaction.record(json.loads(data)) if data else None
            except (ValueError, RecursionError):
                continue
            if isinstance(record, dict):
                records.append(record)
        return records

    def clean(self) -> None:
        """Remove temporary files that killed writers left more than an hour ago."""
        for folder in ("", "runs", "curves", "provenance", "checkpoints"):
            self.folder.clean(folder, _HOUR)
