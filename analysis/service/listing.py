"""The first page: the stored studies, or how to make one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import dcc, html

from analysis.service import words

if TYPE_CHECKING:
    from analysis.service.stored import Line, Studies

EVERY_MS = 10_000
HEAD = ("Study", "Workload", "Runs done", "State", "Least test error")


def page(studies: Studies) -> list[Any]:
    """Return the page."""
    return [
        html.Header([html.P("Learning rate × weight decay", className="eyebrow"), html.H1("Studies")]),
        html.Main(
            [
                html.P(["Results in ", html.Code(studies.place)], className="caption place"),
                html.Div(table(studies), id="listing"),
                dcc.Interval(id="listing-tick", interval=EVERY_MS),
            ]
        ),
    ]


def table(studies: Studies) -> Any:
    """Return the table of studies; where there is none, the command that makes the first."""
    stores = [store for name in studies.names() if (store := studies.store(name)) is not None]
    if not stores:
        return html.Section(
            [
                html.H2("No study is stored here yet"),
                html.P("This makes the first, in about a minute:"),
                html.Pre(html.Code(f"robustness run digits --results {studies.place}")),
            ]
        )
    head = html.Thead(html.Tr([html.Th(name) for name in HEAD]))
    rows = [_row(studies.line(store)) for store in stores]
    return html.Div(html.Table([head, html.Tbody(rows)], className="studies"), className="scroll")


def _row(line: Line) -> Any:
    cells = (
        html.A(line.name, href=f"/study/{line.name}"),
        ", ".join(line.workloads),
        words.runs(line),
        words.state(line),
        [html.Div(each) for each in words.best(line)] or "none yet",
    )
    named = zip(HEAD, cells, strict=True)
    attributes: dict[str, Any] = {name: {"data-name": name} for name in HEAD}  # for a telephone, which shows no head
    return html.Tr([html.Td(cell, **attributes[name]) for name, cell in named])
