"""The page of a study's runs as a table: filtered, sorted, to download, and the lines that read the same."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from dash import html

from analysis.formats import count, number, plural, short
from analysis.service.base.address import kept
from analysis.service.base.attributes import aria, dataset
from analysis.service.pages.data import downloads
from analysis.service.pages.data.filters import COLUMNS, OPERATORS, is_listed, is_text
from analysis.service.pages.data.query import Query
from analysis.service.pages.data.snippets import files_and_lines
from analysis.service.web import frame, live
from analysis.service.web.sources import Sources
from robustness.results.tables.schema import RUNS

if TYPE_CHECKING:
    import pyarrow as pa

    from analysis.service.base.address import View
    from analysis.service.studies.snapshot import Snapshot

PAGE_ROWS = 50
EVERY_MS = 10_000
NOTHING = "–"
SOME = (
    "lr",
    "weight_decay",
    "seed",
    "status",
    "test_error",
    "validation_error",
    "test_error_at_best",
    "train_loss",
    "grad_norm",
    "duration_s",
    "finished_at",
)
"""The columns of a first workload, after the optimizer."""
AXES = ("lr", "weight_decay", "weight_decay_native")
LONG = 48
"""Letters of a text that a table shows."""


def page(sources: Sources, view: View) -> list[Any]:
    """Return the page of a study's runs."""
    snapshot = sources.snapshot(view)
    if snapshot is None:
        return frame.no_study(sources.studies.place)
    head = frame.head(sources.paths, snapshot.name, "data", keep=kept(view))
    if not len(snapshot.stored):
        return [*head, html.Section([html.H2("The runs"), html.P("No run of this study is stored yet.")])]
    runs = live.placed("data", LIVE, snapshot, view)
    return [*head, html.Section([html.H2("The runs"), _adding(), *runs])]


def _stamp(snapshot: Snapshot, view: View) -> str:
    return f"{snapshot.stamp} {view.with_()}"


def _adding() -> Any:
    """Return the controls that add a filter; the script of this page reads them."""
    columns = [html.Option(name, value=name, **dataset(text="1" if is_text(name) else "")) for name in COLUMNS]
    operators = [html.Option(sign, value=sign) for sign in OPERATORS]
    parts = [
        html.Label([html.Span("column"), html.Select(columns, id="filter-column")], className="control"),
        html.Label([html.Span("is"), html.Select(operators, id="filter-operator")], className="control"),
        html.Label([html.Span("value"), html.Span(id="filter-value", className="input")], className="control"),
        html.Button("Add filter", type="submit"),
    ]
    return html.Form(parts, id="filter", className="controls", **aria(label="Add a filter"))


def body(snapshot: Snapshot, view: View) -> list[Any]:
    """Return what depends on the address: filters, table, files and lines."""
    query, path = Query.of(view), f"/study/{snapshot.name}/data"
    rows = query.rows(downloads.runs_table(snapshot))
    pages = max(1, -(-len(rows) // PAGE_ROWS))
    asked = view.get("page")
    at = min(int(asked), pages) if asked.isascii() and asked.isdigit() and 0 < len(asked) < 10 else 1
    at = max(at, 1)
    some = rows.slice((at - 1) * PAGE_ROWS, PAGE_ROWS)
    return [
        *(frame.note(one) for one in query.problems),
        *_chips(query, view, path),
        html.P(_counted(snapshot, len(rows)), className="caption", role="status"),
        _paging(view, path, at, pages),
        _table(snapshot, some, query, view) if len(rows) else html.P("No run meets all of these filters."),
        _paging(view, path, at, pages) if len(some) > 20 else None,
        _other_columns(view, path),
        *files_and_lines(query, path, str(snapshot.store.root)),
    ]


LIVE = live.LivePart(find=Sources.snapshot, stamp=_stamp, body=body, every_ms=EVERY_MS)


def _counted(snapshot: Snapshot, found: int) -> str:
    stored = len(snapshot.stored)
    words = plural(stored, "run") if found == stored else f"{count(found)} of {plural(stored, 'run')}"
    others = stored - sum(len(workload.runs) for workload in snapshot.workloads)
    return f"{words}{f', {count(others)} of which the study file no longer asks for' if others > 0 else ''}."


def _chips(query: Query, view: View, path: str) -> list[Any]:
    if not query.filters:
        return []
    chips = []
    for one in query.filters:
        rest = view.with_(where=[str(each) for each in query.filters if each != one], page=None)
        value = "not recorded" if one.value is None else str(one).removeprefix(one.column + one.operator)
        words = f"{one.column} {one.operator} {short(value, LONG)}"
        remove = frame.link("✕", path, rest, title=f"Remove {words}", **aria(label=f"Remove the filter {words}"))
        chips.append(html.Li([html.Span(words, title=str(one)), remove]))
    clear = frame.link("Remove all", path, view.with_(where=None, page=None))
    return [html.Ul([*chips, html.Li(clear)], className="chips", **aria(label="Filters"))]


def _paging(view: View, path: str, at: int, pages: int) -> Any:
    if pages == 1:
        return None

    def to(words: str, place: int) -> Any:
        if not 1 <= place <= pages or place == at:
            return html.Span(words, className="off", **aria(disabled="true"))
        return frame.link(words, path, view.with_(page=None if place == 1 else str(place)))

    where = html.Span(f"page {count(at)} of {count(pages)}")
    ends = [to("First", 1), to("Previous", at - 1), where, to("Next", at + 1), to("Last", pages)]
    return html.Nav(ends, className="paging", **aria(label="Pages of the table"))


def _other_columns(view: View, path: str) -> Any:
    every = view.get("columns") == "all"
    words = "Show fewer columns" if every else f"Show all {len(RUNS.names)} columns"
    return html.P(frame.link(words, path, view.with_(columns=None if every else "all")), className="caption")


def _table(snapshot: Snapshot, rows: pa.Table, query: Query, view: View) -> Any:
    if view.get("columns") == "all":
        columns = list(RUNS.names)
    else:
        extra = [name for name in ("workload",) if len(snapshot.workloads) > 1]
        reasons = ["reason"] if rows.column("reason").null_count < len(rows) else []
        columns = [*extra, *SOME[:4], *reasons, *SOME[4:]]
    head = [_head("optimizer", query, view, snapshot.name)]
    head += [_head(name, query, view, snapshot.name) for name in columns]
    found = _labels(snapshot, rows.column("run_id").to_pylist())
    body = [_row(row, columns, found.get(row["run_id"]), snapshot) for row in rows.to_pylist()]
    table = html.Table([html.Thead(html.Tr(head)), html.Tbody(body)], className="data")
    return html.Div(table, className="scroll", role="region", tabIndex=0, **aria(label="Runs"))


def _head(column: str, query: Query, view: View, name: str) -> Any:
    about = RUNS.field(column).metadata[b"description"].decode()
    side = "text" if is_text(column) else ""
    if not is_listed(column):
        return html.Th(column, scope="col", title=about)
    here, sign = query.sort == column, "↓" if query.descending else "↑"
    after = column if not here else None if query.descending else f"-{column}"
    words = [column, html.Span(f" {sign}", **aria(hidden="true"))] if here else column
    order: Any = {"aria-sort": "descending" if query.descending else "ascending"} if here else {}
    link = frame.link(words, f"/study/{name}/data", view.with_(sort=after, page=None), title=about)
    return html.Th(link, scope="col", className=side, **order)


def _labels(snapshot: Snapshot, run_ids: list[str]) -> dict[str, tuple[str, str]]:
    """Return the label and the workload's slug of those runs that the study asks for."""
    found: dict[str, tuple[str, str]] = {}
    for workload in snapshot.workloads:
        some = workload.runs.loc[workload.runs["run_id"].isin(run_ids), ["run_id", "label"]]
        found |= {str(run): (str(label), workload.slug) for run, label in some.itertuples(index=False, name=None)}
    return found


def _row(row: dict[str, Any], columns: list[str], place: tuple[str, str] | None, snapshot: Snapshot) -> Any:
    if place is None:
        name: Any = [row["optimizer"], html.Small("no longer asked for")]
    else:
        keys = {"workload": place[1]} if len(snapshot.workloads) > 1 else {}
        keys["cell"] = f"{place[0]}~{row['lr']!r}~{row['weight_decay']!r}"
        name = frame.link(place[0], f"/study/{snapshot.name}", f"?{urlencode(keys)}", title="This cell on the map")
    return html.Tr([html.Th(name, scope="row"), *(_cell(column, row[column]) for column in columns)])


def _cell(column: str, value: Any) -> Any:
    if isinstance(value, str):
        whole: Any = {"title": value} if len(value) > LONG else {}
        return html.Td(short(value, LONG), className="text", **whole)
    exact: Any = {"title": repr(value)} if isinstance(value, float) else {}
    return html.Td(worded(column, value), **exact)


def worded(column: str, value: Any) -> str:
    """Return a value of a column that is no text as the table shows it."""
    if value is None:
        return NOTHING
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, list):
        return plural(len(value), "value")
    if isinstance(value, int):
        return str(value) if column == "seed" else count(value)
    if "error" in column:
        return f"{value:.2f}"
    return number(value) if column in AXES else number(float(f"{value:.3g}"))
