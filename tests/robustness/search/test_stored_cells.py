"""A search that begins where a grid was: its cells are known, and stand for those that lists can't give any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from robustness.results import Store
from robustness.search import make_source, optuna_search
from robustness.search.missing import missing
from robustness.study.samplers import SAMPLERS
from tests.support.searches import DECAY, LR, drive, searching, trained

if TYPE_CHECKING:
    from pathlib import Path

    from robustness.study import Run

LRS, DECAYS = [1e-3, 1e-2, 0.1], [0.0, 1e-4, 1e-3]
EACH = pytest.mark.parametrize("sampler", SAMPLERS)


def store_with(folder: Path, runs: list[Run], sampler: str = "grid") -> Store:
    store = Store(folder)
    for run in runs:
        store.write(run.run_id, [trained(run, sampler)], [])
    return store


@pytest.mark.slow
@EACH
@pytest.mark.parametrize("cells", [1, 6, 9])
def test_a_search_over_the_lists_of_a_finished_grid_has_nothing_to_train(
    sampler: str, cells: int, tmp_path: Path
) -> None:
    grid = searching("grid", lr=LRS, weight_decay=DECAYS, seeds=2)
    store = store_with(tmp_path, grid.grid())
    study = searching({"sampler": sampler, "cells": cells}, lr=LRS, weight_decay=DECAYS, seeds=2)
    source = make_source(study, store.runs())
    assert (source.total, source.done) == (2 * cells, 2 * cells)
    assert source.next() == []
    assert missing(study, store.runs()).count == 0


@EACH
def test_known_cells_stand_for_those_that_lists_lack(sampler: str, tmp_path: Path) -> None:
    """Of nine cells a grid has five; a search for six trains the four others, interrupted or not."""
    grid = searching("grid", lr=LRS, weight_decay=DECAYS, seeds=2).grid()
    stored, others = grid[:10], grid[10:]
    study = searching({"sampler": sampler, "cells": 6}, lr=LRS, weight_decay=DECAYS, seeds=2)
    store = store_with(tmp_path, stored)
    source = make_source(study, store.runs())
    assert (source.total, source.done) == (12, 4)
    runs = drive(source)
    assert {run.run_id for run in runs} == {run.run_id for run in others}
    again = make_source(study, store_with(tmp_path, runs[:3], sampler).runs())
    assert (again.total, again.done) == (12, 7)
    assert {run.run_id for run in drive(again)} == {run.run_id for run in runs[3:]}


@EACH
def test_a_grid_that_lies_partly_outside_is_known_as_far_as_it_lies_inside(sampler: str, tmp_path: Path) -> None:
    grid = searching("grid", lr=[1e-6, 1e-3, 1e-2, 5.0], weight_decay=[0, 1e-4, 7e-3, 2.0])
    search = {"sampler": sampler, "cells": 8}
    source = make_source(searching(search), store_with(tmp_path, grid.grid()).runs())
    assert (source.total, source.done) == (8, 0)
    runs = drive(source)
    assert len({run.run_id for run in runs} - {run.run_id for run in grid.grid()}) == 8
    for run in runs:
        assert LR["low"] <= run.lr <= LR["high"]
        assert DECAY["low"] <= run.weight_decay <= DECAY["high"]


def test_the_last_unknown_cell_of_a_list_is_found_without_luck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    *stored, last = searching("grid", lr=LRS, weight_decay=DECAYS).grid()
    monkeypatch.setattr(optuna_search, "REPEATS", -len(stored))  # neither the sampler nor chance may try
    study = searching({"sampler": "tpe", "cells": 1}, lr=LRS, weight_decay=DECAYS)
    source = make_source(study, store_with(tmp_path, stored).runs())
    assert [run.run_id for run in drive(source)] == [last.run_id]
