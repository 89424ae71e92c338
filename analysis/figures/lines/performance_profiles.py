"""Performance profiles of several measures, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.figures.base.line_panels import Panel, Polyline, draw
from analysis.figures.base.theme import DASHES, Drawing
from analysis.formats import percent, plural
from analysis.statistics.performance_profile import TAU_MAX, breakpoints, profile, score

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def performance(
    costs: Mapping[str, Floats], labels: Sequence[str], tau_max: float = TAU_MAX, slots: Sequence[int] | None = None
) -> Drawing:
    """Return a panel a measure: the share of workloads within tau times the best optimizer, a step line each.

    Args:
        costs: Title of a measure -> (n workloads, m optimizers), lower is better; see
            `analysis.statistics.performance_profile`.
        labels: The m optimizers.
        tau_max: Where the axis ends.
        slots: (m,) those of their looks; default: in the order of the labels.
    """
    panels = [_panel(title, table, labels, tau_max, slots or range(len(labels))) for title, table in costs.items()]
    workloads = max((len(table) for table in costs.values()), default=0)
    caption = (
        f"Performance profiles over {plural(workloads, 'workload')}: the share of them on which an optimizer is within "
        f"τ times the best one there (of an area: has at least 1/τ of the largest). At τ = 1 it is the best itself; "
        f"higher is better. The score is the mean height from 1 to {tau_max:g}. Of the means over seeds; no band, "
        "since no interval is known for so few workloads."
    )
    return draw(panels, caption, columns=min(len(panels), 3) or 1)


def _panel(title: str, table: Floats, labels: Sequence[str], tau_max: float, slots: Sequence[int]) -> Panel:
    tau = breakpoints(table, tau_max)
    shares, scores = profile(table, tau), score(table, tau_max)
    lines = []
    for i, (label, slot) in enumerate(zip(labels, slots, strict=True)):
        y, end = 100 * shares[i], f"of the workloads<br>score {scores[i]:.3f}"
        texts = [f"τ {t:.3g}<br><b>{percent(s)}</b> {end}" for t, s in zip(tau, shares[i], strict=True)]
        # Profiles often run on top of each other: what lies below shows through the gaps.
        lines.append(
            Polyline(
                label=label,
                number=slot,
                x=tau,
                y=y,
                low=y,
                high=y,
                texts=texts,
                dash=DASHES[slot % len(DASHES)],
                steps=True,
            )
        )
    return Panel(
        title=title,
        unit="workloads within τ of the best, %",
        x_title="ratio τ to the best optimizer",
        lines=lines,
        x_axis={"range": [1.0 - 0.01 * (tau_max - 1), tau_max]},
        y_axis={"range": [-2, 102]},
    )
