"""The Dash application: its frame, its addresses, and which page each of them shows."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import plotly
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from plotly.offline import get_plotlyjs

from analysis.report.page import asset, themes
from analysis.service.base.address import View, place_of
from analysis.service.base.attributes import aria
from analysis.service.cluster.ray_jobs import RayJobs
from analysis.service.cluster.submitting import Submitting
from analysis.service.pages import claims, compare, listing, report, submit
from analysis.service.pages.data import page as data
from analysis.service.pages.study import page as maps
from analysis.service.studies.studies import Studies
from analysis.service.web.calls import check_calls
from analysis.service.web.guard import Guard
from analysis.service.web.responses import lasting, packed, sent, unavailable
from robustness.results import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask, Response

    Page = Callable[[str, View], list[Any]]

ASSETS = str(Path(__file__).parent / "assets")

# Dash's own frame without what speaks to Internet Explorer, whose script no policy would let run.
FRAME = """<!doctype html>
<html lang="en">
<head>
{%metas%}
<title>{%title%}</title>
<link rel="icon" href="data:,">
<style>CSS</style>
{%css%}
<script src="/plots.js"></script>
</head>
<body>
<noscript><p class="note">These pages need JavaScript; they load nothing from elsewhere.</p></noscript>
{%app_entry%}
<script src="/plotly.js?PLOTLY" defer></script>
{%config%}
{%scripts%}
{%renderer%}
</body>
</html>
"""


def make(results: str, guard: Guard | None = None, *, address: str | None = None, allow_submit: bool = False) -> Dash:
    """Return the application over a results folder or URI.

    Args:
        results: Folder or URI of all results.
        guard: Who is answered; default: this machine's browsers.
        address: Of the dashboard of a Ray cluster whose jobs are shown; None asks no cluster.
        allow_submit: Let visitors start and stop studies there.
    """
    app = Dash(
        "robustness",
        title="robustness",
        update_title="",
        assets_folder=ASSETS,
        serve_locally=True,
        suppress_callback_exceptions=True,  # the pages bring their own components
        meta_tags=[
            {"name": "viewport", "content": "width=device-width, initial-scale=1"},
            {"name": "color-scheme", "content": "light dark"},
        ],
        index_string=FRAME.replace("CSS", asset("page.css")).replace("PLOTLY", plotly.__version__),
    )
    studies, jobs = Studies(results), RayJobs(address)
    submitting = Submitting(studies, jobs, address, results) if allow_submit else None
    app.layout = html.Div(
        [
            dcc.Location(id="url", refresh=False),
            dcc.Store(id="route"),
            dcc.Store(id="asked"),
            _bar(submitting is not None),
            html.Main([html.P("loading", className="caption", role="status")], id="page"),
        ]
    )
    pages: dict[str, Page] = {
        "": lambda _, view: listing.page(studies, view, jobs),
        "compare": lambda _, view: compare.page(studies, "", view),
        "submit": lambda _, view: submit.page(submitting, view),
        "study": lambda name, view: maps.page(studies, name, view, jobs),
        "claims": lambda name, view: claims.page(studies, name, view),
        "data": lambda name, view: data.page(studies, name, view),
    }
    _add_routing(app, pages)
    for one in (listing, maps, claims, compare, data):
        one.add_callbacks(app, studies, jobs)
    for room in (report, maps, claims, compare, data):
        room.add_routes(app.server, studies)
    submit.add_routes(app.server, submitting)
    for kind in (StorageError, OSError):
        app.server.register_error_handler(kind, unavailable)
    _add_scripts(app.server)
    check_calls(app)
    (guard or Guard()).protect(app)
    return app


def _bar(submits: bool) -> Any:
    links = [("Studies", "/"), ("Compare", "/compare"), *([("Submit", "/submit")] if submits else [])]
    items = [html.Li(html.A(words, href=path)) for words, path in links]
    return html.Header(
        [
            html.A("robustness", href="/", className="brand"),
            html.Nav(html.Ul(items), **aria(label="Pages")),
            html.Button("Theme", id="theme", type="button"),
        ],
        className="top",
    )


def _add_routing(app: Dash, pages: dict[str, Page]) -> None:
    # Most changes of the query are the business of a page's parts: the browser knows, and does not ask.
    app.clientside_callback(
        ClientsideFunction("service", "route"),
        Output("route", "data"),
        Output("asked", "data"),
        Input("url", "pathname"),
        Input("url", "search"),
        State("route", "data"),
        State("asked", "data"),
    )

    @app.callback(
        Output("page", "children"),
        Input("route", "data"),
        State("url", "pathname"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def _show(_route: str, path: str | None, search: str | None) -> Any:
        kind, name = place_of(path)
        try:
            return pages[kind](name, View.parse(search))
        except (StorageError, OSError) as error:
            return unreadable(error)


def _add_scripts(server: Flask) -> None:
    """Add the scripts that the report carries within itself: Plotly's, and what draws in the page's theme."""

    @server.get("/plots.js")
    def _plots() -> Response:
        return sent(f"window.robustnessThemes = {json.dumps(themes())};\n{asset('plots.js')}", "text/javascript")

    @server.get("/plotly.js")
    def _plotly() -> Response:
        # Its address has its version: a browser that has it need not ask.
        return lasting(_packed_plotly(), "text/javascript")


@lru_cache(maxsize=1)
def _packed_plotly() -> bytes:
    return packed(get_plotlyjs())


def unreadable(error: Exception) -> list[Any]:
    """Return what stands where results cannot be read."""
    words = f"The results cannot be read: {error}"
    return [html.H1("No answer from the results"), html.P(words, className="note", role="alert")]
