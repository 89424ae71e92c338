"""Whether what was not measured could turn a comparison round: a basin that is clipped, or has holes, has no width."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.formats import listing, plural
from analysis.landscapes.basin import LOW_DECAY, axis_widths
from analysis.measures.over_landscape import OverLandscape
from analysis.measures.registry import formula

if TYPE_CHECKING:
    from analysis.landscapes.basin import Contact
    from analysis.measures.study_landscapes import StudyLandscapes
    from analysis.measures.study_runs import StudyRuns
    from analysis.statistics.comparison import Comparison


def clipped(study: StudyRuns, comparison: Comparison) -> str | None:
    """Return why what lies beyond the box, or in a hole of it, could turn the comparison round; None if it could not.

    Of two basins the narrower one counts: what the box cuts off the wider one would only make it wider yet. Of two
    depths the worse one, whose optimum may lie outside.
    """
    if not comparison.against or np.isnan(comparison.estimate):
        return None
    first_is_less = comparison.value < comparison.other
    less, greater = (comparison.of, comparison.against)[:: 1 if first_is_less else -1]
    kind = formula(comparison.measure)
    if (isinstance(kind, OverLandscape) or kind.depth_of) and (words := _holes(study, less, greater)):
        return words
    if isinstance(kind, OverLandscape):
        if kind.area is None or comparison.delta is None:
            return None
        return _narrower(study, less, greater, comparison.delta, absolute=kind.area == "absolute")
    return _worse(kind.depth_of(study), greater) if kind.depth_of else None


def _holes(study: StudyLandscapes, *labels: str) -> str | None:
    """Return which of these optimizers lack results between cells that have one, in words; None if none does."""
    counts = {}
    for label in labels:
        measured = np.asarray(np.isfinite(study.replicates[label].lost).any(axis=0))
        # Beyond what was run is no hole: a study under way has axes that go on.
        inside = measured[np.ix_(measured.any(axis=1), measured.any(axis=0))]
        counts[label] = int((~inside).sum())
    found = [f"{plural(number, 'cell')} of {label}" for label, number in counts.items() if number]
    return f"no result is stored of {listing(found)}" if found else None


def _narrower(study: StudyLandscapes, narrow: str, wide: str, delta: float, *, absolute: bool) -> str | None:
    sides = list(study.contact(narrow, delta, absolute=absolute).sides)
    if LOW_DECAY in sides and _strip(study, narrow, delta, absolute) <= _strip(study, wide, delta, absolute):
        sides.remove(LOW_DECAY)
    if not sides:
        return None
    return f"the narrower basin, {narrow}'s, reaches the edge of the box at {listing(sides)}"


def _strip(study: StudyLandscapes, label: str, delta: float, absolute: bool) -> float:
    """Return the decades of learning rate that a basin spans at weight decay 0; NaN where that was not measured.

    Towards weight decay 0 every landscape becomes that strip. So a basin goes on below the box as wide as the strip,
    and adds no more there than a basin whose strip is at least as wide.
    """
    one = study.replicates[label]
    if not len(one.weight_decay) or one.weight_decay[0] > 0 or not study.common[label][0].any():
        return float("nan")
    limits = study.box.lr if study.box else (0.0, np.inf)
    inside = study.inside(label, delta, absolute=absolute)[0]
    return float(axis_widths(one.lr, limits)[inside].sum())


def _worse(study: StudyLandscapes, label: str) -> str | None:
    one, cell = study.replicates[label], study.chosen[label]
    if cell is None:
        return None
    # The edge is that of what was run: a study under way has axes that go on beyond it.
    measured = np.asarray(np.isfinite(one.lost).any(axis=0))
    columns = np.flatnonzero(measured.any(axis=0))
    positive = np.flatnonzero(measured.any(axis=1) & (one.weight_decay > 0))
    zero = one.weight_decay[0] == 0 and bool(measured[0, cell.column])
    # An axis of a single value has no edge: the study asks for that value.
    ends = (("low lr", columns[0]), ("high lr", columns[-1])) if len(one.lr) > 1 else ()
    sides = [name for name, at in ends if cell.column == at]
    if len(positive) and len(one.weight_decay) > 1:
        # Below the least weight decay lies 0; where that was measured and is no better, nothing is cut off.
        sides += [LOW_DECAY] if cell.row == positive[0] and not zero else []
        sides += ["high weight decay"] if cell.row == positive[-1] else []
    if not sides:
        return None
    return f"the best cell of {label}, the worse one, lies on the edge of the box at {listing(sides)}"


def edge(contact: Contact) -> str:
    """Return the sides at which a basin meets the edge, in words: "low lr, high weight decay"."""
    return ", ".join(contact.sides)
