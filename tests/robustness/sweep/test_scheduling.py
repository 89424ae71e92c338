"""How work is divided and what comes again: room, pace, stacks, lost nodes and dead workers, without Ray's start."""

from __future__ import annotations

import json
import re
from collections import Counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from ray.exceptions import ActorDiedError, ActorUnavailableError, NodeDiedError, OutOfMemoryError
from ray.tune.search import Searcher

from robustness import Store, Study
from robustness.errors import ClusterError
from robustness.search.make import make_source
from robustness.search.source import RunOutcome
from robustness.study.resources import Resources
from robustness.sweep import capacity
from robustness.sweep import searcher as searching
from robustness.sweep.capacity import UNKNOWN_FLEET, Room, measure
from robustness.sweep.lost_nodes import is_lost_node
from robustness.sweep.progress import Progress
from robustness.sweep.run_time import RunTime
from robustness.sweep.searcher import NODES_LOST, StackSearcher
from robustness.sweep.stacks import ENOUGH_S, FIRST, LARGEST, LOSS_S, cut
from robustness.sweep.trial import REPORT, RUNS
from robustness.worker.attempts import lost_row
from robustness.worker.report import Report, decode, encode
from tests.support.studies import make

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from robustness.study import Run

HEAD = "node:__internal_head__"
WIDE = {"lr": {"low": 1e-4, "high": 1, "points": 12}, "weight_decay": {"low": 1e-5, "high": 1, "points": 12}}


def wide(**changes: Any) -> Study:
    return make(**{"space": WIDE, "seeds": 3} | changes)


def known(study: Study, seconds: float) -> RunTime:
    """Return a pace that has been told."""
    pace = RunTime(study, stored=pd.DataFrame(columns=["status", "workload", "workload_options", "duration_s"]))
    runs = study.grid()
    pace.learn(runs[:1], seconds)
    return pace


def unknown(study: Study) -> RunTime:
    return RunTime(study, stored=pd.DataFrame(columns=["status", "workload", "workload_options", "duration_s"]))


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


class TestRunTime:
    def test_it_begins_with_what_is_stored(self, tmp_path: Path) -> None:
        study, other = make(), make(workload={"name": "digits", "epochs": 3})
        store = Store(tmp_path / "x")
        for run, seconds in zip(study.grid()[:3], (1.0, 2.0, 9.0), strict=True):
            row = lost_row(run, "", "grid") | {"status": "completed", "reason": None, "duration_s": seconds}
            store.write(run.run_id, [row], [])
        assert RunTime(study, store.runs()).seconds(study.workload) == 2.0
        assert RunTime(other, store.runs()).seconds(other.workload) is None

    def test_what_differs_little_changes_nothing(self) -> None:
        study = make()
        pace = unknown(study)
        stack = study.grid()[:4]
        assert pace.learn(stack, 8.0), "nothing was known"
        assert pace.seconds(study.workload) == 2.0
        assert not pace.learn(stack, 10.0)
        assert pace.learn(stack, 40.0)


def died(words: str, **more: Any) -> ActorDiedError:
    """Return Ray's error of an actor that died with these words."""
    from ray.core.generated import common_pb2

    made: Any = common_pb2  # generated, without types
    return ActorDiedError(made.ActorDiedErrorContext(error_message=words, actor_id=b"\0" * 16, class_name="A", **more))


def test_a_lost_node_is_told_from_a_dead_worker() -> None:
    assert is_lost_node(died("The actor died because its node has died. Node Id: 0a"))
    assert is_lost_node(NodeDiedError("gone"))
    assert is_lost_node(ActorUnavailableError("no answer", None))
    assert not is_lost_node(died("Worker unexpectedly exits with a connection error code 2. End of file."))
    assert not is_lost_node(OutOfMemoryError("too much"))
    assert not is_lost_node(ValueError("odd"))
    assert not is_lost_node(None)


class Cluster:
    """A cluster of made nodes, as `ray.nodes()` shows them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.nodes: list[dict[str, float]] = []
        self.file = tmp_path / "bootstrap.yaml"
        monkeypatch.setattr("ray.nodes", self._nodes)
        monkeypatch.setattr(capacity, "BOOTSTRAP", self.file)
        monkeypatch.delenv("KUBERAY_GEN_RAY_START_CMD", raising=False)

    def _nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": True, "Resources": each} for each in self.nodes] + [
            {"Alive": False, "Resources": {"CPU": 99.0}}
        ]

    def grows(self, **types: Any) -> None:
        config = {"head_node_type": "head", "max_workers": 8, "available_node_types": {"head": {}, **types}}
        self.file.write_text(json.dumps(config))


class TestRoom:
    @pytest.fixture
    def cluster(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cluster:
        return Cluster(monkeypatch, tmp_path)

    def test_a_fixed_cluster_has_what_its_nodes_have(self, cluster: Cluster) -> None:
        cluster.nodes = [{"CPU": 4.0, HEAD: 1.0}, {"CPU": 3.0}]
        assert measure(Resources(cpus=2)) == Room({"cpu": 2.0}, now=3, most=3)
        assert measure(Resources(cpus=0.5)).now == 14
        assert measure(Resources(max_concurrent=2)).slots == 2
        with pytest.raises(ClusterError, match=r"asks for \{'cpu': 5.0\}, and no node .* CPU 4, GPU 0, CPU 3, GPU 0"):
            measure(Resources(cpus=5))

    def test_a_stack_does_not_lie_across_nodes(self, cluster: Cluster) -> None:
        cluster.nodes = [{"CPU": 2.0}, {"CPU": 2.0}]
        with pytest.raises(ClusterError):
            measure(Resources(cpus=3))

    def test_auto_takes_a_gpu_where_there_is_one_and_shares_it_when_told(self, cluster: Cluster) -> None:
        cluster.nodes = [{"CPU": 8.0, HEAD: 1.0}, {"CPU": 8.0, "GPU": 2.0}]
        assert measure(Resources()) == Room({"cpu": 1.0, "gpu": 1.0}, now=2, most=2)
        assert measure(Resources(gpus=0.25)).now == 8
        assert measure(Resources(gpus=0)) == Room({"cpu": 1.0}, now=16, most=16)

    def test_nodes_to_come_count_from_the_start(self, cluster: Cluster) -> None:
        cluster.nodes = [{"CPU": 0.0, HEAD: 1.0}]
        cluster.grows(worker={"resources": {"CPU": 8, "GPU": 4}, "max_workers": 3})
        room = measure(Resources())
        assert room == Room({"cpu": 1.0, "gpu": 1.0}, now=0, most=12)
        assert room.slots == 12
        assert room.running == 0
        assert room.ahead == 24
        cluster.nodes.append({"CPU": 8.0, "GPU": 4.0})
        assert measure(Resources()).now == 4

    def test_the_clusters_own_bound_holds(self, cluster: Cluster) -> None:
        cluster.nodes = [{"CPU": 0.0, HEAD: 1.0}]
        cluster.grows(worker={"resources": {"CPU": 1}, "max_workers": 100})
        assert measure(Resources()).most == 8

    def test_hosts_of_ones_own_are_taken_to_be_like_those_there(self, cluster: Cluster) -> None:
        cluster.nodes = [{"CPU": 4.0, HEAD: 1.0}]
        local = {"resources": {}, "max_workers": 2}
        config = {"head_node_type": "local", "max_workers": 2, "available_node_types": {"local": local}}
        cluster.file.write_text(json.dumps(config))
        assert measure(Resources()) == Room({"cpu": 1.0}, now=4, most=12)

    def test_a_fleet_that_nobody_describes(self, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KUBERAY_GEN_RAY_START_CMD", "ray start --head --no-monitor ")
        cluster.nodes = [{"CPU": 0.0, HEAD: 1.0}]
        assert measure(Resources(gpus=1)) == Room({"cpu": 1.0, "gpu": 1.0}, now=0, most=UNKNOWN_FLEET)
        with pytest.raises(ClusterError, match=r"set `resources: \{gpus: 1\}` in the study file, or 0"):
            measure(Resources())


class TestSearcher:
    """The searcher by itself, its trials told by hand."""

    @pytest.fixture
    def make_searcher(self, tmp_path: Path) -> Callable[..., StackSearcher]:
        def build(study: Study, room: Callable[[], Room], **more: Any) -> StackSearcher:
            store = Store(tmp_path / study.name)
            source = make_source(study, store.runs())
            progress = Progress(study, total=source.total, done=source.done, quiet=True)
            return StackSearcher(study=study, source=source, store=store, progress=progress, room=room, **more)

        return build

    def finish(
        self, searcher: StackSearcher, study: Study, trial: str, suggestion: dict[str, Any], seconds: float = 1.0
    ) -> list[Run]:
        runs = decode(study, suggestion[RUNS])
        outcomes = tuple(RunOutcome(run.run_id, "completed", 5.0, 5.0) for run in runs)
        searcher.on_trial_complete(trial, {REPORT: Report(outcomes, seconds).to_json()})
        return runs

    def test_a_lost_node_costs_no_try(self, make_searcher: Callable[..., StackSearcher]) -> None:
        study = make(resources={"stack_size": 100, "retries": 0})
        searcher = make_searcher(study, lambda: Room({}, now=1, most=1))
        first = searcher.suggest("0")
        for trial in range(NODES_LOST):
            searcher.node_died(str(trial))
            searcher.on_trial_complete(str(trial), None, error=True)
            again = searcher.suggest(str(trial + 1))
            assert sorted(json.loads(again[RUNS])) == sorted(json.loads(first[RUNS])), "whole, not in halves"
        searcher.node_died(str(NODES_LOST))
        searcher.on_trial_complete(str(NODES_LOST), None, error=True)
        assert len(json.loads(searcher.suggest("x")[RUNS])) < len(json.loads(first[RUNS])), "it is what kills them"

    def test_a_dead_worker_is_tried_again_as_often_as_is_allowed(
        self, make_searcher: Callable[..., StackSearcher]
    ) -> None:
        study = make(seeds=1, resources={"stack_size": 4, "retries": 2})
        searcher = make_searcher(study, lambda: Room({}, now=1, most=1))
        sizes: Counter[int] = Counter()
        trial = 0
        while (suggestion := searcher.suggest(str(trial))) != Searcher.FINISHED:
            sizes[len(json.loads(suggestion[RUNS]))] += 1
            searcher.on_trial_complete(str(trial), None, error=True)
            trial += 1
        assert sizes == {4: 2 * 3, 2: 4 * 3, 1: 8 * 3}

    def test_stacks_grow_once_their_time_is_known(self, make_searcher: Callable[..., StackSearcher]) -> None:
        study = wide()
        searcher = make_searcher(study, lambda: Room({}, now=2, most=2), run_time=unknown(study))
        trained, sizes, trial = [], [], 0
        while (suggestion := searcher.suggest(str(trial))) != Searcher.FINISHED:
            runs = self.finish(searcher, study, str(trial), suggestion, seconds=0.1)
            trained += runs
            sizes.append(len(runs))
            trial += 1
        assert sizes[0] == FIRST
        assert sizes[1] > 2 * FIRST
        assert sorted(run.run_id for run in trained) == sorted(run.run_id for run in study.grid()), "each once"

    def test_work_is_divided_anew_when_the_cluster_grows(
        self, make_searcher: Callable[..., StackSearcher], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(searching, "LOOK_EVERY_S", 0.0)
        study = wide()
        room = SimpleNamespace(now=Room({}, now=1, most=1))
        searcher = make_searcher(study, lambda: room.now)
        first = len(json.loads(searcher.suggest("0")[RUNS]))
        room.now = Room({}, now=32, most=32)
        others = [len(json.loads(searcher.suggest(str(i))[RUNS])) for i in range(1, 30)]
        assert max(others) < first

    def test_a_cluster_whose_nodes_are_all_away_is_waited_for(
        self, make_searcher: Callable[..., StackSearcher], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(searching, "LOOK_EVERY_S", 0.0)
        rooms_of = [Room({}, now=1, most=1)]

        def look() -> Room:
            if not rooms_of:
                raise ClusterError("no node")
            return rooms_of.pop()

        study = make(resources={"stack_size": 1})
        searcher = make_searcher(study, look)
        assert isinstance(searcher.suggest("0"), dict)
        assert searcher.error is None
        self.finish(searcher, study, "0", {RUNS: encode(study, study.grid()[:1])})
        assert isinstance(searcher.suggest("1"), dict)

    @pytest.mark.parametrize("sampler", ["tpe", "random"])
    def test_a_search_asks_for_as_much_as_it_can_use_at_once(
        self, make_searcher: Callable[..., StackSearcher], sampler: str
    ) -> None:
        search = {"sampler": sampler, "cells": 40}
        space = {"lr": {"low": 1e-4, "high": 1}, "weight_decay": {"low": 1e-5, "high": 1}}
        study = make(space=space, search=search, seeds=3, resources={"stack_size": 1})
        searcher = make_searcher(study, lambda: Room({}, now=0, most=500))
        out: list[Run] = []
        while isinstance(suggestion := searcher.suggest(str(len(out))), dict):
            out += decode(study, suggestion[RUNS])
        cells = {(run.optimizer.name, run.lr, run.weight_decay) for run in out}
        ahead = 16 if sampler == "tpe" else 40
        assert len(cells) == 2 * ahead
        assert len(out) == 2 * ahead * 3, "every seed of every cell is demand that an autoscaler sees"

    def test_no_more_at_a_time_than_the_study_allows(self, make_searcher: Callable[..., StackSearcher]) -> None:
        study = wide(resources={"max_concurrent": 3})
        searcher = make_searcher(study, lambda: Room({}, now=8, most=8, limit=3))
        out = [searcher.suggest(str(i)) for i in range(5)]
        assert [isinstance(each, dict) for each in out] == [True] * 3 + [False] * 2

    def test_a_sweep_that_was_taken_over_hands_out_nothing_more(
        self, make_searcher: Callable[..., StackSearcher], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(searching, "LOOK_EVERY_S", 0.0)
        study = make(name="x")
        store = Store(tmp_path / "x")
        assert store.claim("mine") is None
        searcher = make_searcher(study, lambda: Room({}, now=1, most=1), sweep_id="mine")
        assert isinstance(searcher.suggest("0"), dict)
        before = store.claim("theirs")
        assert before is not None
        assert before["sweep_id"] == "mine"
        assert searcher.suggest("1") == Searcher.FINISHED
        assert searcher.error is not None
        assert re.search(r"another sweep of this study has started .*: process \d+ on .+, since .+ UTC", searcher.error)
        store.release("mine")
        assert not store.claimed_by("mine"), "only its own claim is given back"
        store.release("theirs")
        assert store.claimed_by("mine")
