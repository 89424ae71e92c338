"""The table of comparisons: looked up, never filled later."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.statistics.comparison import Comparison, Question
from analysis.statistics.comparisons import Comparisons, Value

WIDE, NARROW = Question("basin_area", "a", "b", 1.0), Question("basin_area", "a", "b", 2.0)


def made(low: float, high: float, **more: Any) -> Comparison:
    known: dict[str, Any] = {
        "measure": "basin_area", "column": "", "delta": 1.0, "of": "a", "against": "b", "value": 2.0, "other": 1.0,
        "scale": "ratio", "estimate": (low + high) / 2, "level": 0.95, "seeds": 3, "needed": None,
    }  # fmt: skip
    return Comparison(low=low, high=high, **known | more)


@pytest.mark.parametrize(
    ("first", "second", "clipped", "side"),
    [
        (made(1.5, 2), made(1.2, 3), {}, 1),
        (made(0.2, 0.4), made(0.5, 0.9), {}, -1),
        (made(1.5, 2), made(0.9, 3), {}, 0),
        (made(1.5, 2), made(0.5, 0.9), {}, 0),
        (made(1.5, 2), made(1.2, 3, seeds=2), {}, 0),
        (made(1.5, 2), made(1.2, 3), {NARROW: "the edge"}, 0),
    ],
)
def test_it_is_decided_where_every_interval_lies_on_one_side(
    first: Comparison, second: Comparison, clipped: dict[Question, str], side: int
) -> None:
    found = Comparisons(labels=("a", "b"), found={WIDE: first, NARROW: second}, clipped=clipped)
    assert found.decided([WIDE, NARROW]) == side
    assert found[WIDE] is first


def test_what_was_not_asked_is_not_there_and_nothing_is_added() -> None:
    values = {Value("depth", "a"): 2.0}
    found = Comparisons(found={WIDE: made(1, 2)}, values=values)
    assert found.value("depth", "a") == 2.0
    values[Value("depth", "b")] = 3.0
    for look_up in (lambda: found[NARROW], lambda: found.value("depth", "b")):
        with pytest.raises(KeyError):
            look_up()
    with pytest.raises(TypeError):
        found.found[NARROW] = made(1, 2)  # type: ignore[index]
