"""The benchmark of a step of AdamS, at its smallest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import adams_step

if TYPE_CHECKING:
    import pytest


def test_both_optimizers_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert adams_step.main(["--rounds", "2", "--small"]) == 0
    (row,) = capsys.readouterr().out.splitlines()[3:]
    name, tensors, millions, *times = row.strip("| ").split(" | ")
    assert (name, tensors, millions) == ("perceptron", "6", "0.0")
    assert all(float(time) > 0 for time in times)
