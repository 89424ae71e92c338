"""What every sampler must hold to: its cells lie in the box, its seed decides them, and its row is true of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from analysis.measures.uniform_samples import are_uniform
from robustness.results import Store
from robustness.results.tables.schema import RUNS
from robustness.search import make_source
from robustness.study.samplers import EVEN, LEARNING, ROWS, SAMPLERS
from robustness.study.schema import study_schema
from tests.support.searches import DECAY, LR, bowl, drive, searching

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from robustness.study import Run
    from robustness.study.samplers import Row

    Place = tuple[float, float]

EACH = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
LISTS = {"lr": [1e-3, 1e-2, 0.1], "weight_decay": [0.0, 1e-4, 1e-3, 1e-2]}


SOME = 40
"""Cells from which it is seen whether a sampler learns."""


@pytest.fixture(scope="module", params=ROWS, ids=lambda row: row.name)
def bowls(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Row, list[Place]]:
    """Return a sampler and some cells that it names where errors are a bowl."""
    return request.param, cells_of(request.param, tmp_path_factory.mktemp("bowls"), SOME)


def cells_of(row: Row, folder: Path, count: int, error: Callable[[Run], float] = bowl) -> list[Place]:
    """Return the cells that a sampler names one after the other, in their order."""
    study = searching({"sampler": row.name, "cells": count, "ahead": 1})
    return [(run.lr, run.weight_decay) for run in drive(make_source(study, Store(folder).runs()), error)]


def mirrored(run: Run) -> float:
    """Return an error whose bottom lies in the corner across from that of the bowl."""
    return (math.log10(run.lr) + 1) ** 2 + (math.log10(run.weight_decay) + 4.5) ** 2


@EACH
def test_cells_lie_in_the_box_and_are_repeated(row: Row, tmp_path: Path) -> None:
    cells = cells_of(row, tmp_path, 12)
    assert len(set(cells)) == 12
    assert all(LR["low"] <= lr <= LR["high"] and DECAY["low"] <= decay <= DECAY["high"] for lr, decay in cells)
    assert cells_of(row, tmp_path, 12) == cells


@EACH
def test_cells_of_lists_are_those_of_the_lists(row: Row, tmp_path: Path) -> None:
    study = searching({"sampler": row.name, "cells": 12}, lr=LISTS["lr"], weight_decay=LISTS["weight_decay"])
    cells = {(run.lr, run.weight_decay) for run in drive(make_source(study, Store(tmp_path).runs()))}
    assert cells == {(lr, decay) for lr in LISTS["lr"] for decay in LISTS["weight_decay"]}


@pytest.mark.slow
def test_it_learns_if_its_row_says_so(bowls: tuple[Row, list[Place]], tmp_path: Path) -> None:
    """The first cells are drawn without knowing anything; what learns comes nearer to the bottom, wherever it lies."""
    row, cells = bowls
    mirrors = cells_of(row, tmp_path, SOME, mirrored)
    assert cells[:2] == mirrors[:2]
    assert (cells == mirrors) is not row.learns
    if row.learns:
        lr = [sum(math.log10(lr) for lr, _ in each[SOME // 2 :]) for each in (cells, mirrors)]
        assert lr[0] < lr[1], "the bottoms lie at 1e-2 and 1e-1"


def test_its_cells_are_even_if_its_row_says_so(bowls: tuple[Row, list[Place]], tmp_path: Path) -> None:
    """Of cells spread log-uniformly a share lies in a part of the box that is as large, up to four standard errors."""
    row, cells = bowls
    cells = cells_of(row, tmp_path, 256) if row.even else cells
    count = len(cells)
    inside = [cell for cell in cells if bowl_is_low(*cell)]
    share, deviation = 0.25, math.sqrt(0.25 * 0.75 / count)
    if row.even:
        assert abs(len(inside) / count - share) < 4 * deviation
    else:
        assert len(inside) / count > share + 4 * deviation, "it crowds where the bowl is low"


def bowl_is_low(lr: float, decay: float) -> bool:
    """Return whether a cell lies in the quarter of the box, by logarithms, around the bottom of the bowl."""
    return -3 <= math.log10(lr) < -1 and -4 <= math.log10(decay) < -2


def test_what_is_said_of_samplers_is_made_of_the_rows() -> None:
    assert [row.name for row in ROWS] == [*SAMPLERS] == ["tpe", "gp", "cmaes", "qmc", "random"]
    assert study_schema()["$defs"]["Sampled"]["properties"]["sampler"]["enum"] == [*SAMPLERS]
    assert {*LEARNING}.isdisjoint(EVEN)
    assert [are_uniform([row.name]) for row in ROWS] == [row.even for row in ROWS]
    described = RUNS.field("sampler").metadata[b"description"].decode()
    assert all(row.name in described for row in ROWS)
