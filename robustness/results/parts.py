"""Reading a folder of Parquet parts, past whatever else lies in it."""

from __future__ import annotations

import contextlib
import errno
import os
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import TYPE_CHECKING

import pyarrow as pa

from robustness.results.files.errors import ResultsWarning, StorageError, Unreachable
from robustness.results.files.folder import PUBLISHED, Entry
from robustness.results.tables.parquet import decode, read_whole
from robustness.results.tables.ranges import all_within, refuse_impossible
from robustness.results.tables.schema import NewerSchemaError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from robustness.results.files.folder import Folder
    from robustness.results.files.place import Place

NOTE = "compaction.json"
"""What a compaction writes between its new parts and the removal of the old ones; see `compaction`."""


_ENDING = ".parquet"
_TRIES = 60
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.05, 2.0
"""Longer in all than NFS may show an old listing: a minute."""


def _nothing() -> None: ...


class PartReader:
    """Reads the parts of a study and sets aside what is none (`read_only`: leaves it), with one warning each."""

    def __init__(self, folder: Folder, root: Place, *, read_only: bool = False) -> None:
        self._read_only = read_only
        self._folder, self._root = folder, root
        self._left_out: set[str] = set()

    def leaves_files(self) -> bool:
        """Tell whether the files are to stay as they are: they were opened to be read only, or are published."""
        return self._read_only or self._folder.age(PUBLISHED) is not None

    @property
    def left_out(self) -> frozenset[str]:
        """Files, as `runs/<name>`, that were no parts and were left where they are."""
        return frozenset(self._left_out)

    def names(self, folder: str) -> set[str]:
        """Return the names of the parts in `folder`, unread.

        Raises:
            StorageError: The folder cannot be reached.
        """
        return set(self._listed(folder))

    def read(
        self,
        folder: str,
        schema: pa.Schema,
        names: list[str] | None,
        known: Mapping[str, pa.Table | None] = MappingProxyType({}),
    ) -> dict[str, pa.Table]:
        """Return the columns `names` of each part in `folder`, by its name; None stands for all, optional ones too.

        Those that are `known`, as an earlier call returned them, are not read again; None leaves one out.

        Where a part vanishes between listing and reading, its rows stand in a new one: the folder is listed again,
        and what is read already is kept. A listing takes a while too, and may miss both; then the note tells that a
        compaction has removed parts meanwhile.

        Raises:
            StorageError: The folder or a file cannot be reached, or a newer version wrote it, or parts vanish
                as fast as they are listed.
        """
        parts: dict[str, pa.Table | None] = dict(known)
        note = self._note(folder)
        for attempt in range(_TRIES):
            listed = self._listed(folder)
            new = [entry for name, entry in listed.items() if name not in parts]
            parts |= self._read_all(folder, new, schema, names)
            gone = listed.keys() - parts.keys()
            before, note = note, self._note(folder)
            if not gone and note == before:
                return {name: table for name in listed if (table := parts[name]) is not None}
            if gone and len(gone) == len(new):  # nothing came of it: the listing may be an old one, as on NFS
                time.sleep(min(_FIRST_WAIT_S * 2**attempt, _LONGEST_WAIT_S))
        raise StorageError(f"{self._root}: the files in {folder} vanish as fast as they are listed; try again later")

    def read_named(
        self,
        folder: str,
        schema: pa.Schema,
        names: list[str] | None,
        parts: Iterable[str],
        tick: Callable[[], None] = _nothing,
        *,
        only: pa.Array | None = None,
    ) -> dict[str, pa.Table]:
        """Return the columns `names` of these parts in `folder`, by name; without those that are not there or broken.

        `tick` is called after each. With `only`, the rows of these runs, and no more is read than that takes.

        Raises:
            StorageError: The folder or a file cannot be reached, or a newer version wrote it.
        """
        wanted = sorted(set(parts))
        listed = self._listed(folder) if wanted else {}
        # A listing may be an old one, as on NFS, or miss what is written meanwhile.
        entries = [listed.get(name, Entry(f"{name}{_ENDING}", is_file=True)) for name in wanted]
        tables = self._read_all(folder, entries, schema, names, tick, only=only)
        return {name: table for name, table in tables.items() if table is not None}

    def _note(self, folder: str) -> bytes | None:
        try:
            return self._folder.read(NOTE)
        except StorageError:
            self._folder.entries(folder)  # where nothing can be reached, the error names what was asked for
            raise

    def _listed(self, folder: str) -> dict[str, Entry]:
        return {e.name.removesuffix(_ENDING): e for e in self._folder.entries(folder) if _is_part(e)}

    def _read_all(
        self,
        folder: str,
        entries: list[Entry],
        schema: pa.Schema,
        names: list[str] | None,
        tick: Callable[[], None] = _nothing,
        *,
        only: pa.Array | None = None,
    ) -> dict[str, pa.Table | None]:
        """Return each part that is there; None for a broken one, which is set aside."""
        results: list[pa.Table | SchemaError | None] = []
        with ThreadPoolExecutor(min(self._folder.threads, len(entries) or 1)) as pool:
            for result in pool.map(lambda entry: self.read_one(folder, entry, schema, names, only), entries):
                results.append(result)
                tick()
        if not all_within([each for each in results if isinstance(each, pa.Table)]):
            results = [_judged(each) for each in results]
        parts: dict[str, pa.Table | None] = {}
        for entry, result in zip(entries, results, strict=True):
            if isinstance(result, SchemaError):
                self._set_aside(folder, entry, str(result))
                parts[entry.name.removesuffix(_ENDING)] = None
            elif result is not None:
                parts[entry.name.removesuffix(_ENDING)] = result
        return parts

    def read_one(
        self, folder: str, entry: Entry, schema: pa.Schema, names: list[str] | None, only: pa.Array | None
    ) -> pa.Table | SchemaError | None:
        """Return one part; None where it is gone, and what is wrong with a broken one.

        Raises:
            StorageError: it cannot be read, or a newer version wrote it.
        """
        path = f"{folder}/{entry.name}"
        if not entry.is_file:
            return SchemaError("it is no file")
        if only is not None and (table := self._pick(folder, entry, schema, names, only)) is not None:
            return table
        try:
            data = self._folder.read(path)
        except Unreachable as error:
            if getattr(error.__cause__, "errno", None) != errno.ESTALE:
                raise
            data = None  # NFS says so of a file that another machine has removed
        if data is None:
            return None
        try:
            return decode(data, schema, names, only, lambda: self._curves_of(folder, entry))
        except SchemaError as error:
            return error
        except NewerSchemaError as error:
            raise StorageError(
                f"{self._root}: {path} was written by a newer version ({error}); upgrade this package"
            ) from error

    def _curves_of(self, folder: str, entry: Entry) -> pa.Table | None:
        """Return all columns of the curves beside a part of rows, whatever their version; None without any.

        They are read as they are: only to tell what older rows lack.
        """
        if folder != "runs" or (data := self._folder.read(f"curves/{entry.name}")) is None:
            return None
        with contextlib.suppress(pa.ArrowException, OSError, SchemaError):
            return read_whole(data)
        return None  # damaged: whoever reads the curves themselves is told so

    def _pick(
        self, folder: str, entry: Entry, schema: pa.Schema, names: list[str] | None, only: pa.Array
    ) -> pa.Table | None:
        """Return the rows of these runs from a large local file, of which not all is read; None where that fails."""
        place = self._folder.local(f"{folder}/{entry.name}")
        if place is None:
            return None
        # What fails here need be no fault of the file, so whether it is damaged is told by reading all of it.
        with (
            contextlib.suppress(OSError, SchemaError, NewerSchemaError),
            pa.OSFile(os.fsencode(place)) as file,
        ):
            return decode(file, schema, names, only, lambda: self._curves_of(folder, entry))
        return None

    def _set_aside(self, folder: str, entry: Entry, reason: str) -> None:
        path, root = f"{folder}/{entry.name}", self._root
        if path in self._left_out:
            return
        taken = {e.name for e in self._folder.entries("set-aside")}
        name = f"{folder}-{entry.name}"
        copies = (f"{folder}-{entry.name.removesuffix(_ENDING)}-{n}{_ENDING}" for n in range(1, len(taken) + 2))
        target = "set-aside/" + (name if name not in taken else next(c for c in copies if c not in taken))
        try:
            if self.leaves_files():
                self._left_out.add(path)
                outcome = "ignored where it is"
            elif not self._folder.move(path, target):
                return
            else:
                outcome = f"moved to {target}"
        except StorageError as error:
            self._left_out.add(path)
            outcome = f"ignored where it is ({error})"
        lost = "its runs count as missing" if folder == "runs" else "the curves of its runs are missing"
        warnings.warn(f"{root}: {path} is not usable: {reason}; {outcome}, {lost}", ResultsWarning, stacklevel=4)


def _judged(table: pa.Table | SchemaError | None) -> pa.Table | SchemaError | None:
    """Return what was read, or what is wrong with its values."""
    if isinstance(table, pa.Table):
        try:
            refuse_impossible(table)
        except SchemaError as error:
            return error
    return table


def _is_part(entry: Entry) -> bool:
    return entry.name.endswith(_ENDING) and not entry.name.startswith((".", "_"))
