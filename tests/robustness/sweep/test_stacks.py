"""How work is divided into stacks: none takes too long, no run is lost, and what has a checkpoint stays together."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import pytest

from robustness.results import Store
from robustness.results.checkpoints import Checkpoint
from robustness.study import Run
from robustness.sweep.stacks import ENOUGH_S, FIRST, LARGEST, LOSS_S, by_checkpoint, cut
from robustness.worker.work import work
from robustness.workloads import Digits
from tests.support.run_times import known, unknown, wide
from tests.support.studies import ADAMS, make

if TYPE_CHECKING:
    from pathlib import Path


class TestStacks:
    def test_a_stack_of_unknown_time_is_small(self) -> None:
        study = wide()
        assert max(map(len, cut(study.grid(), 2, None, unknown(study)))) == FIRST

    @pytest.mark.parametrize(("seconds", "largest"), [(0.01, LARGEST), (10, LOSS_S / 10), (100, 3), (1000, 1)])
    def test_a_lost_node_loses_minutes(self, seconds: float, largest: float) -> None:
        study = wide()
        stacks = cut(study.grid(), 2, None, known(study, seconds))
        assert max(map(len, stacks)) <= largest
        assert max(map(len, stacks)) > 0.5 * largest, "and no smaller than it has to be"
        assert sorted(r.run_id for s in stacks for r in s) == sorted(r.run_id for r in study.grid())

    def test_a_size_of_ones_own_is_kept(self) -> None:
        study = wide()
        assert max(map(len, cut(study.grid(), 2, 40, known(study, 1e4)))) == 36, "144 a seed and 2 optimizers, in 8"

    @pytest.mark.parametrize(("seconds", "most"), [(0.05, 108), (2, ENOUGH_S / 2), (60, 1)])
    def test_short_single_runs_go_many_to_a_worker(self, seconds: float, most: float) -> None:
        study = wide(workload={"name": "digits", "engine": "single"})
        stacks = cut(study.grid(), 2, None, known(study, seconds))
        assert max(map(len, stacks)) <= most
        assert max(map(len, stacks)) > 0.8 * most
        assert all(len({run.seed for run in stack}) == 1 for stack in stacks)

    def test_single_runs_of_unknown_time_go_one_by_one(self) -> None:
        study = wide(workload={"name": "digits", "engine": "single"})
        assert {len(stack) for stack in cut(study.grid(), 2, None, unknown(study))} == {1}


def test_runs_of_a_checkpoint_stay_together() -> None:
    runs = make(seeds=2).grid()
    ids = [run.run_id for run in runs]
    of = [((ids[4], ids[1], "gone"), 5), ((ids[1], ids[2]), 3), (("gone",), 1)]
    checkpoints = [Checkpoint(f"name-{epoch}", run_ids, epoch, 9, datetime.now(UTC)) for run_ids, epoch in of]
    stacks, rest = by_checkpoint(runs, checkpoints)
    assert [[ids.index(run.run_id) for run in stack] for stack in stacks] == [[4, 1], [2]]
    assert [ids.index(run.run_id) for run in rest] == [0, 3, *range(5, len(runs))]


class Tiled(Digits):
    """A workload of one's own with an engine of one's own."""

    engine: Literal["tiled"] = "tiled"  # type: ignore[assignment]


def test_every_run_goes_to_a_worker_whatever_its_engine() -> None:
    own = [Run(Tiled(epochs=1), ADAMS, lr, 0.0, 0) for lr in (1e-3, 1e-2)]
    known = make().grid()
    stacks = cut([*own, *known], slots=2)
    assert sorted(run.run_id for stack in stacks for run in stack) == sorted(run.run_id for run in (*own, *known))


@pytest.mark.slow
def test_a_run_of_an_unknown_engine_fails_and_says_why(tmp_path: Path) -> None:
    store = Store(tmp_path)
    runs = [Run(Tiled(epochs=1, train_size=64), ADAMS, lr, 0.0, 0) for lr in (1e-3, 1e-2)]
    work(runs, store, sweep_id="me", device="cpu", sampler="grid", retries=0)
    stored = store.runs()
    assert list(stored["status"]) == ["failed"] * 2
    assert all("there is no engine 'tiled': it is `stack` or `single`" in reason for reason in stored["reason"])
