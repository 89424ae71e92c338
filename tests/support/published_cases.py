"""A small study, trained and published, for the tests of published results."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING

import pytest

from robustness.cli import main
from robustness.results import load
from robustness.study import Study
from robustness.sweep.in_process import run_here

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

FILE = """\
# What a test asks.
workload: {name: digits, epochs: 2, train_size: 200}
optimizers: [adams, {name: adam, label: "Adam | plain"}]
space: {lr: [0.003, 0.03, 0.3], weight_decay: [0, 1.0e-4, 1.0e-2]}
seeds: 2
claims: [wider-basin]
"""
RUNS_OF_IT = 36


def larger(text: str = FILE) -> Study:
    """The same with a further learning rate: 12 runs more."""
    return Study.parse(text.replace("0.3]", "0.3, 1.0]"), "small.yaml")


@pytest.fixture(name="trained", scope="module")
def small_trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with a small study, trained here."""
    results = tmp_path_factory.mktemp("trained")
    run_here(Study.parse(FILE, "small.yaml"), results, quiet=True)
    return results


@pytest.fixture(name="made", scope="module")
def small_made(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of published studies that `robustness publish` makes of it."""
    folder = tmp_path_factory.mktemp("made") / "published"
    assert main(["publish", "small", "--results", str(trained), "--to", str(folder)]) == 0
    return folder


@pytest.fixture(name="given")
def small_given(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh working directory with a copy of it, as a clone has; the package itself comes without."""
    shutil.copytree(made, tmp_path / "published")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ROBUSTNESS_PUBLISHED")
    monkeypatch.setattr("robustness.published.shipped.PACKAGED", tmp_path / "none")
    return tmp_path / "published" / "small"


@pytest.fixture(name="study")
def small_study() -> Study:
    return Study.parse(FILE, "small.yaml")


def digested(folder: Path) -> None:
    """Make the files of a published study those that were published, whatever became of them."""
    files = {
        path: hashlib.sha256(data).hexdigest() for path, data in content(folder).items() if path != "published.json"
    }
    (folder / "published.json").write_text(json.dumps({"version": 1, "files": files}))


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def without_host(results: str | Path, name: str = "small") -> pd.DataFrame:
    return load(name, results).runs.drop(columns="host")
