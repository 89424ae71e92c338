"""Clouds of the last epochs, basin profiles and tuning curves: their numbers against the raw rows."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.figures import profile, profiles, tuning
from analysis.figures.lines.scatter import scatter
from analysis.landscapes.labels import label
from analysis.landscapes.landscape import landscapes
from tests.support import synthetic
from tests.support.own_figures import RATES, bands, cell, curve, lines, stands


def test_scatter_holds_the_last_epochs_of_every_seed() -> None:
    runs = label(synthetic.runs())
    chosen = {name: cell(runs, name) for name in RATES}
    for epochs, last, words in ((100, 40, "the last 40 epochs"), (20, 10, "the last half of training")):
        curves = synthetic.curves(runs, epochs)
        drawing = scatter(curves, chosen)
        late = curves[curves["run_id"].isin(chosen["adamw"]) & (curves["epoch"] > epochs - last)]
        drawn = lines(drawing, "adamw")[0]
        assert len(drawn.x) == 3 * last
        np.testing.assert_allclose(np.sort(drawn.x), np.sort(late["train_loss"]))
        np.testing.assert_allclose(np.sort(drawn.y), np.sort(late["test_error"]))
        assert drawn.mode == "markers"
        assert words in drawing.caption
        assert drawing.figure.layout.xaxis.type == "log"
        stands(drawing)
    assert len({lines(drawing, name)[0].marker.symbol[0] for name in RATES}) == 3


def test_profile_is_the_share_of_area_at_most_tau() -> None:
    runs = label(synthetic.runs())
    one = landscapes(runs)["adams"]
    tau, share = profile(one)
    errors = one.mean[1:]
    for value in (0.0, 2.5, 10.0, 89.0, 91.0):
        # All cells of this grid but those of weight decay 0 are equally large.
        found = share[tau <= value]
        assert (found[-1] if len(found) else 0.0) == pytest.approx((errors <= value).mean(), abs=1e-4)
    drawing = profiles({"adams": (tau, share), "none": (tau[:0], share[:0])}, [3], {"adams": (share / 2, share)})
    drawn = lines(drawing, "adams")[0]
    assert drawn.line.shape == "hv"
    np.testing.assert_allclose(drawn.y, 100 * share)
    band = bands(drawing)[0]
    half = len(band.x) // 2
    upper = dict(zip(band.x[:half], band.y[:half], strict=True))
    assert upper[tau[3]] == pytest.approx(100 * share[3])
    assert band.y[half:][::-1][0] == pytest.approx(50 * share[0])
    # The band has the line's steps: it is level from one tau to the next.
    np.testing.assert_allclose(band.y[: half - 1 : 2], band.y[1:half:2])
    np.testing.assert_allclose(band.x[1 : half - 1 : 2], band.x[2:half:2])
    assert "3 seeds" in drawing.caption
    stands(drawing)


def test_tuning_bands_without_an_end_reach_the_picture_and_no_further() -> None:
    drawing = tuning({"adams": curve([2, 2, -np.inf, np.nan], [100, np.inf, 20, 5])}, [2])
    bottom, top = 10 ** np.array(drawing.figure.layout.yaxis.range)
    drawn, band = lines(drawing, "adams")[0], bands(drawing)[0]
    np.testing.assert_array_equal(drawn.x, [1, 2, 4, 8])
    np.testing.assert_array_equal(drawn.y, [12, 6, 4, 3])
    assert drawing.figure.layout.xaxis.type == "log"
    assert np.isfinite(band.y).all()
    assert min(band.y) >= bottom * 0.999
    assert max(band.y) <= top * 1.001
    assert "no upper limit" in drawn.text[1]
    assert "no lower limit" in drawn.text[3]
    assert "2311.09480" in drawing.caption
    assert "2 seeds" in drawing.caption
    assert "holds exactly" in drawing.caption
    assert "approximate" in tuning({"adams": curve([1] * 4, [9] * 4, exact=False)}).caption
    stands(drawing)
