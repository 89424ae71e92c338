"""What the tests of the page Submit share: studies that somebody typed, and a client of its routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

from analysis.service.pages import submit

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


def client_of(submitting: Submitting | None) -> FlaskClient:
    server = Flask(__name__)
    submit.add_routes(server, submitting)
    return server.test_client()
