"""What figures are made of: outlines, the color scale, numbers in words, picture files."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analysis.figures import basins
from analysis.figures.base.color_scale import scale
from analysis.figures.base.outline import loops, path
from analysis.figures.base.theme import decade_ticks
from analysis.figures.export import ExportError, export
from analysis.figures.lines.slices import slices
from analysis.formats import number, percent, seed_counts
from analysis.landscapes.landscape import Status, landscapes
from tests.support import synthetic
from tests.support.browser import find_chromium  # noqa: F401


def test_color_is_monotone_and_diverged_cells_do_not_stretch_it() -> None:
    plain_maps = landscapes(synthetic.runs(diverges=15.0))
    colors = scale(plain_maps.values(), 1.0)
    whole = np.concatenate([m.mean[m.status == Status.COMPLETED] for m in plain_maps.values()])
    assert colors.best == pytest.approx(whole.min())
    assert colors.worst == pytest.approx(np.quantile(whole, 0.95))
    assert colors.worst < 20 < synthetic.CHANCE
    values = np.linspace(colors.best, colors.worst, 50)
    assert (np.diff(colors(values)) > 0).all()
    assert colors(np.array([colors.best]))[0] == 0
    assert colors(np.array([90.0])) == colors(np.array([colors.worst]))
    assert np.isnan(colors(np.array([np.nan]))).all()


@given(arrays(bool, st.tuples(st.integers(1, 7), st.integers(1, 7))))
def test_outline_encloses_exactly_the_cells(mask: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
    found = loops(mask)
    area = 0.0
    inside = np.zeros(mask.shape, dtype=int)
    for loop in found:
        assert loop[0] == loop[-1]
        for (x0, y0), (x1, y1) in pairwise(loop):
            assert (x0 == x1) != (y0 == y1)
            area += (x0 * y1 - x1 * y0) / 2
            if x0 == x1:
                # A ray to the right from a cell crosses the vertical sides that are east of it.
                inside[min(y0, y1) : max(y0, y1), :x0] += 1 if y1 > y0 else -1
        corners = list(zip(loop, loop[1:], loop[2:], strict=False))
        assert all((a[0] == b[0]) != (b[0] == c[0]) for a, b, c in corners), "only turning points are kept"
    assert area == mask.sum()
    np.testing.assert_array_equal(inside, mask.astype(int))


def test_outline_of_cells_that_touch_at_a_corner_has_a_loop_each() -> None:
    assert len(loops(np.eye(3, dtype=bool))) == 3
    ring = np.ones((3, 3), dtype=bool)
    ring[1, 1] = False
    assert len(loops(ring)) == 2
    xs, ys = path(np.array([[True]]), np.array([1.0, 10.0]), np.array([0.1, 0.5]))
    assert set(zip(xs, ys, strict=True)) == {(1.0, 0.1), (10.0, 0.1), (10.0, 0.5), (1.0, 0.5)}


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.001, "0.001"), (3.16228e-05, "3.16e-5"), (1e-4, "1e-4"), (0.5, "0.5"), (100.0, "100"),
     (float("nan"), "unknown"), (1e5, "1e5"), (0.99999, "1")],
)  # fmt: skip
def test_numbers_are_short(value: float, text: str) -> None:
    assert number(value) == text


def test_words_for_counts_shares_and_ticks() -> None:
    assert (seed_counts([3, 3]), seed_counts([1]), seed_counts([1, 3, 0]), seed_counts([])) == (
        "3 seeds", "1 seed", "1 to 3 seeds", "no seed",
    )  # fmt: skip
    assert [percent(v).replace("\u00a0", " ") for v in (0.381, 0.0454, 0.0, 1.0)] == [
        "38 %",
        "4.5 %",
        "0 %",
        "100 %",
    ]
    assert decade_ticks(5e-5, 0.5)[0] == [1e-4, 1e-3, 1e-2, 1e-1]
    assert decade_ticks(0.2, 0.6)[0] == [0.2, 0.5]


@pytest.mark.browser
@pytest.mark.parametrize(("kind", "start"), [("svg", b"<svg"), ("png", b"\x89PNG")])
def test_picture_is_drawn(tmp_path: Any, kind: str, start: bytes, chromium: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("BROWSER_PATH", chromium)
    out = export(basins(landscapes(synthetic.runs(seeds=1))), tmp_path / f"a.{kind}")
    assert out.read_bytes().startswith(start)
    if kind == "svg":
        text = out.read_text()
        assert text.count("<image") >= 3
        assert "learning rate" in text


def test_picture_without_chromium_is_a_clear_error(tmp_path: Any, monkeypatch: Any) -> None:
    drawing = slices(landscapes(synthetic.runs(seeds=1)))
    with pytest.raises(ExportError, match=r"\.svg, \.png, \.pdf"):
        export(drawing, tmp_path / "a.gif")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("BROWSER_PATH", raising=False)
    with pytest.raises(ExportError, match="none on PATH"):
        export(drawing, tmp_path / "a.svg")
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "nowhere"))
    with pytest.raises(ExportError, match="no program"):
        export(drawing, tmp_path / "a.svg")
