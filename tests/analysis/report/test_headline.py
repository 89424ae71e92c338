"""The headline names the optimizer that the intervals favor, or says that nothing is decided."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from analysis.contents import questions
from analysis.contents.gather import answered, gather
from analysis.report.answer import headline
from analysis.statistics.comparison import Comparison
from analysis.statistics.comparisons import Comparisons
from robustness.results import Store
from tests.support import synthetic_grid

if TYPE_CHECKING:
    from analysis.contents.gather import Contents

OWN = """\
name: own
workload: digits
optimizers: [adams, {name: adamw, space: {lr: [2.0e-3, 4.0e-3, 8.0e-3, 1.6e-2]}}]
space:
  lr: [1.0e-3, 3.0e-3, 1.0e-2, 3.0e-2]
  weight_decay: [1.0e-4, 3.0e-4, 1.0e-3, 3.0e-3, 1.0e-2]
seeds: 4
"""


@pytest.fixture(name="contents", scope="module")
def make_contents(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """Return a study of which only the cells inside its basin are trained of one optimizer.

    Its basin is all of the area that was measured of it, and yet the smaller one.
    """
    runs = synthetic_grid.of_grid(OWN, noise=0.02)
    there = (runs["optimizer"] == "adams") | (runs["weight_decay"].eq(1e-4) & runs["lr"].eq(2e-3))
    return answered(gather(Store(synthetic_grid.store(tmp_path_factory.mktemp("h") / "own", OWN, runs[there]))))


def deciding(contents: Contents, low: float, high: float) -> Contents:
    """Return the contents with all of the headline's intervals from `low` to `high`."""
    first, (rival,) = questions.widest(contents) or ("", [""])
    asked = questions.widths(first, [rival], rival, contents.deltas)
    found = {
        one: Comparison(
            measure=one.measure, column="", delta=one.delta, of=first, against=rival, value=1.0, other=1.0,
            scale="ratio", estimate=(low + high) / 2, low=low, high=high, level=one.level, seeds=4, needed=None,
        )
        for one in asked
    }  # fmt: skip
    return replace(contents, comparisons=Comparisons(labels=(first, rival), found=found))


def test_the_greater_share_of_a_part_of_the_box_is_not_the_wider_basin(contents: Contents) -> None:
    share = {one.label: one.share for one in contents.summaries}
    area = {one.label: one.area for one in contents.summaries}
    assert share["adamw"] > share["adams"] > 0
    assert area["adamw"] < area["adams"]
    assert "adamw is the more robust" not in (headline(contents) or "")


@pytest.mark.parametrize(("low", "high", "named"), [(1.2, 3.0, True), (0.25, 0.32, False), (0.8, 1.5, False)])
def test_it_names_the_one_that_every_interval_favors(contents: Contents, low: float, high: float, named: bool) -> None:
    found = headline(deciding(contents, low, high)) or ""
    assert ("adams is the more robust here" in found) == named
    assert ("Not decided which is more robust here" in found) != named
