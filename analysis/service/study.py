"""A study's page: its basins as far as they are trained, drawn anew as runs come in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
from dash import MATCH, ClientsideFunction, Input, Output, State, dcc, html, no_update

from analysis.figures.theme import INK
from analysis.pictures import OWN
from analysis.service import words
from robustness.results import StorageError

if TYPE_CHECKING:
    from dash import Dash

    from analysis.contents import Contents
    from analysis.service.stored import Line, Studies

EVERY_MS = 5_000
FIGURES = ("basins", "slices", "cells")
"""What is drawn: the first that the study allows."""

CONFIG: Any = {
    "displaylogo": False,
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "doubleClick": "reset",
    "scrollZoom": False,
    "responsive": False,
    "modeBarButtons": [["toImage", "zoom2d", "resetScale2d"]],
}

LAYOUTS = ("wide", "narrow")
"""Each has a graph of its own: Plotly cannot turn one into the other, for the color bar's sake."""

HIDDEN = {"display": "none"}

_SHOWN = (
    *((kind, what) for kind in LAYOUTS for what in ("figure", "style")),
    ("caption", "children"),
    ("problem", "children"),
)


def _part(kind: str) -> dict[str, Any]:
    """Return the ids of one kind of component, of a workload each."""
    return {"type": kind, "index": MATCH}


_TRIGGERS: dict[str, tuple[Any, str]] = {"drawn": (_part("drawn"), "data"), "width": ("width", "data")}


def page(studies: Studies, name: str) -> list[Any]:
    """Return a study's page, or one that says that there is no such study."""
    store = studies.store(name)
    back = html.P(html.A("All studies", href="/"), className="back")
    if store is None:
        return [html.Header([back, html.H1("No such study")]), html.Main(html.P(["It is not in ", studies.place, "."]))]
    _, found = studies.contents(store)
    about = found[0].study.description if found[0].study else ""
    return [
        html.Header(
            [
                back,
                html.H1(name),
                html.P(about, className="description"),
                html.Ul(_facts(studies.line(store)), id="facts", className="facts"),
                html.P(html.A("Full report", href=f"/study/{name}/report")),
            ]
        ),
        html.Main([*(_section(i, one) for i, one in enumerate(found)), html.P("", id="trouble", role="status")]),
        dcc.Interval(id="tick", interval=EVERY_MS),
    ]


def _section(index: int, contents: Contents) -> Any:
    def part(kind: str) -> dict[str, Any]:
        return {"type": kind, "index": index}

    return html.Section(
        [
            html.H2(contents.workload),
            html.P("", id=part("problem"), className="caption"),
            *(
                dcc.Graph(id=part(kind), className=kind, config=CONFIG, responsive=False, style=HIDDEN)
                for kind in LAYOUTS
            ),
            html.P("", id=part("caption"), className="caption"),
            dcc.Store(id=part("drawn")),
        ]
    )


def _facts(line: Line) -> list[Any]:
    return [
        html.Li(f"{words.runs(line)} runs"),
        html.Li(words.state(line)),
        *(html.Li(f"least error {each}") for each in words.best(line)),
    ]


def drawn(contents: Contents) -> dict[str, Any]:
    """Return a figure with both its layouts, or why there is none, as JSON takes it."""
    found = [OWN[name](contents) for name in FIGURES]
    drawing = next((one for one in found if not isinstance(one, str)), None)
    if drawing is None:
        return {"problem": f"Nothing is drawn: {found[0]}."}
    # Unchanged, it lets what a reader did to the figure survive that it is drawn anew.
    kept = {"uirevision": f"{contents.name} {contents.workload}", "font_color": INK["light"]}
    wide = json.loads(drawing.figure.update_layout(**kept).to_json())
    narrow = json.loads(go.Figure(layout=drawing.narrow).update_layout(**kept, dragmode=False).to_json())
    return {"data": wide["data"], "wide": wide["layout"], "narrow": narrow["layout"], "caption": drawing.caption}


def add_callbacks(app: Dash, studies: Studies) -> None:
    """Let the page follow what is stored."""

    @app.callback(
        Output(_part("drawn"), "data"),
        Input("tick", "n_intervals"),
        State(_part("drawn"), "data"),
        State(_part("drawn"), "id"),
        State("url", "pathname"),
    )
    def _draw(_ticks: int, before: dict[str, Any] | None, place: dict[str, int], path: str) -> Any:
        try:
            return _drawn_since(studies, _name(path), place["index"], before)
        except (StorageError, OSError):  # the facts say so
            return no_update

    @app.callback(
        Output("facts", "children"),
        Output("trouble", "children"),
        Output("trouble", "className"),
        Input("tick", "n_intervals"),
        State("url", "pathname"),
        prevent_initial_call=True,
    )
    def _tell(_ticks: int, path: str) -> Any:
        try:
            store = studies.store(_name(path))
            return (_facts(studies.line(store)) if store else no_update), "", ""
        except (StorageError, OSError) as error:
            return no_update, f"The results cannot be read at the moment: {error}", "note"

    # Apart: as one, the window's width would wait for an answer from the store.
    for trigger, other in (("drawn", "width"), ("width", "drawn")):
        app.clientside_callback(
            ClientsideFunction("service", f"draw_{trigger}"),
            *(Output(_part(kind), what, allow_duplicate=trigger == "width") for kind, what in _SHOWN),
            Input(*_TRIGGERS[trigger]),
            State(*_TRIGGERS[other]),
            *(State(_part(kind), "figure") for kind in LAYOUTS),
            State(_part("drawn"), "id"),
            prevent_initial_call=trigger == "width",
        )


def _name(path: str) -> str:
    return path.removeprefix("/study/")


def _drawn_since(studies: Studies, name: str, index: int, before: dict[str, Any] | None) -> Any:
    """Return the figure of a workload, unless the page has drawn what is stored."""
    store = studies.store(name)
    if store is None:
        return no_update
    stamp, found = studies.contents(store)
    if index >= len(found) or (before or {}).get("stamp") == stamp:
        return no_update
    return drawn(found[index]) | {"stamp": stamp}
