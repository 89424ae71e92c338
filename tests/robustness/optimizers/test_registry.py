"""A row is all that an optimizer needs: names, exports, schema and README's table are made of the rows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

import robustness.optimizers as face
from robustness.optimizers import OPTIMIZERS
from robustness.optimizers.registry import ROWS, table
from robustness.study.schema import study_schema

EXPORTED = cast("list[str]", face.__all__)
ROOT = Path(__file__).resolve().parents[3]


def test_every_row_has_its_name_and_is_exported() -> None:
    assert [row.options().name for row in ROWS] == list(OPTIMIZERS)  # type: ignore[call-arg]
    for row in ROWS:
        assert getattr(face, row.options.__name__) is row.options
        assert row.options.__name__ in EXPORTED
    assert len(EXPORTED) == len(set(EXPORTED)) == len(ROWS) + 5


def test_the_schema_names_the_rows() -> None:
    names = study_schema()["$defs"]["OptimizerEntry"]["anyOf"][0]["enum"]
    assert set(names) >= {row.options().name for row in ROWS}  # type: ignore[call-arg]


def test_readmes_table_is_that_of_the_rows() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    start = lines.index("| optimizer | update | convention |") + 2
    rows = [f"| {' | '.join(cells)} |" for cells in table()]
    assert lines[start : start + len(rows) + 1] == [*rows, ""]


@pytest.mark.slow
def test_a_study_loads_neither_torch_nor_a_plug_in() -> None:
    program = """
import importlib.metadata, json, sys
def refuse(self):
    raise AssertionError(f"{self.value} was loaded")
importlib.metadata.EntryPoint.load = refuse
from robustness.optimizers import OPTIMIZERS
from robustness.study import Study
space = {"lr": [1e-3], "weight_decay": [0]}
study = Study(name="s", workload="digits", optimizers=list(OPTIMIZERS.own), space=space)
print(json.dumps([entry.label for entry in study.optimizers]), "torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{json.dumps(list(OPTIMIZERS.own))} False"
