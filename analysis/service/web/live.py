"""The part of a page that is drawn anew when its address or what is stored has changed, and else left alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dash import Input, Output, State, ctx, dcc, html, no_update

from analysis.service.base.address import View
from analysis.service.web import frame
from robustness.results import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dash import Dash

    from analysis.service.web.sources import Sources

Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class LivePart(Generic[Found]):
    """What a page shows of what is stored.

    Attributes:
        find: Returns what an address names of what is stored; None where that is gone. `Sources.snapshot` for a study.
        stamp: Returns what changes whenever the body may.
        body: Returns the components.
        every_ms: How often it is asked whether the stamp has changed.
    """

    find: Callable[[Sources, View], Found | None]
    stamp: Callable[[Found, View], str]
    body: Callable[[Found, View], list[Any]]
    every_ms: int


def placed(kind: str, part: LivePart[Found], found: Found, view: View) -> list[Any]:
    """Return the part as its page has it; `follow` keeps it.

    Args:
        kind: Of the page.
        part: What it shows.
        found: Of what is stored.
        view: Of the address.
    """
    stamp = part.stamp(found, view)
    return [
        html.Div(part.body(found, view), id=f"{kind}-body"),
        dcc.Store(id=f"{kind}-of", data=stamp),
        dcc.Interval(id=f"{kind}-tick", interval=part.every_ms),
    ]


def follow(app: Dash, sources: Sources, kind: str, part: LivePart[Any]) -> None:
    """Let the part of a page of that kind follow the address and what is stored."""

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
        address = sources.paths.at(path)
        if address is None or address.kind != kind:  # the address of the page that comes next
            return no_update
        view = View.parse(search, address.study)
        try:
            found = part.find(sources, view)
            if found is None:
                return no_update if shown == "gone" else (frame.note("This study is not stored any more."), "gone")
            stamp = part.stamp(found, view)
            return no_update if stamp == shown else (part.body(found, view), stamp)
        except (StorageError, OSError) as error:
            if ctx.triggered_id != "url":
                return no_update  # what is shown was read, and is
            return frame.note(f"The results cannot be read: {error}", "alert"), ""
