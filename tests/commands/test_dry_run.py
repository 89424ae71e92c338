"""A dry run from the command line: said once, before anything is stored; left out where it passed before."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from robustness.cli import main
from robustness.dry_run.passed import key_of
from robustness.study import Study

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow  # each starts a process that loads torch

NETWORK = """
import os, signal
import torch
from torch.nn import functional
from robustness.workloads import Data, Workload

class Sound(Workload):
    classes = 2

    def data(self, seed):
        x = torch.randn(96, 4, generator=torch.Generator().manual_seed(seed))
        y = (x[:, 0] > 0).long()
        return Data(x[:64], y[:64], x[64:80], y[64:80], x[80:], y[80:])

    def model(self):
        return torch.nn.Linear(4, 2)

class Mean(Sound):
    def losses(self, outputs, targets):
        return functional.cross_entropy(outputs, targets)

class Killed(Sound):
    def model(self):
        os.kill(os.getpid(), signal.SIGKILL)
"""
STUDY = """
workload: {{name: "tried_network:{kind}", epochs: 2, engine: single}}
optimizers: [adamw]
space: {{lr: [0.01], weight_decay: [0]}}
seeds: 1
"""


@pytest.fixture(name="here", autouse=True)
def module_and_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Write the module, and let nothing that passed before be known."""
    (tmp_path / "tried_network.py").write_text(NETWORK)
    for kind in ("Sound", "Mean", "Killed"):
        (tmp_path / f"{kind.lower()}.yaml").write_text(STUDY.format(kind=kind))
    monkeypatch.setenv("ROBUSTNESS_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(sys, "path", sys.path.copy())
    yield tmp_path
    sys.modules.pop("tried_network", None)


def run(here: Path, study: str, *more: str) -> int:
    return main(["run", str(here / study), "--results", str(here / "results"), "--smoke", "--no-report", *more])


def provenance(here: Path, study: str) -> dict[str, str]:
    (file,) = (here / "results" / study / "provenance").glob("*.json")
    found: dict[str, str] = json.loads(file.read_text())
    return found


def test_what_passes_is_tried_once_and_trained(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(here / "sound.yaml"), "--results", str(here / "results")]) == 0
    assert "not tried on this machine" in capsys.readouterr().out
    assert main(["validate", "--try", str(here / "sound.yaml")]) == 0
    said = capsys.readouterr()
    assert "trying tried_network:Sound on a small batch" in said.err
    assert "tried_network:Sound: trained as by a plain loop" in said.out
    assert main(["validate", "--try", str(here / "sound.yaml")]) == 0
    assert "trying" not in capsys.readouterr().err, "the same pieces have passed"
    assert main(["plan", str(here / "sound.yaml"), "--results", str(here / "results")]) == 0
    assert "own network and optimizers: trained as by a plain loop" in capsys.readouterr().out
    with (here / "tried_network.py").open("a") as module:
        module.write("# another digest\n")
    assert main(["validate", "--try", str(here / "sound.yaml")]) == 0
    assert "trying" in capsys.readouterr().err
    key = key_of(Study.load(here / "sound.yaml"))
    with contextlib.chdir(here):
        assert key_of(Study.load("sound.yaml")) != key, "what is read by a relative path is another file there"
    assert run(here, "sound.yaml") == 0
    assert provenance(here, "sound-smoke")["dry_run"] == "passed"
    assert len(pd.read_parquet(here / "results/sound-smoke/runs")) == 1


def test_what_does_not_is_refused_and_nothing_is_stored(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):  # what is refused is tried again
        assert run(here, "mean.yaml") == 2
        said = capsys.readouterr().err
        assert "tried_network:Mean: losses() gave the shape ()" in said
        assert 'reduction="none"' in said
        assert "Traceback" not in said
    assert not (here / "results").exists()
    assert main(["validate", "--try", str(here / "mean.yaml")]) == 2


def test_it_can_be_left_out_and_then_each_run_fails_by_name(here: Path) -> None:
    assert run(here, "mean.yaml", "--no-try") == 1
    assert provenance(here, "mean-smoke")["dry_run"] == "left out"
    (reason,) = pd.read_parquet(here / "results/mean-smoke/runs")["reason"]
    assert "tried_network:Mean: losses() gave the shape (), the targets have (64,)" in reason


def test_a_process_that_dies_is_no_result(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(here, "killed.yaml") == 2
    assert "was ended by SIGKILL, as a worker would be; --no-try leaves it out" in capsys.readouterr().err
