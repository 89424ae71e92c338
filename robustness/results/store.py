"""The results of a study: Parquet files that workers write and everybody reads.

    <root>/runs/<part>.parquet      a row a run
    <root>/curves/<part>.parquet    a row a run and epoch
    <root>/study.yaml               the study as it was asked last
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
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from robustness.results.parts import PartReader, encode
from robustness.results.schema import CURVES, RUNS
from robustness.results.storage import absolute, open_folder, shown
from robustness.results.tables import finished, in_order, join, to_frame, to_table, winners

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import pandas as pd

    from robustness.results.storage import Folder

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ORDER = ["workload", "optimizer", "lr", "weight_decay", "seed"]
_HOUR = 3600.0


class Store:
    """The stored results of one study; cheap to make, and travels to workers by pickling."""

    def __init__(self, root: str | Path) -> None:
        """Take the study's folder: a local path, or the URI of any pyarrow filesystem."""
        self.root = absolute(root)

    def __reduce__(self) -> tuple[type[Store], tuple[str]]:
        return Store, (self.root,)

    def __repr__(self) -> str:
        return f"Store({shown(self.root)!r})"

    @property
    def name(self) -> str:
        """The folder's own name; of a URI, without its query."""
        return self.root.partition("?")[0].rstrip("/").rpartition("/")[2]

    @cached_property
    def _folder(self) -> Folder:
        return open_folder(self.root)

    @cached_property
    def _reader(self) -> PartReader:
        return PartReader(self._folder, self.root)

    @staticmethod
    def part_name(run_ids: Iterable[str]) -> str:
        """Return the name of the part that holds these runs, whatever their order."""
        return hashlib.sha256("\n".join(sorted(run_ids)).encode()).hexdigest()[:24]

    def write(
        self,
        part: str,
        runs: list[dict[str, Any]],
        curves: pa.Table | list[dict[str, Any]] | Mapping[str, Iterable[Any]],
    ) -> None:
        """Store a part: its curves, then its rows. Writing the same part again changes nothing.

        Args:
            part: A file name without ending, from `part_name`.
            runs: Rows of `schema.RUNS`; a nullable column may be left out, NaN is stored as null.
            curves: Rows, or columns, of `schema.CURVES`; may be empty.

        Raises:
            StorageError: The disk is full, not writable, or the object store out of reach; nothing of
                the file that failed is left.
            SchemaError: A column is unknown, missing, or of another type.
        """
        if not _PART.fullmatch(part):
            raise ValueError(f"not a part's name: {part!r}")
        rows, epochs = to_table(runs, RUNS), to_table(curves, CURVES)
        self._folder.write(f"curves/{part}.parquet", encode(epochs))
        self._folder.write(f"runs/{part}.parquet", encode(rows))

    def write_failed(self, run: dict[str, Any]) -> None:
        """Store the row of a failed run as a part of its own, so that `remove_failed` can take it back."""
        self.write(f"failed-{run['run_id']}", [run], [])

    def remove_failed(self, run_ids: Iterable[str]) -> None:
        """Remove the failed rows of runs that have succeeded since."""
        wanted = {f"failed-{run_id}.parquet" for run_id in run_ids}
        if not wanted:
            return
        for folder in ("runs", "curves"):
            for entry in self._folder.entries(folder):
                if entry.name in wanted:
                    self._folder.remove(f"{folder}/{entry.name}")

    def runs(self) -> pd.DataFrame:
        """Return one row a run, sorted by workload, optimizer, lr, weight decay and seed.

        Of several rows of a run a completed or diverged one beats a failed one, then the earliest wins.
        Integer columns that may be null are pandas' nullable integers.

        Raises:
            StorageError: The files cannot be reached, or a newer version wrote them.
        """
        table, part = join(self._reader.read("runs", RUNS, RUNS.names), RUNS, RUNS.names)
        return to_frame(table, in_order(table, winners(table, part), _ORDER, last="run_id"))

    def curves(self, run_ids: Iterable[str] | None = None) -> pd.DataFrame:
        """Return the curves of these runs (default: of all), sorted by run and epoch.

        A run's curve comes from the part that holds its row; curves without a row are left out.

        Raises:
            StorageError: The files cannot be reached, or a newer version wrote them.
        """
        part_of = self._part_of(None if run_ids is None else set(run_ids))
        parts = self._reader.read("curves", CURVES, CURVES.names, only=set(part_of.values()))
        # A run's rows in other parts than the one that holds its row don't count.
        own = [
            np.fromiter((part_of.get(i) == name for i in t["run_id"].to_pylist()), bool) for name, t in parts.items()
        ]
        table, _ = join(parts, CURVES, CURVES.names)
        rows = np.flatnonzero(np.concatenate([np.zeros(0, dtype=bool), *own]))
        return to_frame(table, in_order(table, rows, ["run_id", "epoch"]))

    def _part_of(self, run_ids: set[str] | None) -> dict[str, str]:
        """Return the name of the part that holds each of these runs (default: of all)."""
        names = ["run_id", "status", "finished_at"]
        parts = self._reader.read("runs", RUNS, names)
        table, part = join(parts, RUNS, names)
        rows = winners(table, part)
        if run_ids is not None:
            asked = pc.is_in(table.column("run_id"), pa.array(sorted(run_ids), pa.string())).to_numpy()
            rows = rows[asked[rows]]
        by_rank = sorted(parts)
        ids = table.column("run_id").combine_chunks().take(pa.array(rows)).to_pylist()
        return {run_id: by_rank[rank] for run_id, rank in zip(ids, part[rows].tolist(), strict=True)}

    def done(self) -> set[str]:
        """Return the runs that need no training: completed or diverged. Reads two columns only.

        Raises:
            StorageError: The files cannot be reached, or a newer version wrote them.
        """
        return self._done(None)

    def done_since(self, seen: set[str]) -> set[str]:
        """Return the done runs of the parts that are not in `seen`, and add these parts to it.

        Raises:
            StorageError: The files cannot be reached, or a newer version wrote them.
        """
        new = self._reader.names("runs") - seen
        seen |= new
        return self._done(new)

    def _done(self, only: set[str] | None) -> set[str]:
        names = ["run_id", "status"]
        table, _ = join(self._reader.read("runs", RUNS, names, only), RUNS, names)
        return set(finished(table.to_pandas())["run_id"])

    def exists(self) -> bool:
        """Tell whether anything of a study is stored here."""
        return any(entry.name in {"runs", "study.yaml"} for entry in self._folder.entries())

    def claim(self, sweep_id: str) -> None:
        """Make `sweep_id` the sweep that may write here, in place of any earlier one.

        The workers of a killed driver live on for seconds, while the next driver already reads what is stored and
        divides the rest anew: what they finish must not be stored beside it.
        """
        self._folder.write("sweep.json", json.dumps({"sweep_id": sweep_id}).encode())

    def claimed_by(self, sweep_id: str) -> bool:
        """Tell whether `sweep_id` may still write here; a claim that is gone or unreadable stops nobody."""
        data = self._folder.read("sweep.json")
        try:
            claim = json.loads(data) if data else None
        except ValueError:
            claim = None
        return not isinstance(claim, dict) or claim.get("sweep_id") == sweep_id

    def write_study(self, text: str) -> None:
        """Store the study file beside its results."""
        self._folder.write("study.yaml", text.encode())

    def read_study(self) -> str | None:
        """Return the stored study file, None if there is none."""
        data = self._folder.read("study.yaml")
        return None if data is None else data.decode(errors="replace")

    def write_provenance(self, record: Mapping[str, Any]) -> None:
        """Store a record of one sweep: what ran, where and with which versions."""
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{os.getpid()}.json"
        text = json.dumps(record, indent=2, sort_keys=True, default=str, ensure_ascii=False)
        self._folder.write(f"provenance/{name}", f"{text}\n".encode())

    def read_provenance(self) -> list[dict[str, Any]]:
        """Return the records of all sweeps, oldest first; one that is no JSON object is left out."""
        records = []
        for entry in sorted(self._folder.entries("provenance"), key=lambda entry: entry.name):
            data = self._folder.read(f"provenance/{entry.name}") if entry.name.endswith(".json") else None
            try:
                record = json.loads(data) if data else None
            except ValueError:
                continue
            if isinstance(record, dict):
                records.append(record)
        return records

    def clean(self) -> None:
        """Remove temporary files that killed writers left more than an hour ago."""
        for folder in ("", "runs", "curves", "provenance"):
            self._folder.clean(folder, _HOUR)
