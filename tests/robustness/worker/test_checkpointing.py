"""When a worker sets down what it trains, and what comes of it: kills, stops, damaged checkpoints, full disks."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from robustness.results import ResultsWarning, StorageError, Store
from robustness.results.checkpoints import Checkpoints
from robustness.results.tables.schema import CURVES, IDENTITY_COLUMNS, OUTCOME_COLUMNS
from robustness.study import Study, StudyError
from robustness.study.resources import CheckpointPolicy
from robustness.sweep.in_process import run_here
from robustness.training import Suspended
from robustness.training.checkpoint import to_bytes
from robustness.worker import checkpointing
from robustness.worker.attempts import trained
from robustness.worker.checkpointing import CheckpointKeeper
from robustness.worker.work import work
from tests.support.noted import noted

if TYPE_CHECKING:
    from pathlib import Path

EPOCHS = 6
STUDY = f"""
name: long
workload: {{name: digits, epochs: {EPOCHS}, train_size: 200, engine: ENGINE}}
optimizers: [adams, adamw]
space: {{lr: [1e-3, 1e-2, 1], weight_decay: [1e-3]}}
seeds: 2
resources: {{checkpoint: {{epochs: 1}}}}
"""
NOW = datetime.now(UTC)
STATE = {"epoch": 1, "history": {}, "engine": {}, "feed": {}, "random": {}}

# Trains, and is killed by itself at the given time that an epoch has ended and been set down.
KILLED = """
import os, signal, sys
from robustness.study import Study
from robustness.sweep.in_process import run_here
from robustness.worker.checkpointing import CheckpointKeeper

left, ended = int(sys.argv[3]), CheckpointKeeper.ended

def count(self, epoch, epochs, state):
    global left
    ended(self, epoch, epochs, state)
    left -= epoch < epochs
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

CheckpointKeeper.ended = count
run_here(Study.load(sys.argv[1]), sys.argv[2], quiet=True)
"""


def study_of(engine: str) -> Study:
    return Study.parse(STUDY.replace("ENGINE", engine))


def tables(root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return outcomes and curves as pandas reads them."""
    runs = pd.read_parquet(root / "long" / "runs")[[*IDENTITY_COLUMNS, *OUTCOME_COLUMNS]]
    curves = pd.read_parquet(root / "long" / "curves")[CURVES.names]
    return (
        runs.sort_values("run_id").reset_index(drop=True),
        curves.sort_values(["run_id", "epoch"]).reset_index(drop=True),
    )


def checkpoints(root: Path) -> list[Path]:
    return sorted((root / "long" / "checkpoints").glob("*"))


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["stack", "single"])
def test_what_was_killed_at_a_random_epoch_ends_in_the_same_rows(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "long.yaml"
    file.write_text(STUDY.replace("ENGINE", engine))
    trainings = 2 if engine == "stack" else 12
    kill = random.randint(1, trainings * (EPOCHS - 1))
    killed = subprocess.run([sys.executable, "-c", KILLED, file, tmp_path / "killed", str(kill)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(checkpoints(tmp_path / "killed")) == 2, "what was being trained, and nothing older"

    firsts: list[int] = []
    ended = CheckpointKeeper.ended
    monkeypatch.setattr(CheckpointKeeper, "ended", lambda *given: noted(firsts, given[1], ended(*given)))
    run_here(Study.load(file), tmp_path / "killed", quiet=True)
    begun = (kill - 1) % (EPOCHS - 1) + 1
    assert firsts[0] == begun + 1, "it went on with the next epoch"
    assert not checkpoints(tmp_path / "killed"), "and left no checkpoint"

    run_here(Study.load(file), tmp_path / "whole", quiet=True)
    for mine, theirs in zip(tables(tmp_path / "killed"), tables(tmp_path / "whole"), strict=True):
        pd.testing.assert_frame_equal(mine, theirs, check_exact=True)


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(checkpointing, "time", clock)
    return clock


def written(keeper: CheckpointKeeper, clock: Clock, epochs: int, seconds: float, cost: float = 0.0) -> list[int]:
    """Return after which epochs of `seconds` each something was set down, which itself takes `cost`."""
    found = []

    def state(epoch: int) -> dict[str, object]:
        found.append(epoch)
        clock.now += cost
        return {**STATE, "epoch": epoch}

    keeper.load(study_of("stack").grid()[:2])
    for epoch in range(1, epochs + 1):
        clock.now += seconds
        keeper.ended(epoch, epochs, partial(state, epoch))
    return found


@pytest.mark.parametrize(
    ("policy", "pace", "expected"),
    [
        ({}, (60, 0), []),
        ({}, (150, 0), [4, 8]),
        ({"minutes": 5}, (150, 0), [2, 4, 6, 8]),
        ({"minutes": None}, (3600, 0), []),
        ({"minutes": None, "epochs": 3}, (1, 0), [3, 6]),
        ({"minutes": 5, "epochs": 3}, (150, 0), [2, 3, 5, 6, 8]),
        ({"minutes": 1}, (100, 20), [1, 5]),  # at most a twentieth of the time
    ],
)
def test_when_it_is_time(
    policy: dict[str, float], pace: tuple[float, float], expected: list[int], tmp_path: Path, clock: Clock
) -> None:
    keeper = CheckpointKeeper(Store(tmp_path), CheckpointPolicy(**policy), "me")
    assert written(keeper, clock, 9, *pace) == expected


def test_a_training_that_is_asked_to_stop_is_suspended_if_it_would_take_long(tmp_path: Path, clock: Clock) -> None:
    told: list[float] = []
    keeper = CheckpointKeeper(Store(tmp_path), CheckpointPolicy(), "me", tell=told.append, stopping=lambda: True)
    assert written(keeper, clock, 4, 6) == [], "18 s more"
    assert told == [1 / 4, 2 / 4, 3 / 4]
    with pytest.raises(Suspended):
        written(keeper, clock, 10, 6)
    assert [each.epoch for each in Checkpoints(Store(tmp_path)).listed()] == [1]
    assert (
        written(
            CheckpointKeeper(Store(tmp_path / "never"), CheckpointPolicy(minutes=None), "me", stopping=lambda: True),
            clock,
            9,
            60,
        )
        == []
    )


def test_seconds_are_counted_from_the_very_start(tmp_path: Path, clock: Clock) -> None:
    assert written(CheckpointKeeper(Store(tmp_path), CheckpointPolicy(minutes=1), "me"), clock, 2, 90) == [1]
    later = CheckpointKeeper(Store(tmp_path), CheckpointPolicy(minutes=1), "me")
    later.load(study_of("stack").grid()[:2])
    assert later.seconds == 90


def test_who_has_lost_the_claim_leaves_off(tmp_path: Path, clock: Clock) -> None:
    store = Store(tmp_path)
    store.claim("another")
    with pytest.raises(Suspended):
        written(CheckpointKeeper(store, CheckpointPolicy(), "me"), clock, 9, 61)


@pytest.mark.parametrize("policy", [{"minutes": None}, {}], ids=["no checkpoints", "a full disk"])
def test_who_has_lost_the_claim_ends_without_a_checkpoint_where_there_are_to_be_none(
    policy: dict[str, None], tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageError("no space left")

    store = Store(tmp_path)
    store.claim("another")
    monkeypatch.setattr(Checkpoints, "write", full)
    warned = pytest.warns(ResultsWarning, match="no space left") if policy == {} else contextlib.nullcontext()
    with warned, pytest.raises(Suspended):
        written(CheckpointKeeper(store, CheckpointPolicy(**policy), "me"), clock, 9, 61)


def test_a_disk_that_is_full_costs_no_training(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StorageError("no space left")

    monkeypatch.setattr(Checkpoints, "write", full)
    keeper = CheckpointKeeper(Store(tmp_path), CheckpointPolicy(), "me", stopping=lambda: True)
    with pytest.warns(ResultsWarning, match="a checkpoint could not be written: no space left"):
        assert len(written(keeper, clock, 4, 3600)) == 3


@pytest.mark.parametrize("data", [b"", b"torn", to_bytes({"epoch": 2})])
def test_a_damaged_checkpoint_is_said_and_the_training_begins_anew(data: bytes, tmp_path: Path) -> None:
    runs, store = study_of("stack").grid()[:2], Store(tmp_path)
    Checkpoints(store).write([run.run_id for run in runs], 2, 9, data)
    keeper = CheckpointKeeper(store, CheckpointPolicy(), "me")
    with pytest.warns(ResultsWarning, match="is not usable: not a checkpoint.*begins anew"):
        assert keeper.load(runs) is None
    assert Checkpoints(store).listed() == []


def test_a_checkpoint_that_cannot_be_gone_on_from_is_not_tried_twice(tmp_path: Path) -> None:
    runs, store = study_of("stack").grid()[:1], Store(tmp_path)
    Checkpoints(store).write([run.run_id for run in runs], 1, 9, to_bytes(STATE))
    keeper = CheckpointKeeper(store, CheckpointPolicy(), "me")
    with pytest.warns(ResultsWarning, match="the training failed when it went on from it; the training begins anew"):
        result = trained(runs, "cpu", "grid", 1, keeper, fit=False)
    assert len(result.histories) == 1
    assert not result.failed


def test_a_checkpoint_of_other_code_is_removed_and_the_training_begins_anew(tmp_path: Path) -> None:
    runs, store = study_of("stack").grid()[:1], Store(tmp_path)
    Checkpoints(store).write([run.run_id for run in runs], 1, 9, to_bytes(STATE))
    keeper = CheckpointKeeper(store, CheckpointPolicy(), "me")
    assert keeper.load(runs) is not None
    with pytest.warns(ResultsWarning, match="is not usable: its names are others; the training begins anew"):
        keeper.refuse("its names are others")
    assert Checkpoints(store).listed() == []
    assert keeper.load(runs) is None


def test_what_was_suspended_is_in_the_report_and_not_in_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpointing, "TELL_EVERY_S", 0.0)
    monkeypatch.setattr(checkpointing, "WORTHWHILE_S", 0.0)
    runs, store = study_of("single").grid()[:3], Store(tmp_path)
    stopping = iter([False] * (EPOCHS + 1) + [True] * 9)
    given: dict[str, Any] = {"sweep_id": "me", "device": "cpu", "sampler": "grid", "retries": 0}
    first = CheckpointKeeper(store, CheckpointPolicy(), "me", stopping=lambda: next(stopping))
    report = work(runs, store, keeper=first, **given)
    assert (len(report.outcomes), report.suspended) == (1, 2)
    assert store.done() == {runs[0].run_id}
    assert [each.run_ids for each in Checkpoints(store).listed()] == [(runs[1].run_id,)]
    report = work(runs[1:], store, keeper=CheckpointKeeper(store, CheckpointPolicy(), "me"), **given)
    assert (len(report.outcomes), report.suspended) == (2, 0)
    assert Checkpoints(store).listed() == []


def test_a_policy_says_what_is_wrong_with_it() -> None:
    for wrong in ("{minutes: 0}", "{epochs: 0}", "{hours: 1}", "{epochs: 1.5}"):
        with pytest.raises(StudyError, match=r"checkpoint"):
            Study.parse(STUDY.replace("ENGINE", "stack").replace("{epochs: 1}", wrong))
