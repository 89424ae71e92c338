"""Parquet parts: encoding one, and reading a folder of them past whatever else lies in it."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from robustness.results.schema import SCHEMA_VERSION, NewerSchemaError, SchemaError, migrate, version
from robustness.results.storage import ResultsWarning, StorageError, shown
from robustness.results.tables import check, conform

if TYPE_CHECKING:
    from robustness.results.storage import Entry, Folder

_TRIES = 3
_ENDING = ".parquet"


def encode(table: pa.Table) -> bytes:
    """Return `table` as a Parquet file whose pages carry checksums.

    Parts are small and many: without dictionaries and statistics one is read in a third of the time.
    """
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="snappy",
        use_dictionary=False,
        write_statistics=False,
        write_page_checksum=True,
    )
    return bytes(sink.getvalue())


def decode(data: bytes, schema: pa.Schema, names: list[str]) -> pa.Table:
    """Return the columns `names` of a Parquet file that must hold all of `schema`.

    Raises:
        SchemaError: It is no Parquet file, torn, damaged, or another table; the text says which.
        NewerSchemaError: A newer version of this package wrote it.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
        stored = file.schema_arrow
        found = version(stored)
        if found == SCHEMA_VERSION and stored.equals(schema):  # the usual part: no second look at its columns
            return check(file.read(None if names == schema.names else names, use_threads=False)).select(names)
        table = conform(migrate(file.read(use_threads=False), found), schema)
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, SchemaError):
            raise
        raise SchemaError(_reason(data, error)) from error
    return table.select(names)


def _reason(data: bytes, error: Exception) -> str:
    if not data:
        return "it is empty"
    if data[:4] != b"PAR1":
        return "it is no Parquet file"
    if data[-4:] != b"PAR1":
        return "it is torn: its end is missing"
    return f"it is damaged ({' '.join(str(error).split())})"


class PartReader:
    """Reads the parts of a study and sets aside what is none, with one warning each."""

    def __init__(self, folder: Folder, root: str) -> None:
        self._folder, self._root = folder, shown(root)
        self._left_out: set[str] = set()

    def names(self, folder: str) -> set[str]:
        """Return the names of the parts in `folder`, unread.

        Raises:
            StorageError: The folder cannot be reached.
        """
        return {e.name.removesuffix(_ENDING) for e in self._folder.entries(folder) if _is_part(e)}

    def read(
        self, folder: str, schema: pa.Schema, names: list[str], only: set[str] | None = None
    ) -> dict[str, pa.Table]:
        """Return the columns `names` of each part in `folder` (of those in `only`), by its name.

        Where a part vanishes between listing and reading, its rows may stand in a new one: the folder is
        listed again.

        Raises:
            StorageError: The folder or a file cannot be reached, or a newer version wrote it.
        """
        for _ in range(_TRIES):
            listed = [e for e in self._folder.entries(folder) if _is_part(e)]
            wanted = [e for e in listed if only is None or e.name.removesuffix(_ENDING) in only]
            with ThreadPoolExecutor(min(self._folder.threads, len(wanted) or 1)) as pool:
                results = list(pool.map(lambda entry: self._read_one(folder, entry, schema, names), wanted))
            if None not in results:
                break
        parts: dict[str, pa.Table] = {}
        for entry, result in zip(wanted, results, strict=True):
            if isinstance(result, SchemaError):
                self._set_aside(folder, entry, str(result))
            elif result is not None:
                parts[entry.name.removesuffix(_ENDING)] = result
        return parts

    def _read_one(
        self, folder: str, entry: Entry, schema: pa.Schema, names: list[str]
    ) -> pa.Table | SchemaError | None:
        path = f"{folder}/{entry.name}"
        if not entry.is_file:
            return SchemaError("it is no file")
        data = self._folder.read(path)
        if data is None:
            return None
        try:
            return decode(data, schema, names)
        except SchemaError as error:
            return error
        except NewerSchemaError as error:
            raise StorageError(
                f"{self._root}: {path} was written by a newer version ({error}); upgrade this package"
            ) from error

    def _set_aside(self, folder: str, entry: Entry, reason: str) -> None:
        path, root = f"{folder}/{entry.name}", self._root
        if path in self._left_out:
            return
        taken = {e.name for e in self._folder.entries("set-aside")}
        name = f"{folder}-{entry.name}"
        copies = (f"{folder}-{entry.name.removesuffix(_ENDING)}-{n}{_ENDING}" for n in range(1, len(taken) + 2))
        target = "set-aside/" + (name if name not in taken else next(c for c in copies if c not in taken))
        try:
            if not self._folder.move(path, target):
                return
            outcome = f"moved to {target}"
        except StorageError as error:
            self._left_out.add(path)
            outcome = f"ignored where it is ({error})"
        lost = "its runs count as missing" if folder == "runs" else "the curves of its runs are missing"
        warnings.warn(f"{root}: {path} is not usable: {reason}; {outcome}, {lost}", ResultsWarning, stacklevel=4)


def _is_part(entry: Entry) -> bool:
    return entry.name.endswith(_ENDING) and not entry.name.startswith((".", "_"))
