"""Studies with claims of their own, of two workloads, half done and empty, and a client of their pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analysis.service.app import make
from tests.support import synthetic_store

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

EVIL = "<b>Mine</b> & <script>alert(1)</script> is as deep."

SMALL = synthetic_store.STUDY.replace("points: 12", "points: 6").replace("points: 11", "points: 5")

OWN = f"""\
claims:
  - wider-basin
  - {{id: mine, sentence: "{EVIL}", measure: depth, of: adams, against: adamw, direction: equal, margin: 5}}
"""

TWO = """\
name: two
workload:
  - digits
  - {name: digits, label: digits noisy, label_noise: 0.3}
optimizers: [adam, adams]
space: {lr: [0.001, 0.01], weight_decay: [0, 0.001]}
seeds: 2
"""


@pytest.fixture(scope="module", name="results")
def stored_studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Store them; return the folder of the results."""
    root = tmp_path_factory.mktemp("results")
    runs = synthetic_store.of_study(SMALL)
    synthetic_store.store(root / "demo", runs, SMALL + OWN, parts=1)
    synthetic_store.store(root / "half", runs.iloc[:200], SMALL.replace("name: demo", "name: half"), parts=1)
    synthetic_store.store(root / "none", runs.iloc[:0], SMALL.replace("name: demo", "name: none"))
    synthetic_store.store(root / "two", runs.iloc[:0], TWO)
    return root


@pytest.fixture(scope="module", name="client")
def client_of_studies(results: Path) -> FlaskClient:
    """Return a client of the pages."""
    client: FlaskClient = make(str(results)).server.test_client()
    return client
