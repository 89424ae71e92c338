"""What holds for every figure of the registry, on every kind of study: it is drawn, or says why not."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
import pytest

from analysis.figures import Drawing, NotDrawn, registry
from analysis.figures.base.theme import INK
from analysis.report.one_workload import OneWorkload
from analysis.report.page import section, themes
from tests.support.drawn_studies import KINDS, studies

if TYPE_CHECKING:
    from analysis.contents.gather import Contents

DRAWN_IN_FULL = {"10", "11", "14", "15", "basins", "difference", "profiles", "slices", "claims", "curves", "scatter"}


@pytest.fixture(name="every", scope="module")
def make_every(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Contents]:
    return studies(tmp_path_factory.mktemp("studies"))


@pytest.fixture(name="found", scope="module")
def draw_every(every: dict[str, Contents]) -> dict[str, dict[str, Drawing | NotDrawn]]:
    """Return kind of study -> id of a figure -> what comes of it."""
    return {kind: registry.drawings(contents, registry.figures()) for kind, contents in every.items()}


def dressed(layout: go.Layout, look: dict[str, str]) -> go.Layout:
    """Return a layout with the page's colors, as the script of the page gives them."""
    copy: dict[str, Any] = json.loads(go.Figure(layout=layout).to_json())["layout"]
    copy["font"]["color"] = look["ink"]
    for key, axis in copy.items():
        if re.fullmatch(r"[xy]axis\d*", key):
            axis |= {"gridcolor": look["grid"], "linecolor": look["axis"], "tickcolor": look["axis"]}
    return go.Layout(copy)


def stands(drawing: Drawing) -> None:
    """In the light and in the dark, wide and narrow, every trace has its axes and no ink is that of another page."""
    for look in themes().values():
        for layout in (drawing.figure.layout, drawing.narrow):
            assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"
            assert layout.height > 0
            figure = go.Figure(drawing.figure.data, dressed(layout, look))
            text = figure.to_json()
            assert {ink for ink in INK.values() if ink in text} == {look["ink"]}
            for trace in figure.data:
                axes = [trace[f"{letter}axis"] or letter for letter in "xy"]
                assert all(figure.layout[f"{one[0]}axis{one[1:]}"] is not None for one in axes)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("figure", registry.figures())
def test_it_is_drawn_or_says_why_not(figure: str, kind: str, found: dict[str, dict[str, Drawing | NotDrawn]]) -> None:
    one = found[kind][figure]
    if isinstance(one, NotDrawn):
        assert re.fullmatch(r"[a-z].*[^.\s]", one.reason), "it follows 'not drawn: ' and has no full stop"
    else:
        assert isinstance(one, Drawing)
        assert re.fullmatch(r"\S.*[.)]", one.caption, re.DOTALL)
        stands(one)


def test_a_full_study_has_most_of_them_and_an_empty_one_none(found: dict[str, dict[str, Drawing | NotDrawn]]) -> None:
    assert {name for name, one in found["full"].items() if isinstance(one, Drawing)} >= DRAWN_IN_FULL
    assert all(isinstance(one, NotDrawn) for one in found["empty"].values())


@pytest.mark.parametrize("kind", KINDS)
def test_the_report_has_what_is_drawn_under_its_heading(
    kind: str, every: dict[str, Contents], found: dict[str, dict[str, Drawing | NotDrawn]]
) -> None:
    rows = registry.of_report()
    drawn = {name: one for name in rows if isinstance(one := found[kind][name], Drawing)}
    text = OneWorkload(contents=every[kind], drawn=drawn, root="results/demo").figures() or ""
    assert re.findall(r'<div class="figure" id="([\w-]+)"', text) == list(drawn)
    assert re.findall(r"<h2>([^<]*)</h2><figure>", text) == [rows[name].heading for name in drawn]


def test_a_figure_that_asks_for_no_height_has_room_on_the_page() -> None:
    drawing = Drawing(go.Figure(), narrow=go.Layout(), caption="Nothing.")
    assert 'style="height:450px"' in section("theirs", "Theirs", drawing)
