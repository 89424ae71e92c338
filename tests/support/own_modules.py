"""A module as users write them, and a study of it, for the tests of import strings."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from robustness.study import Study

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MINE = """
from abc import abstractmethod
from typing import Literal
import torch
from robustness.workloads import Data, Workload

class Points(Workload):
    classes = 3
    shift: float = 1.0

    def data(self, seed):
        draws = torch.Generator().manual_seed(seed)
        x, y = torch.randn(120, 4, generator=draws), torch.arange(120) % 3
        x[:, 0] += self.shift * y
        return Data(x[:60], y[:60], x[60:90], y[60:90], x[90:], y[90:])

    def model(self):
        return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))

class Versioned(Points):
    version = 2

class Listed(Points):
    widths: list[int] = [8]

class NoModel(Workload):
    classes = 2
    data = Points.data

class NoData(Workload):
    classes = 2
    model = Points.model

class NoClasses(Workload):
    data, model = Points.data, Points.model

class Abstract(Points):
    @abstractmethod
    def table(self): ...

class Called(Points):
    name: Literal["points"] = "points"

class Other: ...
LIMIT = 3
"""

FILE = """\
workload: {name: "mine:Points", epochs: 3, batch_size: 16}
optimizers: [adamw]
space: {lr: [0.01], weight_decay: [0, 1.0e-4]}
seeds: 2
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the module `mine`, the current folder being another one; what is imported is forgotten."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    folder = tmp_path / "study"
    folder.mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (folder / "mine.py").write_text(MINE)
    known = set(sys.modules)
    yield folder
    # All before any is forgotten: a namespace's path asks for its parent.
    for name in [name for name in set(sys.modules) - known if _lies_in(tmp_path, name)]:
        del sys.modules[name]


def _lies_in(folder: Path, name: str) -> bool:
    content = getattr(sys.modules[name], "__dict__", {})
    return any(str(place).startswith(str(folder)) for place in (content.get("__file__"), *content.get("__path__", ())))


def read(folder: Path, text: str = FILE) -> Study:
    (folder / "points.yaml").write_text(text)
    return Study.load(folder / "points.yaml")
