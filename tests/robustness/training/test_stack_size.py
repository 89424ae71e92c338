"""The size of a stack on a GPU, from made-up curves of time and memory; and what is left when memory runs out."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest
import torch

from robustness import Store, Study, training
from robustness.training import stack_size
from robustness.training.stack_size import best_size, pieces, step_cost
from robustness.worker.work import work

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from robustness.study import Run
    from robustness.training.history import History

GB = 1e9


def device(
    latency: float, work: float, memory: float, fixed: float = 0.0, limit: float = 80 * GB
) -> tuple[Callable[[int], tuple[float, float]], list[int]]:
    """A device that starts a step in `latency` seconds and does `work` seconds for each run, whichever is more."""
    tried = []

    def measure(size: int) -> tuple[float, float]:
        tried.append(size)
        if fixed + size * memory > limit:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return max(latency, work * size), fixed + size * memory

    return measure, tried


def test_a_stack_grows_until_the_device_is_busy() -> None:
    measure, tried = device(latency=0.010, work=0.001, memory=0.01 * GB)
    assert best_size(measure, 80 * GB) == 16, "8 in the time of 1, 16 in 16 ms: a quarter more; 32 brings nothing"
    assert tried == [1, 2, 4, 8, 16, 32]


def test_a_stack_of_which_one_keeps_the_device_busy_does_not_pay() -> None:
    assert best_size(device(latency=0.001, work=0.1, memory=GB)[0], 80 * GB) == 1


@pytest.mark.parametrize(("fixed", "size"), [(0, 64), (20 * GB, 32)])
def test_a_stack_stays_below_the_free_memory(fixed: float, size: int) -> None:
    measure, tried = device(latency=1, work=1e-6, memory=GB, fixed=fixed)
    assert best_size(measure, 80 * GB) == size
    assert tried[-1] == size, "what cannot fit is not tried"


def test_memory_that_runs_out_ends_the_search() -> None:
    assert best_size(device(latency=1, work=1e-6, memory=GB, limit=10 * GB)[0], 80 * GB) == 8
    assert best_size(device(latency=1, work=1e-6, memory=90 * GB)[0], 80 * GB) == 1


def test_no_more_are_tried_than_are_of_use() -> None:
    assert best_size(device(latency=1, work=1e-6, memory=1)[0], 80 * GB, most=20) == 16


@pytest.fixture
def study() -> Study:
    return Study(
        name="t",
        workload={"name": "digits", "epochs": 1, "train_size": 64},
        optimizers=["adams", "adam"],
        space={"lr": [1e-3, 1e-2], "weight_decay": [0, 1e-3]},
        seeds=1,
    )


def test_on_a_cpu_nothing_is_measured(study: Study) -> None:
    runs = study.grid()
    assert pieces(runs, "cpu") == [runs]
    seconds, size = step_cost(runs, "cpu")
    assert seconds > 0
    assert size == 0


def test_on_a_gpu_a_stack_is_cut_evenly(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = study.grid()
    monkeypatch.setattr(stack_size, "fitting_size", lambda workload, optimizer: 3)
    assert [len(piece) for piece in pieces(runs, "cuda")] == [2, 3, 3]
    assert [run for piece in pieces(runs, "cuda") for run in piece] == runs


class Weights:
    """What a stack holds on the device; it refers to itself, as a graph of autograd may."""

    def __init__(self) -> None:
        self.graph = self


@pytest.mark.slow
def test_out_of_memory_is_answered_by_halves_after_all_is_freed(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[weakref.ref[Weights]] = []
    tried: list[int] = []
    train = training.train

    def scarce(runs: list[Run], device: str, keeper: Any = None) -> list[History]:
        tried.append(len(runs))
        assert [ref for ref in held if ref() is not None] == [], "what the last try held is still there"
        if len(runs) > 2:
            weights = Weights()
            held.append(weakref.ref(weights))
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return train(runs, device=device, keeper=keeper)

    monkeypatch.setattr(training, "train", scarce)
    store = Store(tmp_path / "t")
    gc.disable()  # what is collected by itself, at some time, would not do
    try:
        report = work(study.grid(), store, sweep_id="s", device="cpu", sampler="grid", retries=0)
    finally:
        gc.enable()
    assert tried[:3] == [8, 4, 2]
    assert [outcome.status for outcome in report.outcomes] == ["completed"] * 8
    assert len(held) == 3
