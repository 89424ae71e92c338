"""What a Parquet file takes in memory, told before it is read: packed, two million equal rows are next to nothing.

The rows of a run differ in their ids and numbers, which cannot be packed far: real files take at most some twenty
times their size. So whoever reads a store needs memory in proportion to what lies on the disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from robustness.results.tables.schema import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_TIMES = 128
"""How many times its own size a file may take in memory."""
FREE = 2**20
"""Bytes in memory that any file of runs may take: small ones are mostly a list of their columns."""
FREE_CURVES = 96 * FREE
"""The same of curves: half a million rows, the most that a compaction joins, of networks that stand still from their
first epoch on. Those pack a hundred and fifty times."""
WIDTH = 8
"""Bytes of a number."""
_AS_THEY_ARE = {"PLAIN", "RLE", "RLE_DICTIONARY", "PLAIN_DICTIONARY"}
"""Encodings of texts whose length is told by what they are packed from; of others the longest must be feared."""


def refuse_costly(
    source: pa.NativeFile,
    file: pq.ParquetFile,
    groups: list[int],
    names: list[str] | None,
    lists: list[int],
    *,
    free: int = FREE,
) -> None:
    """Refuse row groups that would take too much memory.

    Args:
        source: The file's bytes.
        file: The same as Parquet, of which nothing but the metadata has been read.
        groups: Row groups that are to be read at once.
        names: Columns that are; None for all.
        lists: Places of the columns that hold lists.
        free: Bytes that any file may take.

    Raises:
        SchemaError: They would; the text has the figures.
    """
    metadata, size = file.metadata, source.size()
    most = free + MOST_TIMES * size
    parts = [metadata.row_group(place) for place in groups]
    rows, packed = sum(part.num_rows for part in parts), sum(part.total_byte_size for part in parts)
    numbers = WIDTH * (rows * metadata.num_columns + sum(part.column(n).num_values for part in parts for n in lists))
    # In all but large files each row could be as long as the file unpacked.
    if packed <= most and numbers + rows * packed <= most:
        return
    if max(packed, numbers) <= most:
        lengths = _text_bytes(source, file, groups, names)
        texts = 0
        for length in lengths:
            texts += length
            if numbers + texts > most:
                break
        else:
            return
    raise SchemaError(
        f"its {rows} rows would take more than {most / 1e6:.0f} MB of memory, of a file of {size / 1e6:.2f} MB: files"
        f" of results take less than {MOST_TIMES} times their size"
    )


def list_places(schema: pa.Schema) -> list[int]:
    """Return which columns of a table hold lists, of numbers and of these alone."""
    return [place for place, field in enumerate(schema) if pa.types.is_nested(field.type)]


def _text_bytes(
    source: pa.NativeFile, file: pq.ParquetFile, groups: list[int], names: list[str] | None
) -> Iterator[int]:
    """Yield what the texts take, a column of a row group at a time."""
    leaves = [file.schema.column(place) for place in range(file.metadata.num_columns)]
    texts = [
        (place, leaf.path.partition(".")[0])
        for place, leaf in enumerate(leaves)
        if leaf.physical_type == "BYTE_ARRAY" and (names is None or leaf.path.partition(".")[0] in names)
    ]
    for group in groups:
        part = file.metadata.row_group(group)
        for place, name in texts:
            column = part.column(place)
            unpacked, rows = column.total_uncompressed_size, max(column.num_values, part.num_rows)
            if _AS_THEY_ARE.issuperset(column.encodings) and not column.has_dictionary_page:
                yield unpacked
            elif rows * unpacked <= FREE or not _AS_THEY_ARE.issuperset(column.encodings) or name != leaves[place].path:
                yield rows * unpacked
            else:
                yield _of_dictionary(source, group, name)


def _of_dictionary(source: pa.NativeFile, group: int, name: str) -> int:
    """Return the bytes of a column of texts, of which a dictionary keeps each once, without making them."""
    file = pq.ParquetFile(source, read_dictionary=[name])
    total = 0
    for chunk in file.read_row_group(group, [name]).column(0).chunks:
        if not pa.types.is_dictionary(chunk.type):
            return int(chunk.nbytes)
        lengths = pc.binary_length(chunk.dictionary).cast(pa.int64())
        total += int(pc.sum(lengths.take(chunk.indices)).as_py() or 0)
    return total
