"""What every page has: its bar, a study's head and tabs, controls whose state is the address, places of figures."""

from __future__ import annotations

import html as text
import re
from typing import TYPE_CHECKING, Any

from dash import html

from analysis.service.base.attributes import aria, dataset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.service.base.paths import Paths


def link(words: Any, pathname: str, query: str = "", **more: Any) -> Any:
    """Return a link to another page, or to this one with another query."""
    return html.A(words, href=f"{pathname}{'' if query == '?' else query}", **more)


def tabs(paths: Paths, name: str, kind: str, keep: str = "") -> Any:
    """Return the links between the pages of a study.

    Args:
        paths: Of all pages.
        name: The study's.
        kind: Of this page.
        keep: The query that goes along.
    """
    items = [
        html.Li(link(page.tab, page.of(name), keep, **(aria(current="page") if page.kind == kind else {})))
        for page in paths.tabs()
    ]
    return html.Nav(html.Ul(items), className="tabs", **aria(label=f"Pages of {name}"))


def select(key: str, label: str, options: Sequence[tuple[str, str]], *, default: str | None = None) -> Any:
    """Return a labelled choice that shows what the address says, and writes there `key=value`, but not the default.

    Args:
        key: Of the query.
        label: What stands before it.
        options: (value, words).
        default: The value of an address that does not name one; the first option unless given.
    """
    items = [html.Option(words, value=each) for each, words in options]
    data = dataset(key=key, default=options[0][0] if default is None else default)
    return html.Label([html.Span(label), html.Select(items, **data)], className="control")


def field(key: str, label: str, kind: str = "text") -> Any:
    """Return a labelled input that shows what the address says; what is typed comes there after a moment."""
    place = html.Div(className="input", **dataset(key=key, type=kind))
    return html.Label([html.Span(label), place], className="control")


def figure(src: str, name: str, *, keys: Sequence[str] = (), live: bool = False, **more: Any) -> Any:
    """Return the place of a figure.

    Args:
        src: The address that gives it, see `figures`; may have a query.
        name: Of the file that saving it makes, and of the place: `figure-<name>` is its id.
        keys: Keys of the page's address that go along.
        live: Ask again while the page is open.
        more: Further attributes.
    """
    data = dataset(src=src, name=name, keys=" ".join(keys), **({"live": "1"} if live else {}))
    parts = [
        html.P("loading", className="problem caption", role="status"),
        html.Div(className="plot"),
        html.Figcaption(),
    ]
    return html.Figure(parts, id=f"figure-{name}", className="figure", **data, **more)


def note(words: Any, role: str = "status") -> Any:
    """Return a sentence that should not be missed."""
    return html.P(words, className="note", role=role)


def rich(markup: str) -> list[Any]:
    """Return words with <strong> as components; any other markup stays text."""
    parts = re.split(r"(<strong>.*?</strong>)", markup)
    return [
        html.Strong(text.unescape(part[8:-9])) if part.startswith("<strong>") else text.unescape(part)
        for part in parts
        if part
    ]


def head(paths: Paths, name: str, kind: str, *, about: str = "", keep: str = "") -> list[Any]:
    """Return the head of a study's page: its name, what it says of itself, the links to its other pages.

    Args:
        paths: Of all pages.
        name: The study's.
        kind: Of this page.
        about: What the study says of itself.
        keep: The query that goes along to the other pages.
    """
    parts: list[Any] = [html.H1(name)]
    if about:
        parts.append(html.P(about, className="description"))
    return [html.Div([*parts, tabs(paths, name, kind, keep)], className="head")]


def no_study(place: str) -> list[Any]:
    """Return the page of a study that is not there."""
    where = html.P(["It is not in ", html.Code(place), ". "])
    return [html.H1("No such study"), where, html.P(html.A("All studies", href="/"))]
