"""What becomes of runs whose workload names an engine that nobody knows: they are not lost on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from robustness.results import Store
from robustness.study import Run
from robustness.sweep.stacks import cut
from robustness.worker.work import work
from robustness.workloads import Digits
from tests.support.studies import ADAMS, make

if TYPE_CHECKING:
    from pathlib import Path


class Tiled(Digits):
    """A workload of one's own with an engine of one's own."""

    engine: Literal["tiled"] = "tiled"  # type: ignore[assignment]


def test_every_run_goes_to_a_worker_whatever_its_engine() -> None:
    own = [Run(Tiled(epochs=1), ADAMS, lr, 0.0, 0) for lr in (1e-3, 1e-2)]
    known = make().grid()
    stacks = cut([*own, *known], slots=2)
    assert sorted(run.run_id for stack in stacks for run in stack) == sorted(run.run_id for run in (*own, *known))


def test_a_run_of_an_unknown_engine_fails_and_says_why(tmp_path: Path) -> None:
    store = Store(tmp_path)
    runs = [Run(Tiled(epochs=1, train_size=64), ADAMS, lr, 0.0, 0) for lr in (1e-3, 1e-2)]
    work(runs, store, sweep_id="me", device="cpu", sampler="grid", retries=0)
    stored = store.runs()
    assert list(stored["status"]) == ["failed"] * 2
    assert all("there is no engine 'tiled': it is `stack` or `single`" in reason for reason in stored["reason"])
