"""Any module can be the first to be imported: none needs another to have been there before it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Each module in a fork of its own of a process that holds the packages of others, whose import takes seconds.
IMPORTS = """
import importlib, json, os, pathlib, sys
import dash, numpy, optuna, pandas, plotly.graph_objects, pyarrow, pydantic, ray.tune, rich, ruamel.yaml, scipy.stats
import torch, waitress

def first(name):
    read, write = os.pipe()
    child = os.fork()
    if not child:
        said = ""
        try:
            importlib.import_module(name)
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(write, said[:1000].encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        said = stream.read()
    os.waitpid(child, 0)
    return said

ours = [name for name in sys.modules if name.partition(".")[0] in ("robustness", "analysis")]
assert not ours, ours
files = [file for package in ("robustness", "analysis") for file in sorted(pathlib.Path(package).rglob("*.py"))]
names = [".".join(file.with_suffix("").parts).removesuffix(".__init__") for file in files]
print(json.dumps({name: first(name) for name in names if not name.endswith("__main__")}))
"""


@pytest.mark.slow
def test_every_module_can_be_imported_first() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IMPORTS], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert len(said) > 200
    assert {name: words for name, words in said.items() if words} == {}
