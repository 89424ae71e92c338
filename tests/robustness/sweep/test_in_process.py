"""A sweep without Ray takes the study's resources as one on Ray does, and records nothing where nothing is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from robustness import training
from robustness.results import Store
from robustness.sweep.in_process import run_here
from tests.support.studies import make

if TYPE_CHECKING:
    from pathlib import Path

    from robustness.study import Run, Study

SMALL = {"name": "digits", "epochs": 1, "train_size": 64}


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the stacks that were begun; of a single run the first try fails."""
    sizes: list[int] = []
    train = training.train

    def fragile(runs: list[Run], **options: object) -> object:
        sizes.append(len(runs))
        if len(runs) == 1 and sizes.count(1) == 1:
            raise MemoryError("no room")
        return train(runs, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(training, "train", fragile)
    return sizes


def study(**resources: object) -> Study:
    return make(workload=SMALL, seeds=1, resources=resources)


def test_the_size_of_a_stack_is_the_studys(tried: list[int], tmp_path: Path) -> None:
    run_here(study(stack_size=3), tmp_path, quiet=True)
    assert sum(tried) == 8
    assert max(tried) <= 3
    assert max(Store(tmp_path / "x").runs()["stack_size"]) <= 3


@pytest.mark.slow
@pytest.mark.parametrize(("retries", "failed"), [(0, 1), (1, 0)])
def test_what_fails_is_tried_again_as_often_as_the_study_says(
    retries: int, failed: int, tried: list[int], tmp_path: Path
) -> None:
    sweep = run_here(study(stack_size=1, retries=retries), tmp_path, quiet=True)
    assert (sweep.trained, sweep.failed) == (8 - failed, failed)
    assert len(tried) == 8 + retries


def test_a_sweep_that_trains_nothing_leaves_no_record(tmp_path: Path) -> None:
    run_here(study(), tmp_path, quiet=True)
    assert len(Store(tmp_path / "x").read_provenance()) == 1
    again = run_here(study(), tmp_path, quiet=True)
    assert (again.trained, again.failed) == (0, 0)
    assert len(Store(tmp_path / "x").read_provenance()) == 1
