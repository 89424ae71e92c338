"""The report's first sentence: is one basin wider or deeper than another, and how sure is that?"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from analysis.contents.questions import DEPTH, MOST_RIVALS, OWN, compared, joint, widest, widths
from analysis.formats import listing, percent, points, seed_counts
from analysis.report import notes
from analysis.statistics.comparison import Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.contents.gather import Contents
    from analysis.statistics.comparison import Comparison
    from analysis.statistics.comparisons import Comparisons

WORDS = "Depth, the test error of the chosen cell", "less deep", "deeper"
OF_ONE_CELL = "Test error after the last epoch", "higher", "lower"
"""What a depth is called, and a depth that is worse or better than another."""


def answer(contents: Contents) -> str:
    """Return the answer in plain words, HTML. Without two optimizers to compare, what was measured."""
    pairs, found = compared(contents), contents.comparisons
    if found is None or pairs is None:
        return notes.sentence(contents)
    first, rivals = pairs
    shown = rivals[:MOST_RIVALS]
    seeds = seed_counts(n for one in contents.summaries for n in one.seeds)
    deep = _depths(contents, found, first, rivals, WORDS if contents.axes else OF_ONE_CELL)
    if contents.no_map is not None:
        return f"On {escape(contents.workload)}, {seeds}. {deep}{_more(rivals, shown)}."
    wide = [_wide(found, first, rival, rivals, contents.deltas) for rival in shown]
    rest = _more(rivals, shown)
    lead = f"On {escape(contents.workload)}, {seeds}: {escape(first)}’s basin within {points(contents.delta)}"
    return f"{lead} is {listing(wide)}{rest}. {deep}{notes.clipped(contents)}."


def headline(contents: Contents) -> str | None:
    """Return which optimizer is the more robust one, by the width of its basin, or that this is not decided, HTML.

    None where there is nothing to compare: fewer than two optimizers with a result, or no map.
    """
    pair, found = widest(contents), contents.comparisons
    if found is None or pair is None:
        return None
    first, rivals = pair
    # Decided against it is not decided: the one that is named must be the one that the intervals favor.
    open_ = [rival for rival in rivals if found.decided(widths(first, rivals, rival, contents.deltas)) <= 0]
    share = next(one.share for one in contents.summaries if one.label == first)
    if not open_:
        said = f"its basin is the widest, {percent(share)} of the box"
        return f"<strong>{escape(first)} is the more robust here</strong>: {said}."
    seeds = seed_counts(n for one in contents.summaries for n in one.seeds)
    against = listing([escape(label) for label in open_[:MOST_RIVALS]]) + _more(open_, open_[:MOST_RIVALS])
    return (
        f"<strong>Not decided which is more robust here.</strong> {escape(first)} has the widest basin, "
        f"{percent(share)} of the box, but against {against} {seeds} cannot tell."
    )


def _more(rivals: Sequence[str], shown: Sequence[str]) -> str:
    return f" (and {len(rivals) - len(shown)} more below)" if len(rivals) > len(shown) else ""


def _wide(found: Comparisons, first: str, rival: str, rivals: Sequence[str], deltas: Sequence[float]) -> str:
    one = found[Question(OWN, first, rival, delta=deltas[0])]
    if not np.isfinite(one.estimate):
        return f"not to be compared with {escape(rival)}’s, which has no area in the box"
    words = f"{one.estimate:.2f} times as wide as {escape(rival)}’s"
    # A number that may be another is not bold; that it may be is.
    if found.decided(widths(first, rivals, rival, deltas)):
        return f"<strong>{words}</strong> ({_interval(one)})"
    return f"{words} ({_interval(one)}, <strong>undecided</strong>)"


def _interval(one: Comparison) -> str:
    if not one.known:
        return one.no_interval
    high = "any more" if np.isinf(one.high) else f"{one.high:.2f}"
    return f"95 %: {one.low:.2f}–{high}"


def _depths(
    contents: Contents, found: Comparisons, first: str, rivals: Sequence[str], said: tuple[str, str, str]
) -> str:
    """Return the depths of all, and which differences are decided."""
    marks, shown = contents.marks, rivals[:MOST_RIVALS]
    depths = [f"{escape(label)} {marks[label].error:.2f} %" for label in (first, *shown)]
    sure = []
    for rival in shown:
        one = found[Question(DEPTH, first, rival)]
        side = found.decided([Question(DEPTH, first, rival, level=joint(rivals))])
        if side:
            words = f"{said[1] if side > 0 else said[2]} than {escape(rival)}’s by {abs(one.estimate):.2f} points"
            ends = sorted((abs(one.low), abs(one.high)))
            sure.append(f"<strong>{words}</strong> (95 %: {ends[0]:.2f}–{ends[1]:.2f})")
    verdict = f"it is {listing(sure)}" if sure else f"<strong>undecided which is {said[2]}</strong>"
    return f"{said[0]}: {', '.join(depths)}; {verdict}"
