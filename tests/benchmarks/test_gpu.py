"""The GPU's benchmark, rehearsed on the CPU at its smallest."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks import gpu


@pytest.mark.slow
def test_every_way_is_measured_on_a_cpu(capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--images", "64", "--seconds", "0", "--processes", "--stacks", "2", "--no-compile"]
    assert gpu.main(["--cpu", "--small", "--made-up", *small]) == 0
    lines = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[3:]]
    assert [line[0].strip("| ") for line in lines] == ["resnet18"] * 4 + ["fast"] * 5 + ["convnet"] * 5
    assert all(float(line[2]) > 0 and float(line[3]) > 0 for line in lines)


@pytest.mark.slow
def test_it_needs_neither_ray_nor_optuna_nor_plotly() -> None:
    check = "import sys, benchmarks.gpu; print([m for m in ('ray', 'optuna', 'plotly', 'dash') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
