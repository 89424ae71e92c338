"""A study's full report, made when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response

from analysis import overview
from analysis.report import html
from robustness.results.storage import shown

if TYPE_CHECKING:
    from flask import Flask

    from analysis.service.stored import Studies


def add_routes(server: Flask, studies: Studies) -> None:
    """Add /study/<name>/report."""

    @server.get("/study/<name>/report")
    def report(name: str) -> Response:
        snapshot = studies.snapshot(name)
        if snapshot is None:
            return Response("no such study\n", 404, mimetype="text/plain")
        found = snapshot.full()
        root = shown(snapshot.store.root)
        text = html(found[0], root) if len(found) == 1 else overview.html(found, root)
        snapshot.forget()
        return Response(text, mimetype="text/html")
