"""The service over a study, half of one, one without runs and one of a single run; the study's words are hostile."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support import synthetic_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVIL = "<b>bold</b><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("results")
    runs = synthetic_store.of_study()
    text = synthetic_store.STUDY.replace("Synthetic basins.", EVIL)
    synthetic_store.store(root / "demo", runs, text)
    synthetic_store.store(root / "half", runs.iloc[:600], text.replace("name: demo", "name: half"))
    synthetic_store.store(root / "none", runs.iloc[:0], text.replace("name: demo", "name: none"))
    one = runs.iloc[[200]]
    synthetic_store.store(root / "single", one, text.replace("name: demo", "name: single"))
    return root


@pytest.fixture(scope="module")
def address(results: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "robustness.cli", "serve", "--results", str(results), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout
        try:
            yield service.stdout.readline().rpartition(" ")[2].strip()
            assert service.poll() is None, "the service has died"
        finally:
            service.terminate()
