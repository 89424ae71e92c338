"""Which runs of a study an address asks for, in which order, and the lines that give the same elsewhere."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from analysis.service.pages.data.filters import Filter, FilterError, is_listed, quoted

if TYPE_CHECKING:
    import pyarrow as pa

    from analysis.service.base.address import View

ORDER = ("workload", "optimizer", "lr", "weight_decay", "seed", "run_id")
"""What rows are sorted by, after the column that was asked for: so no two can change places."""

MOST_FILTERS = 20
_GLOB = re.compile(r"([*?\[])")


@dataclass(frozen=True, kw_only=True)
class Query:
    """Which runs, in which order.

    Attributes:
        filters: All of them hold.
        sort: Column that sorts before `ORDER`; None for none.
        descending: Whether it does so from the greatest down; what has no value comes last either way.
        problems: What of the address was left out, and why; a sentence each.
    """

    filters: tuple[Filter, ...] = ()
    sort: str | None = None
    descending: bool = False
    problems: tuple[str, ...] = ()

    @classmethod
    def of(cls, view: View) -> Query:
        """Read the keys `where` and `sort` of an address; what is wrong there is left out and told."""
        filters, problems = [], []
        asked = list(dict.fromkeys(view.all("where")))
        for text in asked[:MOST_FILTERS]:
            try:
                filters.append(Filter.parse(text))
            except FilterError as error:
                problems.append(f"The filter “{text[:80]}” is ignored: {error}.")
        if len(asked) > MOST_FILTERS:
            problems.append(f"Only the first {MOST_FILTERS} filters are applied.")
        sort = view.get("sort")
        column = sort.removeprefix("-")
        if sort and not is_listed(column):
            problems.append(f"The order is the usual one: no column to sort by is called “{column[:80]}”.")
            sort = column = ""
        return cls(
            filters=tuple(filters),
            sort=column or None,
            descending=sort.startswith("-"),
            problems=tuple(problems),
        )

    @property
    def keys(self) -> list[tuple[str, bool]]:
        """Every column of the order, and whether it ascends."""
        first = [(self.sort, not self.descending)] if self.sort else []
        return first + [(name, True) for name in ORDER if name != self.sort]

    def rows(self, table: pa.Table) -> pa.Table:
        """Return the rows of a table of `RUNS`."""
        for one in self.filters:
            table = table.filter(one.mask(table))
        keys = [(name, "ascending" if up else "descending") for name, up in self.keys]
        return table.take(pc.sort_indices(table, sort_keys=keys))


def below(root: str, path: str) -> str:
    """Return a path below a study's folder or URI, whose own query stays at its end."""
    place, mark, rest = root.partition("?") if "://" in root else (root, "", "")
    return f"{place.rstrip('/')}/{path}{mark}{rest}"


def pandas_lines(query: Query, root: str) -> str:
    """Return Python that reads the same rows with pandas.

    Args:
        query: Which ones.
        root: The study's folder or URI.
    """
    lines = [
        "import pandas as pd",
        "",
        f"runs = pd.read_parquet({json.dumps(below(root, 'runs'), ensure_ascii=False)})",
        "# A run that was tried again has several rows: a result counts, else the first failure.",
        'runs = runs.assign(again=runs["status"] == "failed").sort_values(["again", "finished_at"])',
        'runs = runs.drop_duplicates("run_id").drop(columns="again")',
        *(f"runs = runs[{one.pandas()}]" for one in query.filters),
    ]
    names = json.dumps([name for name, _ in query.keys])
    up = "" if not query.descending else f", ascending=[False] + {len(query.keys) - 1} * [True]"
    return "\n".join([*lines, f"runs = runs.sort_values({names}{up})"])


def duckdb_lines(query: Query, root: str) -> str:
    """Return the DuckDB query of the same rows; arguments as in `pandas_lines`."""
    # In the name of a local folder these signs stand for themselves.
    files = below(root if "://" in root else _GLOB.sub(r"[\1]", root), "runs/*.parquet")
    conditions = "\n  and ".join(one.sql() for one in query.filters)
    order = ", ".join(
        f"{name}{'' if up else ' desc'} nulls last" if name == query.sort else name for name, up in query.keys
    )
    lines = [
        "with runs as (",
        f"  from read_parquet({quoted(files)})",
        "  -- A run that was tried again has several rows: a result counts, else the first failure.",
        "  qualify row_number() over (partition by run_id order by status = 'failed', finished_at) = 1",
        ")",
        "from runs",
        *([f"where {conditions}"] if conditions else []),
        f"order by {order}",
    ]
    return "\n".join(lines)
