"""The searcher by itself, its trials told by hand: what comes again, what is divided anew, and who asks meanwhile."""

from __future__ import annotations

import json
import pickle
import re
import sys
import threading
from collections import Counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from ray.tune.search import Searcher

from robustness import Store
from robustness.errors import ClusterError
from robustness.search.make import make_source
from robustness.search.source import RunOutcome
from robustness.sweep import searcher as searching
from robustness.sweep.capacity import Room
from robustness.sweep.progress import Progress
from robustness.sweep.searcher import NODES_LOST, StackSearcher
from robustness.sweep.stacks import FIRST
from robustness.sweep.trial import REPORT, RUNS
from robustness.worker.report import Report, decode, encode
from robustness.worker.work import work
from tests.support.run_times import unknown, wide
from tests.support.studies import make

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from robustness.study import Run, Study

SPACE = {"lr": {"low": 1e-4, "high": 1, "points": 40}, "weight_decay": {"low": 1e-5, "high": 1, "points": 10}}
ROOM = Room({"cpu": 1.0}, now=1, most=1)


@pytest.fixture
def study() -> Study:
    return make(workload={"name": "digits", "epochs": 2, "train_size": 640}, seeds=1, resources={"stack_size": 4})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "x")


class TestHandedOut:
    @pytest.fixture
    def searcher(self, study: Study, store: Store) -> StackSearcher:
        source = make_source(study, store.runs())
        progress = Progress(study, total=source.total, done=source.done, quiet=True)
        return StackSearcher(study=study, source=source, store=store, progress=progress, room=lambda: ROOM)

    def runs(self, study: Study, suggestion: dict[str, Any]) -> list[Run]:
        return decode(study, suggestion[RUNS])

    def result(self, study: Study, store: Store, suggestion: dict[str, Any]) -> dict[str, str]:
        report = work(self.runs(study, suggestion), store, sweep_id="s", device="cpu", sampler="grid", retries=0)
        return {REPORT: report.to_json()}

    def test_it_hands_out_every_run_once_and_ends(self, study: Study, store: Store, searcher: StackSearcher) -> None:
        seen = []
        for trial in map(str, range(100)):
            suggestion = searcher.suggest(trial)
            if suggestion == Searcher.FINISHED:
                break
            seen += self.runs(study, suggestion)
            searcher.on_trial_complete(trial, self.result(study, store, suggestion))
        assert suggestion == Searcher.FINISHED
        assert sorted(run.run_id for run in seen) == sorted(run.run_id for run in study.grid())

    def test_it_waits_while_enough_is_out(self, searcher: StackSearcher) -> None:
        out = [searcher.suggest(str(i)) for i in range(3)]
        assert isinstance(out[0], dict)
        assert isinstance(out[1], dict)
        assert out[2] is None

    def test_a_single_run_whose_worker_dies_each_time_fails(
        self, study: Study, store: Store, searcher: StackSearcher
    ) -> None:
        trial = 0
        while searcher.suggest(str(trial)) != Searcher.FINISHED:
            searcher.on_trial_complete(str(trial), None, error=True)
            trial += 1
        runs = store.runs()
        assert list(runs["status"]) == ["failed"] * 8
        assert all("worker process died" in reason for reason in runs["reason"])

    def test_a_error_ends_the_sweep(self, searcher: StackSearcher) -> None:
        searcher.suggest("1")
        searcher.on_trial_complete("1", {REPORT: Report(error="no room on /results").to_json()})
        assert searcher.error == "no room on /results"
        assert searcher.suggest("2") == Searcher.FINISHED

    def test_stop_hands_out_nothing_more(self, searcher: StackSearcher) -> None:
        assert isinstance(searcher.suggest("1"), dict)
        searcher.stop()
        assert searcher.suggest("2") == Searcher.FINISHED

    def test_tune_can_pickle_it(self, searcher: StackSearcher) -> None:
        assert isinstance(pickle.loads(pickle.dumps(searcher)), StackSearcher)


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


def test_how_many_run_can_be_asked_while_stacks_come_and_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("robustness.sweep.progress.Progress.add", lambda *_: None)
    study = make(space=SPACE, seeds=3, resources={"stack_size": 1})
    store = Store(tmp_path)
    source = make_source(study, store.runs())
    progress = Progress(study, total=source.total, done=0, quiet=True)
    room = Room({}, now=400, most=400)
    searcher = StackSearcher(study=study, source=source, store=store, progress=progress, room=lambda: room)
    over, errors = threading.Event(), list[BaseException]()

    def ask() -> None:
        try:
            while not over.is_set():
                assert 0 <= searcher.running <= 400
        except BaseException as error:  # noqa: BLE001 - the test's own thread raises it
            errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for trial in range(400):
            searcher.suggest(str(trial))
        for trial in range(400, 2000):
            searcher.on_trial_complete(str(trial - 400), {REPORT: Report().to_json()})
            searcher.suggest(str(trial))
    finally:
        sys.setswitchinterval(interval)
        over.set()
        asking.join()
    assert errors == []
