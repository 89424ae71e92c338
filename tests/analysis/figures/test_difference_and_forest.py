"""The difference map and the forest plot: their numbers, marks and words."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from scipy import stats

from analysis.claims.verdict import Verdict
from analysis.figures import Drawing, forest
from analysis.figures.base.diverging_scale import COLORS, Diverging
from analysis.figures.maps.difference import difference
from analysis.landscapes.by_seed import replicates
from analysis.landscapes.labels import label
from analysis.landscapes.landscape import edges
from analysis.statistics.comparison import Comparison
from tests.support import synthetic

NAME = "<b>x</b> %{x} & co"


def pair(**options: Any) -> tuple[Any, Any]:
    found = replicates(label(synthetic.runs(**options)), ["test_error"])
    return found["adams"], found["adamw"]


def heatmaps(drawing: Drawing) -> list[Any]:
    return [t for t in drawing.figure.data if isinstance(t, go.Heatmap)]


def named(drawing: Drawing, name: str) -> list[Any]:
    return [t for t in drawing.figure.data if t.name == name]


def stands(drawing: Drawing) -> None:
    assert drawing.caption
    for layout in (drawing.figure.layout, drawing.narrow):
        json.loads(go.Figure(drawing.figure.data, layout).to_json())


def test_difference_is_paired_and_marks_what_students_interval_separates_from_zero() -> None:
    a, b = pair(diverges=15.0)
    drawing = difference(a, b)
    first, second = a.values["test_error"], b.values["test_error"]
    test = stats.ttest_rel(first, second, axis=0)
    interval = test.confidence_interval(0.95)
    lost = (a.lost == 1).all(axis=0) | (b.lost == 1).all(axis=0)
    assert lost.any()
    excludes = ((interval.low > 0) | (interval.high < 0)) & ~lost
    assert 0 < excludes.sum() < excludes.size
    dots = {(x, y) for t in named(drawing, "excludes 0") for x, y in zip(t.x, t.y, strict=True)}
    rows, columns = np.nonzero(excludes)
    heights = np.where(a.weight_decay > 0, a.weight_decay, 0.5)
    assert dots == {(a.lr[column], heights[row]) for row, column in zip(rows, columns, strict=True)}
    main, strip = heatmaps(drawing)
    mean = (first - second).mean(axis=0)
    size = np.quantile(np.abs(mean[(a.lost == 0).all(axis=0) & (b.lost == 0).all(axis=0)]), 0.95)
    expected = np.where(lost, 0, np.sign(mean) * np.log10(1 + np.minimum(np.abs(mean), size) / 0.5))
    np.testing.assert_allclose(main.z, expected[1:])
    np.testing.assert_allclose(strip.z, expected[:1])
    np.testing.assert_array_equal(main.x, edges(a.lr))
    axis = drawing.figure.layout.coloraxis
    assert axis.cmin == -axis.cmax
    said = main.customdata[4][3]
    assert said[2] == f"adams {first[:, 5, 3].mean():.2f} %"
    assert said[3] == f"adamw {second[:, 5, 3].mean():.2f} %"
    assert said[4] == f"{mean[5, 3]:+.2f}"
    assert f"{interval.low[5, 3]:+.2f} to {interval.high[5, 3]:+.2f}, 3 seeds" in said[5]
    assert named(drawing, "learnt nothing")
    stands(drawing)


def test_signs_and_colors_say_who_is_better() -> None:
    a, b = pair()
    drawing, turned = difference(a, b), difference(b, a)
    np.testing.assert_allclose(heatmaps(drawing)[0].z, -np.asarray(heatmaps(turned)[0].z))
    assert "Below 0 (blue): adams has the lower error; above 0 (orange): adamw has" in drawing.caption
    red, _, blue = (int(COLORS[0][i : i + 2], 16) for i in (1, 3, 5))
    assert blue > red
    assert "about 5 % of the cells would be marked by chance alone" in drawing.caption
    assert "3 seeds" in drawing.caption


def test_seeds_without_spread_and_single_seeds_are_never_marked() -> None:
    a, b = pair(noise=0.0)
    assert (np.abs(a.values["test_error"] - b.values["test_error"]) > 0.1).any()
    drawing = difference(a, b)
    assert named(drawing, "excludes 0") == []
    assert "all alike" in heatmaps(drawing)[0].customdata[4][3][5]
    single = difference(*pair(seeds=1))
    assert named(single, "excludes 0") == []
    assert "One seed: there are no intervals" in single.caption


def test_missing_cells_are_blank_and_seeds_without_a_partner_do_not_count() -> None:
    a, b = pair()
    errors = b.values["test_error"].copy()
    errors[:, 2, 2] = np.nan
    errors[0, 3, 3] = np.nan
    b = replace(b, values={"test_error": errors}, lost=np.where(np.isnan(errors), np.nan, b.lost))
    main = heatmaps(difference(a, b))[0]
    assert np.isnan(np.asarray(main.z)[1, 2])
    assert "2 seeds" in main.customdata[2][3][5]
    own = a.values["test_error"][1:, 3, 3].mean()
    assert main.customdata[2][3][2] == f"adams {own:.2f} %"


def test_only_common_cells_are_compared() -> None:
    a, b = pair()
    part = replace(
        b,
        lr=b.lr[3:],
        weight_decay=b.weight_decay[2:],
        values={"test_error": b.values["test_error"][:, 2:, 3:]},
        lost=b.lost[:, 2:, 3:],
    )
    whole, cut = heatmaps(difference(a, b))[0], heatmaps(difference(a, part))
    assert len(cut) == 1
    assert np.shape(cut[0].z) == (11 - 1, 12 - 3)
    np.testing.assert_array_equal(cut[0].customdata[0][0], whole.customdata[1][3])
    with pytest.raises(ValueError, match="no cell in common"):
        difference(a, replace(b, lr=b.lr * 1.01))


def test_scale_of_differences_is_odd_monotone_and_not_stretched() -> None:
    colors = Diverging.of(np.array([*np.linspace(-3, 3, 100), 80.0]))
    assert 2.5 < colors.most < 3.5
    values = np.linspace(-colors.most, colors.most, 41)
    assert (np.diff(colors(values)) > 0).all()
    np.testing.assert_allclose(colors(-values), -colors(values))
    assert colors(np.array([90.0])) == colors(np.array([colors.most]))
    bar = colors.axis({})["colorbar"]
    assert list(bar["tickvals"]) == sorted(bar["tickvals"])
    assert bar["ticktext"][len(bar["ticktext"]) // 2] == "0"
    assert Diverging.of(np.zeros(0)).most > 0


def comparison(measure: str = "depth", scale: Any = "difference", **more: Any) -> Comparison:
    values: dict[str, Any] = {
        "column": "", "delta": None, "of": "AdamS", "against": "AdamW", "value": 2.0, "other": 3.0,
        "estimate": -1.0, "low": -1.5, "high": 0.2, "level": 0.95, "seeds": 3, "needed": 9,
    }  # fmt: skip
    return Comparison(measure=measure, scale=scale, **(values | more))


def verdict(claim: str, outcome: Any, *comparisons: Comparison) -> Verdict:
    return Verdict(
        claim=claim, sentence="words", figure="11", study="demo", workload="digits", outcome=outcome, why="why",
        comparisons=comparisons,
    )  # fmt: skip


AREA = comparison("basin_area", "ratio", delta=1.0, estimate=2.0, low=1.2, high=3.1)
VERDICTS = [
    verdict("deeper-basin", "undecided", comparison()),
    verdict("wider-basin", "reproduced", AREA, replace(AREA, delta=2.0, against="Adam", low=0.0, high=np.inf)),
    verdict("optimum", "contradicted", comparison("optimum_weight_decay", estimate=-2.0, low=-3.0, high=-1.0)),
    verdict("flatter", "no data"),
    verdict("lonely", "undecided", comparison(low=np.nan, high=np.nan, seeds=1)),
]


def test_forest_has_a_row_a_comparison_in_panels_of_one_unit() -> None:
    drawing = forest(VERDICTS)
    points = [t for t in drawing.figure.data if t.error_x.array is not None]
    assert sum(len(t.x) for t in points) == 5
    titles = [drawing.figure.layout[key].title.text for key in ("xaxis", "xaxis2", "xaxis3")]
    assert titles == ["ratio, A / B", "difference A − B, points of error", "difference A − B, decades"]
    assert drawing.figure.layout.xaxis.type == "log"
    area = next(t for t in points if t.xaxis == "x")
    assert area.x[0] == 2.0
    assert area.x[0] + area.error_x.array[0] == pytest.approx(3.1)
    assert area.x[0] - area.error_x.arrayminus[0] == pytest.approx(1.2)
    symbols = {t.name: t.marker.symbol for t in points}
    assert len(set(symbols.values())) == len(symbols) == 3
    assert "Without data: flatter." in drawing.caption
    assert "95 % intervals" in drawing.caption
    assert "1 to 3 seeds" in drawing.caption
    assert any("9 seeds would decide it" in text for t in points for text in t.text)
    stands(drawing)


def test_an_interval_that_leaves_the_picture_ends_at_an_arrow() -> None:
    drawing = forest(VERDICTS)
    low, high = 10 ** np.array(drawing.figure.layout.xaxis.range)
    arrows = named(drawing, "goes on")
    assert {(t.marker.symbol, round(float(t.x[0]), 6)) for t in arrows} == {
        ("triangle-left", round(low, 6)),
        ("triangle-right", round(high, 6)),
    }
    assert all(t.y == (-1.0,) for t in arrows)


@pytest.mark.parametrize("narrow", [False, True])
def test_forest_grows_with_its_rows_and_their_labels_do_not_overlap(narrow: bool) -> None:
    long = verdict("a-claim-with-quite-a-long-name", "undecided", *[comparison(of="o" * 40, against="p" * 40)] * 6)
    drawings = [forest(VERDICTS), forest([*VERDICTS, long])]
    layouts = [d.narrow if narrow else d.figure.layout for d in drawings]
    rows = 58 if narrow else 42
    assert layouts[1].height - layouts[0].height == 6 * rows
    layout = layouts[1]
    area = layout.height - layout.margin.t - layout.margin.b
    tops = []
    for note in layout.annotations:
        axis = layout["yaxis" + note.yref[1:]]
        share = (note.y - axis.range[0]) / (axis.range[1] - axis.range[0])
        tops.append((note.x, area * (axis.domain[0] + share * (axis.domain[1] - axis.domain[0]))))
        widest = max(len(re.sub("<[^>]*>", "", text)) for text in note.text.split("<br>"))
        assert widest * 7 <= (376 if narrow else 420)
    heights = sorted(y for x, y in tops if x == 0)
    # Two lines of 12 pixel text.
    assert (np.diff(heights) >= 32).all()


def test_forest_shows_names_as_they_are_and_stands_without_data() -> None:
    odd = verdict(NAME, "undecided", comparison(of=NAME, column=NAME))
    drawing = forest([odd])
    text = "".join([note.text for note in drawing.figure.layout.annotations] + [*drawing.figure.data[0].text])
    assert "<b>x" not in text
    assert "%{x}" not in text
    for verdicts in ([], [verdict("flatter", "no data")]):
        empty = forest(verdicts)
        assert empty.figure.layout.height > 0
        stands(empty)


def test_a_trend_of_one_optimizer_has_a_panel_that_says_so() -> None:
    trend = comparison("trend", against="", other=0.0, column="grad_norm", estimate=0.3, low=0.1, high=0.4)
    drawing = forest([verdict("grows", "reproduced", trend), *VERDICTS])
    titles = [drawing.figure.layout[key].title.text for key in ("xaxis", "xaxis2", "xaxis3", "xaxis4")]
    assert titles[:2] == ["ratio, A / B", "difference A − B, points of error"]
    assert titles[3] == "slope, decades a decade of weight decay, A alone"
