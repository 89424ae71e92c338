"""What a run is said to have taken: its share of the try that came to an end, and of nothing before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from robustness import training
from robustness.results import Store
from robustness.worker import attempts
from robustness.worker.work import work
from tests.support.studies import make

if TYPE_CHECKING:
    from pathlib import Path

    from robustness.study import Run

FAILED_S, TRAINED_S = 1000.0, 10.0


class Clock:
    """Time that passes when told to."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "sizes"),
    [
        ("stack", [1, 2, 4]),  # of eight runs with a bad one: 4, then 2, then 1 in the halves without it
        ("single", [1]),
    ],
)
def test_failed_tries_cost_no_run_its_time(
    engine: str, sizes: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, train = Clock(), training.train
    study = make(workload={"name": "digits", "epochs": 1, "train_size": 64, "engine": engine}, seeds=1)
    bad = study.grid()[-1]
    failed_once = set[str]()

    def fragile(runs: list[Run], **options: object) -> object:
        histories = train(runs, **options)  # type: ignore[arg-type]
        first = runs[0].run_id
        if bad in runs or (engine == "single" and first not in failed_once):
            failed_once.add(first)
            clock.now += FAILED_S
            raise MemoryError("no room")
        clock.now += TRAINED_S
        return histories

    monkeypatch.setattr(attempts, "time", clock)
    monkeypatch.setattr(training, "train", fragile)
    work(study.grid(), Store(tmp_path), sweep_id="me", device="cpu", sampler="grid", retries=1)
    stored = Store(tmp_path).runs().set_index("run_id")
    done = stored[stored["status"] != "failed"]
    assert set(stored.index) - set(done.index) == {bad.run_id}
    assert len(done) == 7
    assert (done["duration_s"] == TRAINED_S / done["stack_size"]).all()
    assert sorted(set(done["stack_size"])) == sizes
