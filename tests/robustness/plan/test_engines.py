"""Which engine pays: every sentence from made-up seconds, a GPU's processes from made-up numbers, digits for real."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from robustness import Store, Study
from robustness.cli import main
from robustness.plan import StoredPace, gpu_sharing, plan
from robustness.plan import engines as measuring
from robustness.plan.calibration import CalibrationError, middle_runs
from robustness.plan.engines import engines, unstackable
from robustness.plan.gpu_sharing import processes
from robustness.plan.plan_text import Engines, engine_lines
from robustness.study.run import identity
from robustness.workloads import Digits, Treebank
from tests.support import stored_rows, studies
from tests.support.noted import noted

if TYPE_CHECKING:
    from pathlib import Path

    from robustness.study import Run
    from robustness.workloads.base import Engine

TINY = {"name": "digits", "epochs": 4, "train_size": 100}
OWN = {"name": "torch.optim:NAdam", "label": "NAdam", "convention": "l2"}
H100 = "NVIDIA H100"
GB = 1e9


def given(stack: float | None = None, single: float | None = None, engine: Engine = "stack", **others: Any) -> Engines:
    return Engines("cifar10 convnet", engine, stack, 16, single, **others)


def asked(study: Study, root: Path, paces: dict[str, StoredPace] | None = None) -> tuple[list[str], list[str]]:
    store = Store(root / study.name)
    said: list[str] = []
    made = plan(study, store)
    return engines(study, made, store.runs(), paces or {}, said.append), said


@pytest.mark.parametrize(
    ("stack", "single", "engine", "verdict"),
    [
        (0.9, 2.7, "single", "the stack is 3.0 times as fast: `engine: stack`"),
        (0.9, 2.7, "stack", "the stack is 3.0 times as fast: `engine: stack`, which the study has"),
        (0.1, 15.4, "single", "the stack is 154 times as fast: `engine: stack`"),
        (1.2, 1.0, "single", "one by one is 1.2 times as fast: `engine: single`, which the study has"),
        (1.2, 1.0, "stack", "one by one is 1.2 times as fast: `engine: single`"),
        (1.0, 1.09, "stack", "no difference"),
        (1.09, 1.0, "stack", "no difference"),
    ],
)
def test_the_faster_engine_pays(stack: float, single: float, engine: Engine, verdict: str) -> None:
    times = f"a stack of 16 takes {stack:.3g} s a run, one by one {single:.3g} s"
    assert engine_lines(given(stack, single, engine)) == [f"cifar10 convnet: {times}: {verdict}"]


def test_what_cannot_be_says_why() -> None:
    assert engine_lines(given(why="an LSTM that keeps its state", engine="single")) == [
        "cifar10 convnet cannot be stacked: an LSTM that keeps its state"
    ]
    assert engine_lines(given(single=1.0, why="RuntimeError: vmap", engine="single")) == [
        "cifar10 convnet cannot be stacked: RuntimeError: vmap"
    ]
    assert engine_lines(given(stack=1.0, why="MemoryError")) == [
        "cifar10 convnet cannot be trained one by one: MemoryError"
    ]


@pytest.mark.parametrize("stack", [None, 3.0])
def test_what_goes_one_by_one_shares_a_gpu(stack: float | None) -> None:
    found = given(stack, 1.0, "single", gpu=H100, processes=4)
    line = f"cifar10 convnet: 4 processes share the {H100}: `resources: {{gpus: 0.25}}`"
    assert engine_lines(found)[1:] == [line]
    assert engine_lines(replace(found, gpus=0.25))[1:] == [f"{line}, which the study has"]
    assert engine_lines(replace(found, processes=1))[1:] == [
        f"cifar10 convnet: one process is enough for the {H100}: `resources: {{gpus: 1}}`, which the study has"
    ]


@pytest.mark.parametrize("count", range(1, 9))
def test_as_many_processes_fit_a_gpu_as_were_found(count: int) -> None:
    line = engine_lines(given(None, 1.0, "single", gpu=H100, processes=count))[1]
    assert int(1 / float(re.findall(r"gpus: ([\d.]+)", line)[0]) + 1e-9) == count


def test_processes_that_might_beat_the_stack_are_worth_a_try() -> None:
    found = given(0.9, 2.4, gpu=H100, processes=4)
    assert engine_lines(found)[1:] == [
        f"cifar10 convnet: 4 processes that share the {H100} may take 0.6 s a run: "
        "try `engine: single` with `resources: {gpus: 0.25}`"
    ]
    assert engine_lines(replace(found, processes=2))[1:] == [], "1.2 s a run is no better than 0.9"
    assert len(engine_lines(given(1.0, 1.0, "single", gpu=H100, processes=2))) == 2
    assert len(engine_lines(given(1.0, 1.0, "stack", gpu=H100, processes=1))) == 1


@pytest.mark.parametrize(
    ("memory", "device_s", "wall_s", "count"),
    [
        (1 * GB, 0.002, 0.009, 4),
        (1 * GB, 0.009, 0.009, 1),
        (1 * GB, 0.010, 0.009, 1),
        (1 * GB, 0.001, 0.090, 8),
        (1 * GB, 0.0, 0.009, 8),
        (20 * GB, 0.001, 0.090, 3),
        (79 * GB, 0.001, 0.090, 1),
    ],
)
def test_processes_keep_the_device_busy_and_fit_its_memory(
    memory: float, device_s: float, wall_s: float, count: int
) -> None:
    assert processes(memory, 80 * GB, device_s, wall_s) == count


class Event:
    """Each step takes the device 2 ms."""

    def __init__(self, *, enable_timing: bool) -> None:
        assert enable_timing

    def record(self) -> None:
        self.recorded = True

    def synchronize(self) -> None:
        assert self.recorded

    def elapsed_time(self, end: Event) -> float:
        assert self.recorded
        assert end.recorded
        return 2.0


def test_the_device_is_timed_by_events_behind_a_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[int] = []
    given_to: list[tuple[float, ...]] = []
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "_sleep", slept.append)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 3 * GB)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (70 * GB, 80 * GB))
    monkeypatch.setattr(gpu_sharing, "processes", lambda *numbers: noted(given_to, numbers, 7))
    study = studies.make(workload=TINY | {"engine": "single", "train_size": 500})
    assert gpu_sharing.sharing(middle_runs(study, 1)[0], "cpu") == 7
    ((memory, total, device_s, wall_s),) = given_to
    assert (memory, total, device_s) == (3 * GB, 80 * GB, 0.002)
    assert wall_s > 0
    assert slept == [int(2 * wall_s * gpu_sharing.CYCLES)] * gpu_sharing.STEPS


@pytest.mark.slow
def test_digits_are_measured_by_both_engines(tmp_path: Path) -> None:
    (line,), said = asked(studies.make(workload=TINY, seeds=1, resources={"stack_size": 3}), tmp_path)
    assert re.match(r"digits: a stack of 3 takes [\d.]+ s a run, one by one [\d.]+ s: (the|one|no) ", line), line
    assert said == [
        "calibrating digits: a stack of 2",
        "calibrating digits: a stack of 3",
        "calibrating digits: 2 runs, one by one",
    ]
    assert not list(tmp_path.iterdir()), "nothing is stored"


def fake(monkeypatch: pytest.MonkeyPatch, stack: Any, single: Any) -> None:
    """Let an epoch take a run so many seconds by each engine; an exception is raised instead."""

    def measured(study: Study, target: Any, device: str, say: Any, budget: float) -> StoredPace:
        seconds = stack if study.workload.engine == "stack" else single
        if isinstance(seconds, Exception):
            raise seconds
        return StoredPace(device, seconds, target, calibrated=True)

    monkeypatch.setattr(measuring, "measured_pace", measured)


@pytest.mark.slow
def test_seconds_a_run_are_those_of_all_its_epochs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, 0.5, 2.0)
    study = studies.make(workload=TINY, resources={"stack_size": 4})
    lines, _ = asked(study, tmp_path, {"digits": StoredPace("cpu", 0.25, 7, calibrated=True)})
    assert lines[0].startswith("digits: a stack of 7 takes 1 s a run, one by one 8 s: the stack is 8.0 times"), (
        "as known"
    )
    lines, _ = asked(study, tmp_path)
    assert lines[0].startswith("digits: a stack of 4 takes 2 s a run")


@pytest.mark.slow
def test_a_network_that_vmap_does_not_take_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, RuntimeError("vmap:\n  no such thing"), 2.0)
    (line,), _ = asked(studies.make(workload=TINY | {"engine": "single"}), tmp_path)
    assert line.startswith("digits cannot be stacked: RuntimeError: vmap: no such thing (")
    with pytest.raises(CalibrationError, match="digits cannot be trained here: RuntimeError: vmap"):
        asked(studies.make(workload=TINY), tmp_path)


@pytest.mark.slow
def test_stored_runs_are_of_their_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, 1.0, 2.0)
    study = studies.make(workload=TINY | {"engine": "single"})
    assert len(asked(study, tmp_path)[0]) == 1
    run = study.grid()[0]
    store = Store(tmp_path / study.name)
    store.write(store.part_name([run.run_id]), [stored_rows.row(0, **identity(run))], [])
    assert asked(study, tmp_path)[0][1:] == [
        "another engine makes other runs: those that are there already would not count"
    ]
    assert len(asked(studies.make(workload=TINY), tmp_path)[0]) == 1


def test_what_cannot_be_stacked_is_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Treebank, "fetch", lambda self: None)
    fake(monkeypatch, AssertionError(), AssertionError())
    study = studies.make(workload=["treebank", {"name": "imagenet", "model": "resnet18"}])
    monkeypatch.setattr(type(study.workloads[1]), "fetch", lambda self: None)
    assert asked(study, tmp_path)[0] == [
        "treebank cannot be stacked: an LSTM that keeps its state",
        "imagenet resnet18 cannot be stacked: images are read for one run at a time",
    ]
    rule = studies.make(workload=TINY | {"engine": "single"}, optimizers=["adams", OWN])
    assert unstackable(rule) == "no update rule with a run axis for NAdam"
    assert unstackable(studies.make()) is None


@pytest.mark.slow
def test_on_a_gpu_the_study_learns_of_shared_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, 2.0, 1.0)
    runs: list[Run] = []
    monkeypatch.setattr(measuring, "device_of", lambda study: "cuda")
    monkeypatch.setattr(measuring, "stack_size", lambda *_: 4)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: H100)
    monkeypatch.setattr(measuring, "sharing", lambda run, device: noted(runs, run, 3))
    lines, said = asked(studies.make(workload=TINY), tmp_path)
    assert lines[1] == f"digits: 3 processes share the {H100}: `resources: {{gpus: 0.33}}`"
    assert runs[0].workload == Digits(**TINY, engine="single")
    assert said == ["calibrating digits: how much of the GPU a run takes"]


def test_plan_prints_which_engine_pays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(monkeypatch, 1.0, 2.0)
    file = tmp_path / "t.yaml"
    file.write_text(studies.FILE)
    assert main(["plan", str(file), "--results", str(tmp_path / "results"), "--calibrate"]) == 0
    assert "`engine: stack`, which the study has" in capsys.readouterr().out.splitlines()[-1]
