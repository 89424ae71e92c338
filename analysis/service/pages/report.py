"""A study's full report, made when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response

from analysis.report.report import report_html
from robustness.results.files.folder import shown

if TYPE_CHECKING:
    from flask import Flask

    from analysis.service.studies.studies import Studies


def add_routes(server: Flask, studies: Studies) -> None:
    """Add /study/<name>/report."""

    @server.get("/study/<name>/report")
    def report(name: str) -> Response:
        snapshot = studies.snapshot(name)
        if snapshot is None:
            return Response("no such study\n", 404, mimetype="text/plain")
        found = snapshot.full()
        root = shown(snapshot.store.root)
        text = report_html(found, root)
        return Response(text, mimetype="text/html")
