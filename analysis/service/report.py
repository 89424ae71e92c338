"""A study's full report, made when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response

from analysis import overview
from analysis.report import html
from robustness.results import StorageError
from robustness.results.storage import shown

if TYPE_CHECKING:
    from flask import Flask

    from analysis.service.stored import Studies


def add_route(server: Flask, studies: Studies) -> None:
    """Add /study/<name>/report."""

    @server.get("/study/<name>/report")
    def report(name: str) -> Response:
        try:
            store = studies.store(name)
            if store is None:
                return _words("no such study", 404)
            _, found = studies.contents(store)
        except (StorageError, OSError) as error:
            return _words(f"the results cannot be read: {error}", 503)
        root = shown(store.root)
        return Response(html(found[0], root) if len(found) == 1 else overview.html(found, root), mimetype="text/html")


def _words(text: str, status: int) -> Response:
    return Response(f"{text}\n", status, mimetype="text/plain")
