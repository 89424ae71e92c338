"""What the service keeps of a study that was answered: words, and nothing that holds its tables."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING

import pytest

from analysis.contents.gather import gather
from analysis.measures.contrasts import Contrasts
from analysis.service.studies.answers import Answers
from analysis.service.studies.studies import Studies
from robustness.results import Store
from tests.support import synthetic_grid, synthetic_store

if TYPE_CHECKING:
    from pathlib import Path


SMALL = synthetic_store.STUDY.replace("points: 12", "points: 5").replace("points: 11", "points: 4")
APART = """\
name: apart
workload: digits
optimizers: [adams, adamw, {name: sgd, label: SGD, space: {lr: [0.3, 0.6, 0.9]}}]
space: {lr: [1.0e-3, 3.0e-3, 1.0e-2], weight_decay: [1.0e-4, 1.0e-3, 1.0e-2]}
seeds: 3
"""


@pytest.mark.slow
def test_an_answer_keeps_no_table_alive(tmp_path: Path) -> None:
    synthetic_store.store(tmp_path / "demo", synthetic_store.of_study(SMALL), SMALL)
    studies, answers = Studies(str(tmp_path)), Answers()
    snapshot = studies.snapshot("demo")
    assert snapshot is not None
    light = snapshot.light()[0]
    found = answers.of(snapshot, snapshot.workloads[0], 1.0)
    assert found.summaries
    assert found.detail
    kept = [weakref.ref(one) for one in (snapshot, light, light.runs, light.seeds, *light.maps.values())]
    del snapshot, light, studies
    gc.collect()
    assert [one() for one in kept] == [None] * len(kept)
    assert found.runs > 0


@pytest.mark.slow
def test_draws_and_pairs_go_when_a_study_is_gathered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[weakref.ref[Contrasts]] = []
    init = Contrasts.__init__

    def watched(self: Contrasts, *args: object, **options: object) -> None:
        init(self, *args, **options)  # type: ignore[arg-type]
        made.append(weakref.ref(self))

    monkeypatch.setattr(Contrasts, "__init__", watched)
    contents = gather(Store(synthetic_grid.store(tmp_path / "apart", APART)))
    assert contents.apart
    assert len(made) > 1, "each pair in a box of its own"
    gc.collect()
    assert all(one() is None for one in made)
    assert contents.comparisons is not None
