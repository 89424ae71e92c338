"""Real data for tests: CIFAR-10 and the Penn Treebank from the archives that lie beside a checkout, if they do."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

ARCHIVES = Path(__file__).resolve().parents[3] / "shared" / "data"


def real_data(part: str) -> Path:
    """Return a folder with `part`, "cifar10" or "text", in the form that the workloads read.

    It is unpacked once a session, in seconds, and removed at its end. A test that asks for it is skipped where the
    archives are absent.
    """
    if not (ARCHIVES / "unpack.py").exists():
        pytest.skip(f"no real data: {ARCHIVES} is not there")
    return _unpacked(part)


@cache
def _unpacked(part: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="robustness-data-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run([sys.executable, ARCHIVES / "unpack.py", folder, part], check=True, capture_output=True)
    return folder
