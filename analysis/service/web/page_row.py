"""A page of the service as the registry has it: one row says all that the rest of the service must know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import request

from analysis.service.base.address import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from dash import Dash
    from flask import Flask
    from flask.typing import ResponseReturnValue

    from analysis.service.web.live import LivePart
    from analysis.service.web.sources import Sources


@dataclass(frozen=True, kw_only=True)
class Route:
    """What a page fetches, or a program.

    Attributes:
        rule: Its path, with fields as Flask writes them; `<study>` is the name of a study.
        answer: Answers a request, given the sources, what the address shows, and the other fields of the rule by name.
        method: Of HTTP.
    """

    rule: str
    answer: Callable[..., ResponseReturnValue]
    method: str = "GET"


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page.

    Attributes:
        kind: What it is called.
        path: Its address, with `<study>` for a study's name.
        tab: The words of the link that leads to it, in the bar or among a study's pages; None for none.
        submits: Whether that link stands only where studies may be submitted.
        page: Returns its components; None where a route of the same path answers it whole.
        live: The part that follows the address and what is stored; None without one.
        routes: What it fetches.
        callbacks: Adds what else it asks Dash for.
    """

    kind: str
    path: str
    tab: str | None = None
    submits: bool = False
    page: Callable[[Sources, View], list[Any]] | None = None
    live: LivePart[Any] | None = None
    routes: tuple[Route, ...] = ()
    callbacks: Callable[[Dash, Sources], None] | None = None


def add_routes(server: Flask, sources: Sources, routes: tuple[Route, ...]) -> None:
    """Let a server answer routes."""

    def add(route: Route) -> None:
        def answered(study: str | None = None, **fields: str) -> ResponseReturnValue:
            query = request.query_string.decode(errors="replace")
            return route.answer(sources, View.parse(query, study), **fields)

        server.add_url_rule(route.rule, f"{route.method} {route.rule}", answered, methods=[route.method])

    for route in routes:
        add(route)
