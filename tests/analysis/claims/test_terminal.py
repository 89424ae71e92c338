"""Verdicts as text and as JSON."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from analysis.claims.terminal import counted, text, to_json
from analysis.claims.verdict import Verdict
from analysis.statistics.comparison import Comparison, Question
from tests.support.canned import NAN, Canned, claim

WHY = "AdamS against AdamW: ratio 1.8 (1.3 to 2.5), but [the] narrower basin reaches the edge of the box at high lr"


def verdict(name: str = "deeper-basin", outcome: Any = "reproduced", **more: Any) -> Verdict:
    keys = {"sentence": "It is.", "figure": "Figure 11", "study": "s", "workload": "digits", "why": WHY}
    return Verdict(claim=name, outcome=outcome, **keys | more)


SOME = [
    verdict("swd-costs-nothing", "no data", why="is about single", source="digits-cost"),
    verdict("swd-on-imagenet", "no data", why="is about imagenet", source="paper/figure-99"),
    verdict("other", "undecided"),
    verdict("deeper-basin", "contradicted", made_for=True),
    verdict("mine", "no data", why="yogi was not run", made_for=True),
    verdict("theirs", "no data", why="yogi was not run"),
]


@pytest.mark.parametrize("width", [72, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_no_word_is_lost(width: int) -> None:
    found = text(SOME, width=width)
    assert max(map(len, found.splitlines())) <= width
    assert " ".join(WHY.split()) in " ".join(text([verdict()], width=500).split())
    for word in [*WHY.split(), "deeper-basin", "contradicted", "paper/figure-99,"]:
        assert word in found
    assert "\x1b" not in found


def test_what_the_study_was_made_for_comes_first_and_what_has_no_data_last() -> None:
    lines = text(SOME).splitlines()
    assert lines[0] == "6 claims: 1 contradicted, 1 undecided, 4 no data"
    assert lines[1].split() == ["claim", "verdict", "why"]
    firsts = [line.split()[:2] for line in lines[2:]]
    order = [firsts.index(each) for each in (["*", "deeper-basin"], ["*", "mine"], ["other", "undecided"])]
    assert order == sorted(order)
    short = lines[lines.index("No data for 3 more; what would give it:") + 1 :]
    assert [line.split(maxsplit=1) for line in short] == [
        ["swd-costs-nothing", "digits-cost"],
        ["swd-on-imagenet", "paper/figure-99, not in this version yet"],
        ["theirs", "yogi was not run"],
    ]


def test_everything_has_its_reason_where_it_is_asked_for() -> None:
    found = text(SOME, everything=True)
    assert "No data for" not in found
    assert "is about imagenet" in found
    assert "is about imagenet" not in text(SOME)


def test_nothing_to_say_is_said() -> None:
    assert text([]) == "0 claims"
    assert counted([verdict()]) == "1 claim: 1 reproduced"
    assert "made to answer" not in text([verdict()])
    assert "No data" not in text([verdict()])


def comparison(**changes: Any) -> Comparison:
    found = Canned({})[Question("basin_area", "AdamS", "AdamW", 1.0)]
    return Comparison(**{each.name: getattr(found, each.name) for each in fields(found)} | changes)


def strict(content: str) -> Any:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(content, parse_constant=refuse)


def test_json_has_every_field_of_verdicts_and_comparisons() -> None:
    content = strict(to_json([verdict(comparisons=(comparison(),), made_for=True, source="digits"), verdict("b")]))
    assert content["version"] == 1
    first, second = content["verdicts"]
    assert list(first) == [each.name for each in fields(Verdict)]
    assert first["claim"] == "deeper-basin"
    assert first["made_for"] is True
    assert second["comparisons"] == []
    (found,) = first["comparisons"]
    assert found == {each.name: getattr(comparison(), each.name) for each in fields(Comparison)}


def test_json_is_strict_whatever_the_numbers() -> None:
    odd = comparison(
        value=NAN, high=float("inf"), low=-np.inf, estimate=np.float64(1.5), seeds=np.int64(4), needed=None
    )
    (found,) = strict(to_json([verdict(comparisons=(odd,), why="√v̄ “is” it")]))["verdicts"]
    assert found["why"] == "√v̄ “is” it"
    numbers = {key: found["comparisons"][0][key] for key in ("value", "low", "high", "estimate", "seeds", "needed")}
    assert numbers == {"value": None, "low": None, "high": None, "estimate": 1.5, "seeds": 4, "needed": None}


def test_the_sentence_of_a_claim_is_on_one_line() -> None:
    assert claim(sentence="  It does. ").sentence == "It does."
