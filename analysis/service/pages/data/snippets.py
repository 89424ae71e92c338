"""What takes a table away: its files, and the lines that read the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from dash import html

from analysis.service.base.attributes import aria, dataset
from analysis.service.pages.data.query import duckdb_lines, pandas_lines

if TYPE_CHECKING:
    from analysis.service.pages.data.query import Query


def files_and_lines(query: Query, path: str, root: str) -> list[Any]:
    """Return the links to the files of a query and the lines that read it.

    Args:
        query: What is shown.
        path: Of the page.
        root: The folder or URI of the study's results.
    """
    return [_files(query, path), _lines(query, root)]


def _files(query: Query, path: str) -> Any:
    keys = [("where", str(one)) for one in query.filters]
    keys += [("sort", f"{'-' if query.descending else ''}{query.sort}")] if query.sort else []
    asked = f"?{urlencode(keys)}" if keys else ""
    named = {"runs.parquet": "Runs, Parquet", "runs.csv": "Runs, CSV", "curves.parquet": "Their curves, Parquet"}
    links = [
        html.A(words, href=f"{path}/{file}{asked}", className="button", download="") for file, words in named.items()
    ]
    return html.Div([html.H3("Download these runs"), html.P(links, className="buttons")])


def _lines(query: Query, root: str) -> Any:
    parts = [("pandas", pandas_lines(query, root)), ("DuckDB", duckdb_lines(query, root))]
    blocks = []
    for name, text in parts:
        copy = html.Button("Copy", type="button", **dataset(copy=text), **aria(label=f"Copy the {name} lines"))
        blocks += [html.H3(f"The same in {name}"), html.Pre(html.Code(text), tabIndex=0), copy]
    return html.Div(blocks, className="lines")
