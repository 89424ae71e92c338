"""Which comparisons and which values the report's sentences and its table of measures state.

`gather` asks them, and who words a report looks the answers up by the same questions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions import ERROR
from analysis.statistics.comparison import Question
from analysis.statistics.comparisons import Value
from robustness.claims.measures import measure, measures

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from analysis.contents.contents import Contents

MOST_RIVALS = 3
"""Rivals that a sentence names."""
OWN = "basin_area"
DEPTH = "depth"


def first_and_rivals(contents: Contents) -> tuple[str, list[str]] | None:
    """Return the optimizer that the others are compared with, and these: the study's reference, else its first.

    None with fewer than two that have a result.
    """
    labels = list(contents.marks)
    if len(labels) < 2:
        return None
    first = contents.reference if contents.reference in labels else labels[0]
    return first, [label for label in labels if label != first]


def compared(contents: Contents) -> tuple[str, list[str]] | None:
    """Return the first optimizer and its rivals where the answer compares them: in one box, or without a map."""
    boxed = contents.seeds is not None and contents.seeds.box is not None
    return first_and_rivals(contents) if boxed or contents.no_map is not None else None


def joint(rivals: Sequence[str]) -> float:
    """Return the level of each interval against several rivals, so that all hold together at 1 - ERROR."""
    return 1 - ERROR / len(rivals)


def widths(of: str, rivals: Sequence[str], against: str, deltas: Sequence[float]) -> list[Question]:
    """Return what decides whose basin is the wider one, `against` being one of the `rivals`."""
    return [Question(OWN, of, against, delta=delta, level=joint(rivals)) for delta in deltas]


def widest(contents: Contents) -> tuple[str, list[str]] | None:
    """Return the optimizer whose basin has the greatest area, and those that have one too; None without any area."""
    areas = {one.label: one.area for one in contents.summaries if np.isfinite(one.area)}
    if len(areas) < 2 or not any(areas.values()) or first_and_rivals(contents) is None:
        return None
    first = max(areas, key=lambda label: areas[label])
    return first, [label for label in areas if label != first]


def of_answer(contents: Contents) -> list[Question]:
    """Return what the report's answer and its headline ask."""
    asked: list[Question] = []
    if (pair := compared(contents)) is not None:
        first, rivals = pair
        for rival in rivals[:MOST_RIVALS]:
            asked += [Question(DEPTH, first, rival), Question(DEPTH, first, rival, level=joint(rivals))]
            if contents.no_map is None:
                asked += [Question(OWN, first, rival, delta=contents.delta)]
                asked += widths(first, rivals, rival, contents.deltas)
    if (found := widest(contents)) is not None:
        first, rivals = found
        asked += [one for rival in rivals for one in widths(first, rivals, rival, contents.deltas)]
    return asked


def lines(contents: Contents, asked: Collection[str]) -> list[tuple[str, float | None]]:
    """Return the lines of the table of measures: a measure, and delta where it has a basin.

    Args:
        contents: Of a grid.
        asked: Measures of the claims that the study was made for.
    """
    rows = [
        row
        for row in measures().values()
        if row.line is not None
        and not row.column
        and set(row.axes) <= set(contents.axes)
        and (row.name in asked or not row.only_asked)
    ]
    rows.sort(key=lambda row: row.line or 0)
    return [(row.name, delta) for row in rows for delta in (contents.deltas if row.basin else (None,))]


def of_line(name: str, delta: float | None, ordered: Sequence[str]) -> list[Question]:
    """Return the comparisons of one line: of the first optimizer with each of the others."""
    return [Question(name, ordered[0], rival, delta=delta) for rival in ordered[1:]]


def ordered(contents: Contents) -> list[str]:
    """Return the optimizers of the table of measures, the reference first."""
    first, rivals = first_and_rivals(contents) or (None, list(contents.marks))
    return [*([first] if first is not None else []), *rivals]


def of_table(contents: Contents, asked: Collection[str]) -> list[Question]:
    """Return the comparisons of the table of measures."""
    names = ordered(contents)
    return [one for line in lines(contents, asked) for one in of_line(*line, names)] if names else []


def values(contents: Contents, asked: Collection[str]) -> list[Value]:
    """Return the values of the table of measures.

    Of a measure of two optimizers' shared cells there is no value of one.
    """
    return [
        Value(name, label, delta)
        for name, delta in lines(contents, asked)
        if not measure(name).shared
        for label in ordered(contents)
    ]
