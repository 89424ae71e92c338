"""Whoever words a report computes nothing: each comparison is made once, by `gather`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from analysis.contents.gather import answered, gather_all
from analysis.measures.contrasts import Contrasts
from analysis.report import report
from analysis.report.answer import answer, headline
from robustness.results import Store

if TYPE_CHECKING:
    from analysis.statistics.comparison import Comparison, Question

PUBLISHED = Path(__file__).parents[3] / "published" / "cifar10"


@pytest.mark.slow
def test_the_report_of_cifar10_makes_each_comparison_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Question] = []
    answer_of = Contrasts.answer

    def counted(self: Contrasts, question: Question) -> Comparison:
        made.append(question)
        return answer_of(self, question)

    monkeypatch.setattr(Contrasts, "answer", counted)
    contents = gather_all(Store(PUBLISHED, read_only=True))
    assert len(made) == len(set(made))
    assert len(made) > 40
    gathered = len(made)
    (tmp_path / "report.html").write_text(report.report_html([contents[0]], "there"), encoding="utf-8")
    again = answered(contents[0])
    before = len(made)
    assert headline(again)
    assert answer(again) == answer(contents[0])
    assert len(made) == before
    assert set(made[gathered:]) <= set(made[:gathered]), "the service's first words are among the report's"
