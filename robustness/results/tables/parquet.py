"""Parquet files: encoding a table, and reading one, whole or only what holds certain runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from robustness.results.tables.arrow import check, conform
from robustness.results.tables.cost import FREE, FREE_CURVES, list_places, refuse_costly
from robustness.results.tables.migration import migrate
from robustness.results.tables.optional import optional
from robustness.results.tables.schema import CURVES, RUNS, SCHEMA_VERSION, VERSION_KEY, SchemaError, version

if TYPE_CHECKING:
    from collections.abc import Callable

LARGE = 4 * 2**20
"""Bytes of which several threads read faster than one, and which are worth statistics."""
_LISTS = {len(schema): list_places(schema) for schema in (RUNS, CURVES)}
ROW_GROUP = 32 * 1024
"""Rows: a large part's curves of some hundred runs, so that those of one cell are read in milliseconds."""


def encode(table: pa.Table) -> bytes:
    """Return `table` as a Parquet file whose pages carry checksums.

    A worker's parts are small and many: without dictionaries and statistics one is read in a third of the time.
    A large one is packed tightly, with statistics by which DuckDB and others skip what they need not read.
    """
    large = table.nbytes > LARGE
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd" if large else "snappy",
        use_dictionary=[f.name for f in table.schema if f.type == pa.string()] if large else False,
        write_statistics=large,
        write_page_checksum=True,
        row_group_size=ROW_GROUP,
    )
    return bytes(sink.getvalue())


def encode_small(table: pa.Table) -> bytes:
    """Return `table` as the smallest Parquet file that reads back to the bit, for results that travel with the code.

    A number that comes again and again, such as an error, is stored once; of the others the bytes of one place stand
    together: those of a double that was computed in single precision end in zeros, and packed they take little.
    """
    often = [field.name for field in table.schema if _repeats(table.column(field.name))]
    reals = [field.name for field in table.schema if field.type == pa.float64() and field.name not in often]
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        compression_level=19,
        use_dictionary=often,
        use_byte_stream_split=reals,
        write_page_checksum=True,
        row_group_size=ROW_GROUP,
    )
    return bytes(sink.getvalue())


def _repeats(column: pa.ChunkedArray) -> bool:
    return not pa.types.is_nested(column.type) and 4 * len(column.unique()) < len(column)


def decode(
    data: bytes | pa.NativeFile,
    schema: pa.Schema,
    names: list[str] | None = None,
    only: pa.Array | None = None,
    curves: Callable[[], pa.Table | None] = lambda: None,
) -> pa.Table:
    """Return the columns `names` of a Parquet file that must hold all of `schema`; with `only`, the rows of these runs.

    By default it is all of them, and the file's optional ones; one that is named is left out where the file has none.
    A table of an older version is brought to the current one, for which `curves` reads those of a table of runs. The
    table's metadata tell the file's version.

    Raises:
        SchemaError: It is no Parquet file, torn, damaged, another table, or takes too much memory; the text says which.
        NewerSchemaError: A newer version of this package wrote it.
    """
    try:
        source = pa.BufferReader(data) if isinstance(data, bytes) else data
        file = pq.ParquetFile(source, page_checksum_verification=True)
        found = version(file.schema_arrow)
        # The usual part needs no second look at its columns.
        columns = pa.schema([*schema, *optional(file.schema_arrow, schema)])
        usual = found == SCHEMA_VERSION and file.schema_arrow.equals(columns)
        wanted = None if names is None or names == columns.names or not usual else names
        free = FREE_CURVES if schema.get_field_index("epoch") >= 0 else FREE
        lists = _LISTS[len(columns)] if usual and columns == schema else list_places(file.schema_arrow)
        tables = []
        for groups in _row_groups(file, only):
            refuse_costly(source, file, groups, wanted, lists, free=free)
            size = sum(file.metadata.row_group(place).total_byte_size for place in groups)
            table = file.read_row_groups(groups, wanted, use_threads=size > LARGE)
            table = check(table) if usual else conform(migrate(table, found, curves), schema)
            tables.append(table if only is None else table.filter(pc.is_in(table.column("run_id"), value_set=only)))
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, SchemaError):
            raise
        raise SchemaError(_reason(data, error)) from error
    table = pa.concat_tables(tables).replace_schema_metadata({VERSION_KEY: str(found).encode()})
    return table if names is None else table.select([name for name in names if name in table.schema.names])


def read_whole(data: bytes) -> pa.Table:
    """Return all columns of a Parquet file of curves as they are, whatever they are.

    Raises:
        SchemaError: It takes too much memory.
        pyarrow.ArrowException, OSError: It is no Parquet file, or damaged.
    """
    source = pa.BufferReader(data)
    file = pq.ParquetFile(source)
    refuse_costly(
        source, file, list(range(file.num_row_groups)), None, list_places(file.schema_arrow), free=FREE_CURVES
    )
    return file.read()


def _reason(data: bytes | pa.NativeFile, error: Exception) -> str:
    if isinstance(data, bytes):
        if not data:
            return "it is empty"
        if data[:4] != b"PAR1":
            return "it is no Parquet file"
        if data[-4:] != b"PAR1":
            return "it is torn: its end is missing"
    return f"it is damaged ({' '.join(str(error).split())})"


def _row_groups(file: pq.ParquetFile, only: pa.Array | None) -> list[list[int]]:
    """Return which row groups to read at once: all, or one after another those that may hold some of these runs.

    A compaction sorts by run, so that the statistics of a large file tell where a run lies.
    """
    every = list(range(file.num_row_groups))
    if only is None:
        return [every]
    return [[place] for place in every if _may_hold(file, place, only)] or [[]]


def _may_hold(file: pq.ParquetFile, place: int, only: pa.Array) -> bool:
    """Return whether a row group may hold some of these runs."""
    group = file.metadata.row_group(place)
    columns = (group.column(number) for number in range(group.num_columns))
    found = next((column.statistics for column in columns if column.path_in_schema == "run_id"), None)
    if found is None or not isinstance(found.min, str) or not isinstance(found.max, str):
        return True
    inside = pc.and_(pc.greater_equal(only, found.min), pc.less_equal(only, found.max))
    return bool(pc.any(inside, min_count=0).as_py())
