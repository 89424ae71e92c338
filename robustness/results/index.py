"""Which part of a store holds the row that stands for each run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from robustness.results.tables.arrow import join, winners
from robustness.results.tables.schema import RUNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

COLUMNS = ["run_id", "status", "finished_at", "epochs"]
"""The columns of `RUNS` that an index is made of."""


@dataclass(frozen=True)
class Index:
    """The winning row of each of n runs.

    Attributes:
        ids: (n,) ids of the runs, each once.
        parts: names of the parts, sorted.
        place: (n,) place in `parts` of the part that holds the run's row.
        finished: (n,) whether the run came to a result.
        epochs: (n,) epochs of the run, about the rows of its curve.
    """

    ids: pa.Array
    parts: tuple[str, ...]
    place: NDArray[np.int64]
    finished: NDArray[np.bool_]
    epochs: NDArray[np.int64]

    @classmethod
    def of(cls, tables: Mapping[str, pa.Table]) -> Index:
        """Make the index of parts, by name, of which `COLUMNS` are read."""
        table, part = join(tables, RUNS, COLUMNS)
        rows = winners(table, part)
        taken = table.take(pa.array(rows))
        return cls(
            ids=taken.column("run_id").combine_chunks(),
            parts=tuple(sorted(tables)),
            place=part[rows],
            finished=pc.not_equal(taken.column("status"), "failed").to_numpy().astype(bool),
            epochs=taken.column("epochs").to_numpy().astype(np.int64),
        )

    def only(self, these: NDArray[np.bool_]) -> Index:
        """Return the index of the runs (n,) that are marked."""
        marked = self.ids.filter(pa.array(these))
        return Index(marked, self.parts, self.place[these], self.finished[these], self.epochs[these])

    def within(self, names: Iterable[str]) -> Index:
        """Return the index of the runs whose rows these parts hold."""
        places = [self.parts.index(name) for name in names]
        return self.only(np.isin(self.place, places))

    def is_in(self, ids: pa.Array) -> NDArray[np.bool_]:
        """Return of each run (n,) whether it is among `ids`."""
        return np.asarray(pc.is_in(self.ids, value_set=ids).to_numpy(zero_copy_only=False))

    def holders(self) -> set[str]:
        """Return the names of the parts that hold a winning row."""
        return {self.parts[place] for place in np.unique(self.place)}

    def rows(
        self, tables: Mapping[str, pa.Table], schema: pa.Schema, names: list[str] | None = None
    ) -> tuple[pa.Table, NDArray[np.int64]]:
        """Return the rows of all `tables`, uncopied, and the places of those of the runs' winning parts.

        The tables have the columns `names` of `schema`, by default all.
        """
        table, rank = join(tables, schema, names)
        places = {name: place for place, name in enumerate(self.parts)}
        of_table = np.array([places.get(name, -1) for name in sorted(tables)], dtype=np.int64)
        found = pc.index_in(table.column("run_id"), value_set=self.ids)
        run = pc.fill_null(found, -1).to_numpy().astype(np.int64)
        if not len(self.ids):
            return table, np.zeros(0, dtype=np.int64)
        return table, np.flatnonzero((run >= 0) & (self.place[run] == of_table[rank]))
