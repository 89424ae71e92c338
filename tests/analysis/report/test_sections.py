"""What holds for every section of a report, on every kind of study: its row, its words, its markup."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from analysis.contents.gather import gather_all
from analysis.contents.side_by_side import workloads
from analysis.report.compared_page import ComparedWorkloads
from analysis.report.one_workload import OneWorkload
from analysis.report.sections import OF_COMPARISON, OF_STUDY, OF_STUDY_OF_ONE, OF_WORKLOAD, Section, article, written
from analysis.report.several_workloads import SeveralWorkloads
from robustness.results import Store
from tests.support import synthetic_grid
from tests.support.drawn_studies import KINDS, studies

if TYPE_CHECKING:
    from analysis.contents.gather import Contents

VOID = {"br", "meta", "link", "hr", "img"}


class Markup(HTMLParser):
    """Elements that are open while a text is read; whatever closes another one than the last is an error."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[Any]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


def whole(html: str) -> bool:
    markup = Markup()
    markup.feed(html)
    markup.close()
    return not markup.open


@pytest.fixture(name="every", scope="module")
def make_every(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Contents]:
    return studies(tmp_path_factory.mktemp("studies"))


@pytest.fixture(name="workload", scope="module")
def make_workload(every: dict[str, Contents]) -> dict[str, OneWorkload]:
    return {kind: OneWorkload.of(contents, "results/demo") for kind, contents in every.items()}


@pytest.fixture(name="several", scope="module", params=[synthetic_grid.SEVERAL, synthetic_grid.ONE_CELL])
def make_several(request: Any, tmp_path_factory: pytest.TempPathFactory) -> SeveralWorkloads:
    root = synthetic_grid.store(tmp_path_factory.mktemp("several") / "both", request.param)
    return SeveralWorkloads.of(gather_all(Store(root)), "results/both")


@pytest.mark.parametrize("rows", [OF_WORKLOAD, OF_STUDY_OF_ONE, OF_STUDY, OF_COMPARISON])
def test_no_two_of_a_page_are_alike_and_the_head_comes_first(rows: tuple[Section[Any], ...]) -> None:
    assert len({row.id for row in rows}) == len(rows)
    assert all(row.note is None for row in rows if row.heading is None)
    in_head = [row.in_head for row in rows]
    assert in_head == sorted(in_head, reverse=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("row", OF_STUDY_OF_ONE, ids=lambda row: row.id)
def test_a_workload_s_section_is_whole_or_not_there(
    row: Section[OneWorkload], kind: str, workload: dict[str, OneWorkload]
) -> None:
    check(row, workload[kind])
    assert "<basins>" not in (row.body(workload[kind]) or "")


@pytest.mark.parametrize("row", OF_STUDY, ids=lambda row: row.id)
def test_a_study_s_section_is_whole_or_not_there(row: Section[SeveralWorkloads], several: SeveralWorkloads) -> None:
    check(row, several)


@pytest.mark.parametrize("row", OF_COMPARISON, ids=lambda row: row.id)
def test_a_comparison_s_section_is_whole_or_not_there(
    row: Section[ComparedWorkloads], several: SeveralWorkloads, every: dict[str, Contents]
) -> None:
    for some in (several.studies, list(every.values()), [every["empty"]]):
        check(row, ComparedWorkloads(workloads=workloads(some), delta=1.0))


def check(row: Section[Any], told: Any) -> None:
    body, text = row.body(told), written([row], told)
    if body is None:
        assert text == ""
        return
    assert body.strip()
    assert whole(body)
    assert whole(text)
    assert body in text
    assert (row.heading is None) == (text == body)
    if row.heading is not None:
        assert f"<h3>{row.heading}</h3>" in written([row], told, 3)
        assert (row.note is not None) == ("<p class='caption'>" in text)


def test_an_article_has_a_workload_s_sections_and_a_way_back(every: dict[str, Contents]) -> None:
    one = OneWorkload.of(every["full"], "results/demo", "workload-digits")
    text = article(one)
    assert whole(text)
    assert written(OF_WORKLOAD, one, 3) in text
    assert '<article class="workload" id="workload-digits">' in text
    assert 'id="workload-digits--basins"' in text
    assert "<h3>The claims</h3>" in text
    assert "<noscript>" not in text, "the page says it once"
    assert text.rstrip().endswith('<p class="back"><a href="#top">All workloads</a></p>\n</article>')
