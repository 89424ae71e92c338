"""What every workload of the registry keeps: it is read without torch, trains, and goes on from a checkpoint alike."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import robustness.workloads
from robustness.study import Run
from robustness.training import train
from robustness.training.checkpoint import from_bytes, to_bytes
from robustness.workloads import WORKLOADS, Workload
from tests.support.named import optimizer
from tests.support.workload_files import put

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from robustness.training.rows import State


class KilledError(Exception):
    """What ends a training in its middle."""


class Memory:
    """Keeps the last checkpoint as bytes; `kill` is the epoch after which it ends the training."""

    def __init__(self) -> None:
        self.kill, self.saved, self.loaded = 1, b"", 0

    def load(self, runs: Sequence[Run]) -> State | None:
        state = from_bytes(self.saved) if self.saved else None
        self.loaded = state["epoch"] if state else 0
        return state

    def ended(self, epoch: int, epochs: int, state: Callable[[], State]) -> None:
        if epoch == self.kill:
            self.saved = to_bytes(state())
            raise KilledError


@pytest.fixture(params=WORKLOADS)
def workload(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workload:
    """Each workload, as small as it gets, on small data in its form."""
    kind = WORKLOADS[request.param]
    return kind.model_validate(put(request.param, tmp_path, monkeypatch)).smoke()


def test_each_row_is_exported_and_has_the_name_that_it_says() -> None:
    rows = {row.__name__ for row in WORKLOADS.values()}
    assert set(vars(robustness.workloads)["__all__"]) == {"WORKLOADS", "Workload", "Data", "DataError"} | rows
    for name, row in WORKLOADS.items():
        assert getattr(robustness.workloads, row.__name__) is row
        assert row().name == name
        assert issubclass(row, Workload)
        assert row.__doc__


def test_all_are_read_without_torch() -> None:
    code = (
        "import sys\n"
        "for name in ('torch', 'torchvision', 'sklearn', 'ray'): sys.modules[name] = None\n"
        "from robustness.workloads import WORKLOADS\n"
        "print(*[each().smoke().title for each in WORKLOADS.values()], sep=', ')"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert len(done.stdout.split(", ")) == len(WORKLOADS)


@pytest.mark.slow
def test_it_trains_and_goes_on_from_a_checkpoint_to_equal_rows(workload: Workload) -> None:
    rates = (1e-3, 1e-2) if workload.engine == "stack" else (1e-3,)
    runs = [Run(workload, optimizer("adamw"), lr, 1e-3, 1) for lr in rates]
    workload.fetch()
    whole = train(runs, device="cpu")
    memory: Any = Memory()
    with pytest.raises(KilledError):
        train(runs, device="cpu", keeper=memory)
    memory.kill = 0
    again = train(runs, device="cpu", keeper=memory)
    assert memory.loaded == 1
    assert [row for history in whole for row in history.rows({})] == [
        row for history in again for row in history.rows({})
    ]
    for one, other in zip(whole, again, strict=True):
        assert list(one.epochs) == [workload.epochs] * len(one.runs) == list(other.epochs)
        for name, values in one.values.items():
            np.testing.assert_array_equal(values, other.values[name], err_msg=name)
        for name in ("train_loss", "test_loss", "grad_norm", "weight_norm"):
            assert np.isfinite(one.values[name]).all(), name
        assert np.isfinite(one.values["validation_loss"]).all() == workload.has_validation
