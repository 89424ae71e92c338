"""Processes that work on a store until they are killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from robustness.results import Store

WRITER = """
import sys
import tempfile
sys.path.insert(0, sys.argv[2])
from tests.support.stored_rows import curve, row
from robustness.results import Store
store = Store(sys.argv[1])
print("ready", flush=True)
for number in range(int(sys.argv[3]), 10**9):
    runs = [row(10 * number + i) for i in range(10)]
    curves = [e for i in range(10) for e in curve(10 * number + i)]
    store.write(Store.part_name(r["run_id"] for r in runs), runs, curves)
"""


COMPACTOR = """
import sys
from robustness.results import Store, compact
print("ready", flush=True)
while True:
    compact(Store(sys.argv[1]))
"""


def start_writer(store: Store, first: int) -> subprocess.Popen[str]:
    """Start a process that stores parts of ten runs, from the part number `first` on."""
    return _start(WRITER, store.root, str(Path(__file__).parents[2]), str(first))


def start_compactions(store: Store) -> subprocess.Popen[str]:
    """Start a process that compacts the store again and again."""
    return _start(COMPACTOR, store.root)


def _start(code: str, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()
