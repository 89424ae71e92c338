"""What the tests of the page Submit share: studies that somebody typed, and a client of its routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

from analysis.service.base.paths import Paths
from analysis.service.cluster.ray_jobs import RayJobs
from analysis.service.pages import submit
from analysis.service.studies.studies import Studies
from analysis.service.visitors.visit_log import VisitLog
from analysis.service.web.page_row import add_routes
from analysis.service.web.sources import Sources

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from analysis.service.cluster.submitting import Submitting

STUDY = """\
name: tiny
workload: {name: digits, epochs: 1}
optimizers: [adamw, adam]
space: {lr: [1.0e-3, 1.0e-2], weight_decay: [0]}
seeds: 2
"""
WRONG = "name: tiny\nworkload: digts\noptimizers: [adamw]\nspace: {lr: [1], weight_decay: [0]}\nseedz: 2\n"


def sources_of(submitting: Submitting | None) -> Sources:
    return Sources(
        studies=Studies("results"), jobs=RayJobs(None), submitting=submitting, paths=Paths([]), log=VisitLog()
    )


def client_of(submitting: Submitting | None) -> FlaskClient:
    server = Flask(__name__)
    add_routes(server, sources_of(submitting), submit.ROUTES)
    return server.test_client()
