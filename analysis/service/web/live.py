"""The part of a page that is drawn anew when its address or what is stored has changed, and else left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import Input, Output, State, ctx, dcc, html, no_update

from analysis.service.base.address import View, place_of
from analysis.service.web import frame
from robustness.results import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dash import Dash

    from analysis.service.studies.snapshot import Snapshot
    from analysis.service.studies.studies import Studies


def body(kind: str, stamp: str, parts: Any, every_ms: int) -> list[Any]:
    """Return the part that `follow` keeps.

    Args:
        kind: Of the page, as `place_of` calls it.
        stamp: Of what is shown.
        parts: What is shown.
        every_ms: How often it is asked whether that has changed.
    """
    return [
        html.Div(parts, id=f"{kind}-body"),
        dcc.Store(id=f"{kind}-of", data=stamp),
        dcc.Interval(id=f"{kind}-tick", interval=every_ms),
    ]


def follow(app: Dash, kind: str, now: Callable[[str, View], tuple[str, Callable[[], Any]]]) -> None:
    """Let a page's body follow the address and what is stored.

    Args:
        app: The application.
        kind: Of the page, as `place_of` calls it.
        now: Returns what a study, "" on a page of none, and a query show: its stamp, and what makes it.
    """

    @app.callback(
        Output(f"{kind}-body", "children"),
        Output(f"{kind}-of", "data"),
        Input("url", "search"),
        Input(f"{kind}-tick", "n_intervals"),
        State("url", "pathname"),
        State(f"{kind}-of", "data"),
        prevent_initial_call=True,
    )
    def _follow(search: str | None, _ticks: int | None, path: str | None, shown: str | None) -> Any:
        here, name = place_of(path)
        if here != kind:  # the address of the page that comes next
            return no_update
        try:
            stamp, make = now(name, View.parse(search))
            return no_update if stamp == shown else (make(), stamp)
        except (StorageError, OSError) as error:
            if ctx.triggered_id != "url":
                return no_update  # what is shown was read, and is
            return frame.note(f"The results cannot be read: {error}", "alert"), ""


def follow_study(
    app: Dash,
    kind: str,
    studies: Studies,
    stamp: Callable[[Snapshot, View], str],
    make: Callable[[Snapshot, View], Any],
) -> None:
    """Let the body of a study's page follow the address and what is stored of the study; see `follow`."""

    def now(name: str, view: View) -> tuple[str, Callable[[], Any]]:
        snapshot = studies.snapshot(name)
        if snapshot is None:
            return "gone", lambda: frame.note("This study is not stored any more.")
        return stamp(snapshot, view), lambda: make(snapshot, view)

    follow(app, kind, now)
