"""The first page: the stored studies, or how to make one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import Dash, Input, Output, State, dcc, html

from analysis.service.base.address import View
from analysis.service.base.attributes import aria, dataset
from analysis.service.web import frame, progress_words
from robustness.results import StorageError

if TYPE_CHECKING:
    from analysis.service.studies.progress import StudyLine
    from analysis.service.web.sources import Sources

EVERY_MS = 10_000
HEAD = {
    "name": "Study",
    "workload": "Workload",
    "optimizers": "Optimizers",
    "done": "Runs done",
    "state": "State",
    "best": "Best test error",
    "last": "Last run",
}
ASCENDING = ("name", "workload", "optimizers", "state", "best")
"""What is sorted from its least value on at first; the others from the greatest."""


def page(sources: Sources, view: View) -> list[Any]:
    """Return the page."""
    return [
        html.Div([html.P("Learning rate × weight decay", className="eyebrow"), html.H1("Studies")], className="head"),
        html.P(["Results in ", html.Code(sources.studies.place)], className="caption place"),
        html.Div(table(sources, view), id="listing"),
        dcc.Interval(id="listing-tick", interval=EVERY_MS),
    ]


def add_callbacks(app: Dash, sources: Sources) -> None:
    """Let the list follow what is stored."""

    @app.callback(
        Output("listing", "children"),
        Input("listing-tick", "n_intervals"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def _refresh(_ticks: int, search: str | None) -> Any:
        try:
            return table(sources, View.parse(search))
        except (StorageError, OSError) as error:
            return frame.note(f"The results cannot be read at the moment: {error}")


def table(sources: Sources, view: View) -> list[Any]:
    """Return the studies that are searched for, sorted; where there is none, the command that makes the first."""
    lines, place = sources.studies.lines(), sources.studies.place
    if not lines:
        return [_first(place)]
    wanted = view.get("q").lower().split()
    found = [line for line in lines if all(word in _searched(line) for word in wanted)]
    key, down = _order(view)
    found.sort(key=lambda line: _rank(line, key), reverse=down)
    head = html.Thead(html.Tr([_head(name, title, view) for name, title in HEAD.items()]))
    rows = [_row(line, progress_words.state(line, sources.jobs.of(line.name, place))) for line in found]
    listed = html.Div(
        html.Table([head, html.Tbody(rows)], className="studies"),
        className="scroll",
        role="region",
        tabIndex="0",
        **aria(label="Studies"),
    )
    controls = html.Div(frame.field("q", "Search", "search"), className="controls")
    none = [html.P("No study has all of these words.", className="caption", role="status")]
    return [controls, listed if found else html.Div(none)]


def _first(place: str) -> Any:
    return html.Section(
        [
            html.H2("No study is stored here yet"),
            html.P("This makes the first, in about a minute:"),
            html.Pre(html.Code(f"robustness run digits --results {place}")),
            html.P("It appears here while it runs.", className="caption"),
        ]
    )


def _searched(line: StudyLine) -> str:
    return " ".join([line.name, *line.workloads, *line.optimizers, line.state()]).lower()


def _order(view: View) -> tuple[str, bool]:
    asked = view.get("sort", "-last")
    key = asked.removeprefix("-")
    return (key, asked.startswith("-")) if key in HEAD else ("last", True)


def _rank(line: StudyLine, key: str) -> Any:
    least = min((value for errors in line.best.values() for value in errors.values()), default=float("inf"))
    return {
        "name": line.name,
        "workload": line.workloads,
        "optimizers": line.optimizers,
        "done": line.done,
        "state": line.state(),
        "best": least,
        "last": line.last.timestamp() if line.last else 0.0,
    }[key]


def _head(name: str, title: str, view: View) -> Any:
    key, down = _order(view)
    other = f"-{name}" if (key == name and not down) or (key != name and name not in ASCENDING) else name
    sort = aria(sort="descending" if down else "ascending") if key == name else {}
    mark = (" ↓" if down else " ↑") if key == name else ""
    return html.Th(frame.link(f"{title}{mark}", "/", view.with_(sort=other)), scope="col", **sort)


def _row(line: StudyLine, state: str) -> Any:
    cells = (
        [html.A(line.name, href=f"/study/{line.name}"), *([html.Small(line.problem)] if line.problem else [])],
        ", ".join(line.workloads),
        ", ".join(line.optimizers),
        [progress_words.runs(line), progress_words.bar(line)],
        state,
        [html.Div(each) for each in progress_words.best(line)] or "none yet",
        progress_words.last(line),
    )
    # A telephone shows no head.
    return html.Tr([html.Td(cell, **dataset(name=name)) for name, cell in zip(HEAD.values(), cells, strict=True)])
