"""The report's first sentence: is one basin wider or deeper than another, and how sure is that?"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions import ERROR, LEAST_SEEDS
from analysis.formats import listing, percent, points, seed_counts
from analysis.report import notes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.contents.gather import Contents
    from analysis.measures.contrasts import Contrasts
    from analysis.statistics.comparison import Comparison

MOST_RIVALS = 3
PRIMARY = "adams"
WORDS = "Depth, the test error of the chosen cell", "less deep", "deeper"
OF_ONE_CELL = "Test error after the last epoch", "higher", "lower"
"""What a depth is called, and a depth that is worse or better than another."""


def answer(contents: Contents) -> str:
    """Return the answer in plain words, HTML. Without two optimizers to compare, what was measured."""
    pairs = compared(contents)
    if contents.contrasts is None or not pairs or (contents.contrasts.box is None and not contents.no_map):
        return notes.sentence(contents)
    first, rivals = pairs
    contrasts, shown = contents.contrasts, rivals[:MOST_RIVALS]
    seeds = seed_counts(n for one in contents.summaries for n in one.seeds)
    if contents.no_map:
        deep = _depths(contrasts, first, shown, 1 - ERROR / len(rivals), WORDS if contents.axes else OF_ONE_CELL)
        return f"On {escape(contents.workload)}, {seeds}. {deep}{_more(rivals, shown)}."
    joint = 1 - ERROR / len(rivals)
    wide = [_wide(contrasts, first, rival, contents.deltas, joint) for rival in shown]
    rest = _more(rivals, shown)
    lead = f"On {escape(contents.workload)}, {seeds}: {escape(first)}’s basin within {points(contents.delta)}"
    deep = _depths(contrasts, first, shown, joint)
    return f"{lead} is {listing(wide)}{rest}. {deep}{notes.clipped(contents)}."


def headline(contents: Contents) -> str:
    """Return which optimizer is the more robust one, by the width of its basin, or that this is not decided, HTML.

    "" where there is nothing to compare: fewer than two optimizers with a result, or no map.
    """
    pairs, contrasts = compared(contents), contents.contrasts
    shares = {one.label: one.share for one in contents.summaries if np.isfinite(one.share)}
    if contrasts is None or pairs is None or len(shares) < 2 or not any(shares.values()):
        return ""
    widest = max(shares, key=lambda label: shares[label])
    rivals = [label for label in shares if label != widest]
    level = 1 - ERROR / len(rivals)
    open_ = [
        rival
        for rival in rivals
        if not decided(
            contrasts,
            [contrasts.compare("basin_area", widest, rival, delta=d, level=level) for d in contents.deltas],
        )
    ]
    name, share = escape(widest), percent(shares[widest])
    if not open_:
        return f"<strong>{name} is the more robust here</strong>: its basin is the widest, {share} of the box."
    seeds = seed_counts(n for one in contents.summaries for n in one.seeds)
    against = listing([escape(label) for label in open_[:MOST_RIVALS]]) + _more(open_, open_[:MOST_RIVALS])
    return (
        f"<strong>Not decided which is more robust here.</strong> {name} has the widest basin, {share} of the box, but "
        f"against {against} {seeds} cannot tell."
    )


def _more(rivals: Sequence[str], shown: Sequence[str]) -> str:
    return f" (and {len(rivals) - len(shown)} more below)" if len(rivals) > len(shown) else ""


def compared(contents: Contents) -> tuple[str, list[str]] | None:
    """Return the optimizer that the study is about (AdamS where it is there, else the first) and its rivals."""
    labels = list(contents.marks)
    if len(labels) < 2:
        return None
    names = dict(zip(contents.runs["label"].astype(str), contents.runs["optimizer"], strict=True))
    first = next((label for label in labels if names[label] == PRIMARY), labels[0])
    return first, [label for label in labels if label != first]


def decided(contrasts: Contrasts, comparisons: Sequence[Comparison]) -> int:
    """Return +1 or -1 if all the intervals lie on that side of equality and nothing could turn them round, else 0."""
    sides = {one.side for one in comparisons}
    sure = len(sides) == 1 and all(one.seeds >= LEAST_SEEDS and not contrasts.clipped(one) for one in comparisons)
    return sides.pop() if sure else 0


def _wide(contrasts: Contrasts, first: str, rival: str, deltas: Sequence[float], joint: float) -> str:
    every = [contrasts.compare("basin_area", first, rival, delta=delta, level=joint) for delta in deltas]
    one = contrasts.compare("basin_area", first, rival, delta=deltas[0])
    if not np.isfinite(one.estimate):
        return f"not to be compared with {escape(rival)}’s, which has no area in the box"
    words = f"<strong>{one.estimate:.2f} times as wide as {escape(rival)}’s</strong>"
    return f"{words} ({_interval(one)}{'' if decided(contrasts, every) else ', undecided'})"


def _interval(one: Comparison) -> str:
    if not one.known:
        return "no interval"
    high = "any more" if np.isinf(one.high) else f"{one.high:.2f}"
    return f"95 %: {one.low:.2f}–{high}"


def _depths(
    contrasts: Contrasts, first: str, rivals: Sequence[str], joint: float, said: tuple[str, str, str] = WORDS
) -> str:
    """Return the depths of all, and which differences are decided."""
    depths = [f"{escape(label)} {contrasts.depth(label):.2f} %" for label in (first, *rivals)]
    sure = []
    for rival in rivals:
        one = contrasts.compare("depth", first, rival)
        side = decided(contrasts, [contrasts.compare("depth", first, rival, level=joint)])
        if side:
            words = f"{said[1] if side > 0 else said[2]} than {escape(rival)}’s by {abs(one.estimate):.2f} points"
            ends = sorted((abs(one.low), abs(one.high)))
            sure.append(f"<strong>{words}</strong> (95 %: {ends[0]:.2f}–{ends[1]:.2f})")
    verdict = f"it is {listing(sure)}" if sure else f"undecided which is {said[2]}"
    return f"{said[0]}: {', '.join(depths)}; {verdict}"
