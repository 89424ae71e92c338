"""The runs that an address asks for as files: Parquet with the schema's types, or CSV, and their curves."""

from __future__ import annotations

import json
import tempfile
import threading
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, cast

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from flask import send_file

from analysis.escaping import without_formulas
from analysis.service.pages.data.query import Query
from analysis.service.web.page_row import Route
from analysis.service.web.responses import problem
from robustness.results.tables.schema import CURVES, RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Response

    from analysis.service.base.address import View
    from analysis.service.studies.snapshot import Snapshot
    from analysis.service.web.sources import Sources

KINDS = {
    "runs.parquet": "application/vnd.apache.parquet",
    "runs.csv": "text/csv",
    "curves.parquet": "application/vnd.apache.parquet",
}
CURVE_ROWS = 200_000
"""Rows of curves that are in memory at once, about."""
FEWEST = 200
"""Epochs that a run is taken to have, at least."""

_one_at_a_time = threading.Lock()


def runs_table(snapshot: Snapshot) -> pa.Table:
    """Return every stored run of a study as a table of `RUNS`."""

    def make() -> pa.Table:
        return pa.Table.from_pandas(snapshot.stored[RUNS.names], RUNS, preserve_index=False).cast(RUNS)

    return snapshot.once("runs-table", make)


def download(sources: Sources, view: View, file: str) -> Response:
    """Answer with runs.parquet, runs.csv or curves.parquet; the keys of the address are those of the page."""
    if file not in KINDS:
        return problem("There is no such file.")
    snapshot = sources.snapshot(view)
    if snapshot is None:
        return problem("There is no such study.")
    query = Query.of(view)
    if query.problems:  # a file cannot say that a filter was left out
        return problem(" ".join(query.problems), 400)
    content, name = _content(snapshot, query.rows(runs_table(snapshot)), file), f"{snapshot.name}-{file}"
    return send_file(content, mimetype=KINDS[file], as_attachment=True, download_name=name, max_age=0)


ROUTES = (Route(rule="/study/<study>/data/<file>", answer=download),)


def _content(snapshot: Snapshot, runs: pa.Table, file: str) -> BinaryIO:
    if file == "curves.parquet":
        with _one_at_a_time:
            return _curves(snapshot, runs)
    written = BytesIO()
    if file == "runs.csv":
        pa.csv.write_csv(without_formulas(_flat(runs)), written)
    else:
        pq.write_table(runs, written, compression="zstd")
    written.seek(0)
    return written


def _flat(table: pa.Table) -> pa.Table:
    """Return the table with lists as JSON texts, for CSV has none."""
    for place, field in enumerate(table.schema):
        if pa.types.is_list(field.type):
            texts = [None if one is None else json.dumps(one) for one in table.column(place).to_pylist()]
            table = table.set_column(place, field.name, pa.array(texts, pa.string()))
    return table


def _curves(snapshot: Snapshot, runs: pa.Table) -> BinaryIO:
    """Return the curves of these runs as a file on disk that is gone once it is closed."""
    # Not in a `with`: whoever sends it closes it.
    file = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115
    try:
        with pq.ParquetWriter(file, CURVES, compression="zstd") as writer:
            for ids in _portions(runs):
                frame = snapshot.curves(ids)
                writer.write_table(pa.Table.from_pandas(frame[CURVES.names], CURVES, preserve_index=False).cast(CURVES))
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def _portions(runs: pa.Table) -> Iterator[list[str]]:
    """Yield the runs, sorted by their ids, in portions of about `CURVE_ROWS` epochs."""
    ordered = runs.select(["run_id", "epochs"]).sort_by("run_id")
    ids, epochs = ordered.column("run_id").to_pylist(), ordered.column("epochs").to_numpy()
    # A row says how far its run came, which may be less than was recorded.
    portions = np.cumsum(np.maximum(epochs, FEWEST), dtype=np.int64) // CURVE_ROWS
    for one in np.unique(portions):
        first, last = np.searchsorted(portions, one), np.searchsorted(portions, one, side="right")
        yield ids[first:last]
