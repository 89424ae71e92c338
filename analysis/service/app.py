"""The Dash application: its frame, its addresses, and which page each of them shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dash import Dash, Input, Output, dcc, html

from analysis.page import asset
from analysis.service import guard, listing, report, study
from analysis.service.stored import Studies
from robustness.results import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

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
</head>
<body>
<noscript><p class="note">These pages need JavaScript; they load nothing from elsewhere.</p></noscript>
{%app_entry%}
{%config%}
{%scripts%}
{%renderer%}
</body>
</html>
"""


def make(results: str, port: int) -> Dash:
    """Return the application over a results folder or URI; it answers to loopback names with `port` alone."""
    app = Dash(
        "robustness",
        title="robustness",
        update_title="",
        assets_folder=ASSETS,
        serve_locally=True,
        suppress_callback_exceptions=True,  # the pages bring their own components
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
        index_string=FRAME.replace("CSS", asset("page.css")),
    )
    studies = Studies(results)
    app.layout = html.Div(
        [
            dcc.Location(id="url", refresh=False),
            dcc.Store(id="width"),
            html.Div(html.P("loading", className="caption"), id="page"),
        ]
    )
    shown = {"": _page(lambda _: listing.page(studies)), "study": _page(lambda name: study.page(studies, name))}

    @app.callback(Output("page", "children"), Input("url", "pathname"))
    def _show(path: str | None) -> Any:
        kind, _, name = (path or "/").strip("/").partition("/")
        return shown[kind if kind in shown else ""](name)

    @app.callback(Output("listing", "children"), Input("listing-tick", "n_intervals"), prevent_initial_call=True)
    def _refresh(_ticks: int) -> Any:
        return _page(lambda _: listing.table(studies))("")

    study.add_callbacks(app, studies)
    report.add_route(app.server, studies)
    guard.protect(app, port)
    return app


def _page(body: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return `body`, but with a page that says so where the results cannot be read."""

    def guarded(name: str) -> Any:
        try:
            return body(name)
        except (StorageError, OSError) as error:
            return unreadable(error)

    return guarded


def unreadable(error: Exception) -> Any:
    """Return what stands where results cannot be read."""
    words = f"The results cannot be read: {error}"
    return html.Main([html.H1("No answer from the results"), html.P(words, className="note", role="alert")])
