"""Which optimizer the others are compared with, and what is said of a comparison that decides nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from analysis.contents import questions
from analysis.contents.by_workload import by_workload
from analysis.contents.gather import against, answered, fully_against, lightly
from analysis.conventions import COARSE
from analysis.landscapes.labels import label
from analysis.measures.contrasts import Contrasts
from analysis.report import tables
from analysis.report.answer import answer
from robustness import Study
from robustness.study import StudyError
from robustness.study.resolution import resolve
from tests.support import synthetic, synthetic_store
from tests.support.synthetic import Basin

if TYPE_CHECKING:
    from analysis.contents.gather import Contents

TEXT = synthetic_store.STUDY


def gathered(text: str) -> Contents:
    study, runs = Study.parse(text), synthetic_store.of_study()
    return lightly("demo", text, None, by_workload(runs, resolve(study)), runs)[0]


def test_the_first_optimizer_is_the_reference_where_the_study_names_none() -> None:
    assert questions.first_and_rivals(gathered(TEXT)) == ("adam", ["adamw", "adams"])
    chosen = gathered(TEXT + "reference: adamw\n")
    assert questions.first_and_rivals(chosen) == ("adamw", ["adam", "adams"])
    assert "adamw’s basin" in answer(answered(chosen))
    shown = fully_against(answered(chosen), "adams")
    assert shown.reference == "adams"
    assert "adams against adam<" in tables.measures(shown)
    assert fully_against(shown, "plane") is shown, "an address that names no optimizer changes nothing"
    assert against(chosen, None) is chosen


def test_a_reference_changes_no_run() -> None:
    other = Study.parse(TEXT + "reference: adamw\n")
    assert [run.run_id for run in other.grid()] == [run.run_id for run in Study.parse(TEXT).grid()]
    assert other.smoke().reference == "adamw"
    assert Study.parse(other.model_copy().text).reference == "adamw"


def test_a_reference_is_the_label_of_an_optimizer() -> None:
    with pytest.raises(StudyError, match="must be the label of an optimizer, one of adam, adamw, adams"):
        Study.parse(TEXT + "reference: AdaGrad\n")


def test_a_grid_too_coarse_for_an_interval_is_said_in_words() -> None:
    shapes = {"adam": Basin(3.0, -2.4, -3.0, 2.0, 2.0), "adamw": Basin(2.0, -2.4, -3.0, 2.0, 2.0)}
    runs = label(synthetic.runs(shapes, lr=(1e-3, 1e-2), weight_decay=(1e-4, 1e-3), seeds=5, noise=0.05))
    found = Contrasts.of_runs(runs).compare("basin_area", "adam", "adamw", delta=2.0)
    assert found.estimate == 1.0, "all four cells are within two points of the best, in every draw"
    assert not found.known
    assert found.without == COARSE
    assert found.side == 0
    assert tables.compare_words("decades²", found) == "× 1.00<small>no interval: the grid is too coarse</small>"
    fine = label(synthetic.runs(shapes, seeds=5, noise=0.05))
    one = Contrasts.of_runs(fine).compare("basin_area", "adam", "adamw", delta=1.0)
    assert one.known
    assert one.without is None
    assert one.low < 1.0 < one.high


@pytest.mark.parametrize(("low", "high", "decided"), [(0.5, 2.0, False), (1.2, 3.0, True)])
def test_an_undecided_number_is_not_bold_and_the_verdict_is(low: float, high: float, decided: bool) -> None:
    contents = answered(gathered(TEXT))
    assert contents.comparisons is not None
    found = {one: replace(each, low=low, high=high) for one, each in contents.comparisons.found.items()}
    said = answer(replace(contents, comparisons=replace(contents.comparisons, found=found)))
    bold = re.findall("<strong>(.*?)</strong>", said)
    assert any("times as wide as" in words for words in bold) == decided
    assert any(words.startswith("undecided") for words in bold) != decided
    assert len(re.findall("times as wide as", said)) == 2
