"""Stacks of a whole grid, and runs on their way to a worker and into a row."""

from __future__ import annotations

from datetime import UTC, datetime

from robustness.search.coordinates import Cell
from robustness.study import Study
from robustness.study.run import identity
from robustness.sweep.stacks import LARGEST, cut
from robustness.worker.attempts import lost_row
from robustness.worker.report import decode, encode
from tests.support.bowl import sampled


def test_stacks_share_a_seed_and_cover_every_run() -> None:
    study = Study(
        name="g",
        workload={"name": "digits"},
        optimizers=["adams", "adamw", "adam"],
        space={
            "lr": {"low": 1e-4, "high": 1, "points": 12},
            "weight_decay": {"low": 1e-5, "high": 1, "points": 12},
        },
        seeds=3,
    )
    runs = study.grid()
    for slots, size in [(2, None), (64, None), (2, 7), (1, 10_000)]:
        stacks = cut(runs, slots, size)
        assert sorted(r.run_id for s in stacks for r in s) == sorted(r.run_id for r in runs)
        assert all(len({r.seed for r in s}) == 1 for s in stacks)
        assert max(map(len, stacks)) <= (size or LARGEST)
        assert max(map(len, stacks)) - min(map(len, stacks)) <= 1
        if size is None:
            assert len(stacks) >= 0.9 * slots
            assert len(stacks) % 3 == 0
    assert cut([], 2) == []
    batch = [run for run in runs if run.lr in study.space.lr.values[:4]][: 3 * 24]
    assert len(cut(batch, 2)) == 3, "a search's batch is a stack a seed"
    alone = {"workload": {"name": "digits", "engine": "single"}}
    single = Study.model_validate(study.model_dump(by_alias=True) | alone)
    assert {len(stack) for stack in cut(single.grid(), 2)} == {1}


def test_runs_travel_as_text() -> None:
    study = sampled()
    runs = [study.run(entry, 1.23456e-3, 0.1 / 3, seed) for entry in study.optimizers for seed in (0, 7)]
    assert decode(study, encode(study, runs)) == runs


def test_the_identity_of_a_row() -> None:
    study = sampled()
    run = study.run(study.optimizers[0], 1e-3, 1e-4, 5)
    columns = identity(run)
    assert columns["run_id"] == run.run_id
    assert columns["optimizer"] == "adams"
    assert (columns["lr"], columns["weight_decay"], columns["weight_decay_native"]) == (1e-3, 1e-4, 1e-4)
    assert isinstance(lost_row(run, "x", "grid")["finished_at"], datetime)
    assert lost_row(run, "x", "grid")["finished_at"].tzinfo == UTC
    assert Cell(1.0, 2.0) == (1.0, 2.0)
