"""The Dash application: its frame, its addresses, and which page each of them shows."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import plotly
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from flask import Response, abort
from plotly.offline import get_plotlyjs

from analysis.report.page import asset, themes
from analysis.service.base.address import View
from analysis.service.base.attributes import aria
from analysis.service.cluster.ray_jobs import RayJobs
from analysis.service.cluster.submitting import Submitting
from analysis.service.pages.registry import PAGES, paths_of
from analysis.service.studies.studies import Studies
from analysis.service.visitors.visit_log import VisitLog
from analysis.service.web.calls import check_calls, check_scripts
from analysis.service.web.guard import ONLY_LOOKS, Guard, visitor
from analysis.service.web.live import follow
from analysis.service.web.page_row import Route, add_routes
from analysis.service.web.responses import lasting, packed, sent, unavailable
from analysis.service.web.sources import Sources
from robustness.results import StorageError

if TYPE_CHECKING:
    from analysis.service.base.paths import Paths
    from robustness.results import Place

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


def make(
    results: str | Place,
    guard: Guard | None = None,
    *,
    address: str | None = None,
    allow_submit: bool = False,
    log: VisitLog | None = None,
) -> Dash:
    """Return the application over a results folder or URI.

    Args:
        results: Folder or URI of all results.
        guard: Who is answered; default: this machine's browsers.
        address: Of the dashboard of a Ray cluster whose jobs are shown; None asks no cluster.
        allow_submit: Let visitors start and stop studies there.
        log: Where it is set down who did what; default: what is started and stopped, on the standard error.
    """
    log = log or VisitLog()
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
    sources = sources_of(results, address=address, allow_submit=allow_submit, log=log)
    app.layout = lambda: _layout(allow_submit=allow_submit and visitor().submits)
    _add_routing(app, sources)
    for page in PAGES:
        if page.live is not None:
            follow(app, sources, page.kind, page.live)
        if page.callbacks is not None:
            page.callbacks(app, sources)
        add_routes(app.server, sources, page.routes)
    add_routes(app.server, sources, SCRIPTS)
    for kind in (StorageError, OSError):
        app.server.register_error_handler(kind, unavailable)
    check_calls(app)
    check_scripts(app)
    (guard or Guard()).protect(app, *_rules())
    app.server.wsgi_app = log.watch(app.server.wsgi_app)
    return app


def sources_of(
    results: str | Place, *, address: str | None = None, allow_submit: bool = False, log: VisitLog | None = None
) -> Sources:
    """Return what the pages over a results folder or URI are made from; arguments as of `make`."""
    studies, jobs = Studies(results), RayJobs(address)
    return Sources(
        studies=studies,
        jobs=jobs,
        submitting=Submitting(studies, jobs, address, results) if allow_submit else None,
        paths=paths_of(PAGES, submits=allow_submit),
        log=log or VisitLog(),
    )


def _layout(*, allow_submit: bool) -> Any:
    """Return what every page stands in, as the visitor may see it."""
    return html.Div(
        [
            dcc.Location(id="url", refresh=False),
            dcc.Store(id="route"),
            dcc.Store(id="asked"),
            _bar(paths_of(PAGES, submits=allow_submit)),
            html.Main([html.P("loading", className="caption", role="status")], id="page"),
        ]
    )


def _rules() -> tuple[list[str], list[str], list[str]]:
    """Return the rules of what a browser may be led to, of what is answered beside, and of what submits."""
    routes = [route for page in PAGES for route in page.routes]
    shown = [page.path for page in PAGES] + [route.rule for route in routes if route.method == "GET"]
    submitting = [rule for page in PAGES if page.submits for rule in (page.path, *(each.rule for each in page.routes))]
    return shown, [route.rule for route in (*routes, *SCRIPTS)], submitting


def _bar(paths: Paths) -> Any:
    items = [html.Li(html.A(page.tab, href=page.rule)) for page in paths.bar()]
    return html.Header(
        [
            html.A("robustness", href="/", className="brand"),
            html.Nav(html.Ul(items), **aria(label="Pages")),
            html.Button("Theme", id="theme", type="button"),
        ],
        className="top",
    )


def _add_routing(app: Dash, sources: Sources) -> None:
    pages = {page.kind: page.page for page in PAGES if page.page is not None}
    submitting = {page.kind for page in PAGES if page.submits}
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
        address = sources.paths.at(path)
        if address is None:
            return [html.H1("No such page")]
        if address.kind in submitting and not visitor().submits:
            abort(Response(f"{ONLY_LOOKS}\n", 403, mimetype="text/plain"))
        try:
            return pages[address.kind](sources, View.parse(search, address.study))
        except (StorageError, OSError) as error:
            return unreadable(error)


def _plots(sources: Sources, _view: View) -> Response:
    """Answer with what the report carries within itself too: what draws in the page's theme."""
    known = {"robustnessThemes": themes(), "robustnessPaths": sources.paths.expression()}
    lines = [f"window.{name} = {json.dumps(value)};" for name, value in known.items()]
    return sent("\n".join([*lines, asset("plots.js")]), "text/javascript")


def _plotly(_sources: Sources, _view: View) -> Response:
    # Its address has its version: a browser that has it need not ask.
    return lasting(_packed_plotly(), _plain_plotly, "text/javascript")


@lru_cache(maxsize=1)
def _packed_plotly() -> bytes:
    return packed(get_plotlyjs())


@lru_cache(maxsize=1)
def _plain_plotly() -> bytes:
    return str(get_plotlyjs()).encode()


SCRIPTS = (Route(rule="/plots.js", answer=_plots), Route(rule="/plotly.js", answer=_plotly))
"""Of every page."""


def unreadable(error: Exception) -> list[Any]:
    """Return what stands where results cannot be read."""
    words = f"The results cannot be read: {error}"
    return [html.H1("No answer from the results"), html.P(words, className="note", role="alert")]
