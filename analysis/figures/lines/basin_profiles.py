"""Basin profiles: how much of the box does how well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.figures.base.line_panels import Panel, Polyline, draw, log_axis
from analysis.formats import percent, seed_counts
from analysis.landscapes.basin import cell_weights, has_result
from analysis.landscapes.slots import own_slots

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from analysis.figures.base.theme import Drawing
    from analysis.landscapes.basin import Box
    from analysis.landscapes.landscape import Landscape

    Floats = NDArray[np.float64]


def profile(landscape: Landscape, box: Box | None = None) -> tuple[Floats, Floats]:
    """Return tau (n,), the distinct mean errors of the box's cells, and the share (n,) 0..1 of its area with e <= tau.

    A diverged cell has the error of chance; cells that are not measured, and a weight decay of 0, have no area.
    """
    weights = np.where(has_result(landscape), cell_weights(landscape, box), 0.0)
    inside = weights > 0
    tau, place = np.unique(landscape.mean[inside], return_inverse=True)
    area = np.bincount(place, weights=weights[inside], minlength=len(tau))
    return tau, np.cumsum(area) / max(float(area.sum()), 1e-300)


def profiles(
    shares: Mapping[str, tuple[Floats, Floats]],
    seeds: Iterable[int],
    bands: Mapping[str, tuple[Floats, Floats]] | None = None,
    bands_are: str = "",
    slots: Mapping[str, int] | None = None,
) -> Drawing:
    """Return the share of the box's area with error <= tau against tau, a step line an optimizer.

    Analogue of the performance profile (Dolan & Moré 2002).

    Args:
        shares: label -> tau (n,) ascending, in percent, and share (n,), 0..1. The share holds from its tau
            to the next.
        seeds: Seeds of the measured cells.
        bands: label -> low and high (n,), 0..1, at the same tau.
        bands_are: What the bands are, a sentence for the caption.
        slots: label -> slot of its look; default: in the order of the labels.
    """
    slots = slots or own_slots(shares)
    lines = [_line(slots[label], label, *pair, (bands or {}).get(label)) for label, pair in shares.items()]
    lines = [line for line in lines if len(line.x)]
    tau = np.concatenate([np.zeros(0), *(line.x for line in lines)])
    panel = Panel(
        title="Basin profile",
        unit="share of the box at or below it, %",
        x_title="test error τ, %",
        lines=lines,
        x_axis=log_axis(tau, 1.03) or {"rangemode": "normal"},
        y_axis={"range": [0, 102]},
    )
    drawn = any(label in shares for label in bands or {})
    caption = (
        f"Share of the box’s area (in decades², weight decay 0 apart) whose mean test error over {seed_counts(seeds)} "
        "is at most τ. Higher is more robust: left, the basin’s depth; further right, its width. "
        + ((bands_are or "Bands: as given with the profiles.") if drawn else "No band: the profile of the means.")
    )
    return draw([panel], caption, columns=1)


def _line(i: int, label: str, tau: Floats, share: Floats, band: tuple[Floats, Floats] | None) -> Polyline:
    known = np.isfinite(tau) & np.isfinite(share)
    x, y = np.asarray(tau)[known], 100 * np.asarray(share)[known]
    low, high = (100 * np.asarray(part)[known] for part in band) if band else (y, y)
    texts = [f"error at most {t:.2f} %<br><b>{percent(s / 100)}</b> of the box" for t, s in zip(x, y, strict=True)]
    return Polyline(label=label, number=i, x=x, y=y, low=low, high=high, texts=texts, steps=True)
