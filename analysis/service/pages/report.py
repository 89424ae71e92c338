"""A study's full report, made when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response

from analysis.contents.gather import fully_against
from analysis.report.report import report_html
from analysis.service.web.page_row import Route
from analysis.service.web.responses import document

if TYPE_CHECKING:
    from analysis.service.base.address import View
    from analysis.service.web.sources import Sources


def report(sources: Sources, view: View) -> Response:
    """Answer with a study's report."""
    snapshot = sources.snapshot(view)
    if snapshot is None:
        return Response("no such study\n", 404, mimetype="text/plain")
    found = [fully_against(one, view.get("reference")) for one in snapshot.full()]
    root = str(snapshot.store.root)
    text = report_html(found, root)
    return document(text)


ROUTES = (Route(rule="/study/<study>/report", answer=report),)
