"""Any module can be the first to be imported: none needs another to have been there before it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Each module in a fork of its own: of the process that has imported the package around it, as whoever imports the
# module first does, and nothing else of ours. The first process holds all that ours import of others.
IMPORTS = """
import ast, gc, importlib, json, os, pathlib, sys

OURS = ("robustness", "analysis")
files = [file for package in OURS for file in sorted(pathlib.Path(package).rglob("*.py"))]
names = [".".join(file.with_suffix("").parts).removesuffix(".__init__") for file in files]

def imported(file):
    for line in ast.parse(file.read_text()).body:
        if isinstance(line, ast.Import):
            yield from (each.name for each in line.names)
        elif isinstance(line, ast.ImportFrom) and not line.level:
            yield line.module

def first(name):
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    said = ""
    try:
        importlib.import_module(name)
    except BaseException as error:
        said = f"{type(error).__name__}: {error}"
    os.write(1, (json.dumps([name, said[:1000]]) + "\\n").encode())
    if not said:
        below(name)
    os._exit(0)

def below(package):
    for name in names:
        if name.rpartition(".")[0] == package and not name.endswith("__main__"):
            first(name)

for other in sorted({name for file in files for name in imported(file) if name.partition(".")[0] not in OURS}):
    importlib.import_module(other)
ours = [name for name in sys.modules if name.partition(".")[0] in OURS]
assert not ours, ours
gc.freeze()
gc.disable()  # a collection would touch, and so copy, all that a fork shares
below("")
"""


@pytest.mark.slow
def test_every_module_can_be_imported_first() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IMPORTS], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    said = dict(json.loads(line) for line in done.stdout.splitlines())
    assert {name: words for name, words in said.items() if words} == {}
    files = [
        file.relative_to(ROOT) for package in ("robustness", "analysis") for file in (ROOT / package).rglob("*.py")
    ]
    assert len(said) == len([file for file in files if file.stem != "__main__"]) > 200
