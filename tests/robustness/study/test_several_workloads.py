"""A study of several workloads, and optimizers with learning rates and weight decays of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from robustness.plan import plan
from robustness.results import Store
from robustness.search.make import make_source
from robustness.study import Study, StudyError
from robustness.sweep.in_process import run_here
from robustness.sweep.stacks import cut
from robustness.worker.report import decode, encode

if TYPE_CHECKING:
    from pathlib import Path

SECOND = "  - {name: digits-cnn, epochs: 1, train_size: 100, channels: 2}\n"
TEXT = f"""\
name: two
workload:
  - {{name: digits, epochs: 1, train_size: 100}}
{SECOND}optimizers:
  - {{name: adams, label: AdamS}}
  - name: sgd
    space: {{lr: [0.1, 0.3]}}
space:
  lr: [0.001, 0.01, 0.1]
  weight_decay: [0, 0.0005]
seeds: 2
"""


def wrong(text: str) -> str:
    with pytest.raises(StudyError) as caught:
        Study.parse(text)
    return str(caught.value)


def test_the_grid_spans_workloads_and_each_optimizers_own_values() -> None:
    study = Study.parse(TEXT)
    runs = study.grid()
    assert len(runs) == 2 * (3 + 2) * 2 * 2
    assert len({run.run_id for run in runs}) == len(runs)
    assert {run.lr for run in runs if run.optimizer.name == "sgd"} == {0.1, 0.3}
    assert {run.weight_decay for run in runs if run.optimizer.name == "sgd"} == {0.0, 0.0005}
    assert [part.workload.name for part in study.parts] == ["digits", "digits-cnn"]
    assert [run for part in study.parts for run in part.grid()] == runs
    assert all(Study.parse(part.text).grid() == part.grid() for part in study.parts)
    with pytest.raises(ValueError, match="2 workloads"):
        _ = study.workload


def test_a_run_is_the_same_whatever_study_asks_for_it() -> None:
    alone = Study.parse(TEXT.replace(SECOND, ""))
    labelled = Study.parse(TEXT.replace("{name: digits,", "{name: digits, label: mine,"))
    both = {run.run_id for run in Study.parse(TEXT).grid()}
    assert {run.run_id for run in alone.grid()} < both
    assert {run.run_id for run in labelled.grid()} == both, "a label decides nothing"


def test_what_is_written_reads_as_the_same_study() -> None:
    study = Study.parse(TEXT)
    made = Study(
        name="two",
        workload=list(study.workloads),
        optimizers=list(study.optimizers),
        space=study.space,
        seeds=2,
    )
    assert made.model_dump() == study.model_dump()
    again = Study.parse(made.text)
    assert again.model_dump() == study.model_dump()
    assert again.grid() == study.grid()


WRONG = {
    "an unknown key": ("digits-cnn", "digits", 4, "workload[1].channels: unknown key"),
    "twice": (SECOND[4:-1], "digits", 4, "workload[1]: is called 'digits', as workload[0] is"),
    "unknown": ("digits-cnn", "digit-cnn", 4, "workload[1].name: unknown workload 'digit-cnn', did you mean"),
    "no points": ("lr: [0.1, 0.3]", "lr: {low: 0.1, high: 1}", 8, "optimizers[1].space.lr.points: is missing"),
    "negative": ("lr: [0.1, 0.3]", "lr: [-0.1]", 8, "optimizers[1].space.lr[0]: must be greater than 0"),
    "an unknown axis": ("lr: [0.1, 0.3]", "rate: [0.1]", 8, "optimizers[1].space.rate: unknown key"),
    "no mapping": ("{lr: [0.1, 0.3]}", "0.1", 8, "optimizers[1].space: expected a mapping with lr, weight_decay"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_has_its_place(name: str) -> None:
    old, new, line, message = WRONG[name]
    assert old in TEXT
    assert f"study.yaml:{line}: {message}" in wrong(TEXT.replace(old, new))


def test_everything_wrong_with_several_workloads_is_said_at_once() -> None:
    said = wrong(
        TEXT.replace("{name: digits, epochs: 1", "{name: digits, epochs: -1").replace("channels: 2", "channels: no")
    )
    assert "workload[0].epochs" in said
    assert "workload[1].channels" in said


def test_a_warmup_ends_before_the_training() -> None:
    said = wrong(
        TEXT.replace("{name: digits, epochs: 1", "{name: digits, schedule: {kind: step, warmup: 1}, epochs: 1")
    )
    assert "schedule.warmup must be less than epochs, got 1 of 1" in said


def test_stacks_have_one_workload_and_come_back_from_their_text() -> None:
    study = Study.parse(TEXT)
    stacks = cut(study.grid(), slots=2, size=7)
    assert {len({(run.workload, run.seed) for run in stack}) for stack in stacks} == {1}
    assert sorted(run.run_id for stack in stacks for run in stack) == sorted(run.run_id for run in study.grid())
    for stack in stacks:
        assert decode(study, encode(study, stack)) == stack


def test_runs_of_the_engine_single_are_cut_beside_stacks() -> None:
    study = Study.parse(TEXT.replace("channels: 2", "channels: 2, engine: single"))
    sizes = {stack[0].workload.name: len(stack) for stack in cut(study.grid(), slots=1)}
    assert sizes["digits-cnn"] == 1
    assert sizes["digits"] > 1


def test_each_workload_has_a_search_of_its_own(tmp_path: Path) -> None:
    study = Study.parse(TEXT + "search: {sampler: random, cells: 4}\n")
    source = make_source(study, Store(str(tmp_path)).runs())
    assert source.total == 2 * 2 * 4 * 2
    runs = source.next()
    assert {run.workload.name for run in runs} == {"digits", "digits-cnn"}
    assert {run.lr for run in runs if run.optimizer.name == "sgd"} <= {0.1, 0.3}
    too_many = TEXT + "search: {sampler: random, cells: 5}\n"
    assert "optimizers[1].space: has only 4 different cells" in wrong(too_many)


def test_a_plan_adds_up_the_workloads(tmp_path: Path) -> None:
    study = Study.parse(TEXT)
    store = Store(str(tmp_path / "two"))
    assert plan(study, store).total == 40
    assert plan(study, store).seconds is None
    run_here(study.parts[0], tmp_path, quiet=True)
    half = plan(study, store)
    assert (half.total, half.stored, half.seconds) == (40, 20, None), "nothing is known of the second yet"
    run_here(study, tmp_path, quiet=True)
    done = plan(study, store)
    assert (done.stored, done.seconds) == (40, 0.0)
