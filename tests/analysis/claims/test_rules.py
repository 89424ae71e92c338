"""The rules from intervals to verdicts, each on intervals that a test chooses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.canned import (
    ALIKE,
    AREA,
    LESS,
    MORE,
    NAN,
    NARROWER,
    OPEN,
    WIDER,
    Canned,
    claim,
    interval,
    outcome,
    verdict,
)

# Greater and less


@pytest.mark.parametrize(
    ("direction", "adamw", "adam", "expected"),
    [
        ("less", LESS, LESS, "reproduced"),
        ("less", LESS, OPEN, "undecided"),
        ("less", OPEN, OPEN, "undecided"),
        ("less", LESS, MORE, "contradicted"),
        ("less", OPEN, MORE, "contradicted"),
        ("greater", MORE, MORE, "reproduced"),
        ("greater", MORE, LESS, "contradicted"),
        ("greater", MORE, OPEN, "undecided"),
        ("less", interval(-2, 0), LESS, "undecided"),
    ],
)
def test_less_and_greater_need_every_rival_and_fail_by_one(
    direction: str, adamw: dict[str, Any], adam: dict[str, Any], expected: str
) -> None:
    found = verdict(claim(direction=direction), {"adamw": adamw, "adam": adam})
    assert found.outcome == expected
    assert [(each.of, each.against) for each in found.comparisons] == [("adams", "adamw"), ("adams", "adam")]


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        (WIDER, WIDER, "reproduced"),
        (WIDER, ALIKE, "undecided"),
        (WIDER, NARROWER, "undecided"),
        (NARROWER, ALIKE, "undecided"),
        (NARROWER, NARROWER, "contradicted"),
    ],
)
def test_every_delta_must_agree(one: dict[str, Any], two: dict[str, Any], expected: str) -> None:
    answers = {("adams", "adamw", 1.0): one, ("adams", "adamw", 2.0): two}
    assert outcome(claim(**AREA), answers) == expected


def test_one_rival_contradicts_only_where_it_does_so_at_every_delta() -> None:
    area = claim(**AREA | {"against": ("adamw", "adam")})
    split = {
        ("adams", "adamw", 1.0): NARROWER,
        ("adams", "adamw", 2.0): WIDER,
        ("adams", "adam", 1.0): WIDER,
        ("adams", "adam", 2.0): NARROWER,
    }
    found = verdict(area, split)
    assert found.outcome == "undecided"
    assert "AdamW" not in found.why
    assert found.why == (
        "adams against adamw within 1 point: ratio 0.6 (0.5 to 0.7) is against the claim, but not so at every delta"
    )
    assert outcome(area, {**split, ("adams", "adam", 1.0): NARROWER}) == "contradicted"


def test_a_basin_cut_off_by_the_box_decides_nothing() -> None:
    edges = {("adams", "adamw", 2.0): "the basin of adams reaches the high lr"}
    for answer in (WIDER, NARROWER):
        found = verdict(claim(**AREA), {"adamw": answer}, edges=edges)
        assert found.outcome == "undecided"
        assert found.why.startswith("adams against adamw within 2 points: ratio ")
        assert found.why.endswith(", but the basin of adams reaches the high lr")
    assert outcome(claim(**AREA), {"adamw": WIDER}, edges={("adams", "adam", 2.0): "elsewhere"}) == "reproduced"


def test_a_clipped_rival_stops_no_other_from_contradicting() -> None:
    area = claim(**AREA | {"against": ("adamw", "adam")})
    edges = {("adams", "adamw", 1.0): "cut off"}
    assert outcome(area, {"adamw": WIDER, "adam": NARROWER}, edges=edges) == "contradicted"
    assert outcome(area, {"adamw": NARROWER, "adam": WIDER}, edges=edges) == "undecided"


def test_deltas_are_those_of_the_claim_else_of_the_caller_and_only_for_basins() -> None:
    def deltas(asked: Any, **options: Any) -> list[float | None]:
        return [each.delta for each in verdict(asked, {"adamw": WIDER}, **options).comparisons]

    assert deltas(claim(**AREA)) == [1.0, 2.0]
    assert deltas(claim(**AREA), deltas=(0.5,)) == [0.5]
    assert deltas(claim(**AREA, deltas=(3, 4, 5)), deltas=(0.5,)) == [3, 4, 5]
    assert deltas(claim(against="adamw")) == [None]


# Several rivals


@pytest.mark.parametrize(("rivals", "level"), [(("adamw",), 0.96), (("adamw", "adam"), 0.98)])
def test_intervals_hold_jointly_over_rivals_and_need_no_correction_over_deltas(
    rivals: tuple[str, ...], level: float
) -> None:
    contrasts = Canned({"adamw": WIDER, "adam": WIDER})
    verdict(claim(**AREA | {"against": rivals}), contrasts)
    assert contrasts.levels == pytest.approx([level] * 2 * len(rivals))


def test_a_trend_of_two_optimizers_is_two_comparisons() -> None:
    contrasts = Canned({"adamw": MORE, "adam": MORE})
    trend = claim(measure="trend", column="grad_norm", of=("adamw", "adam"), against=(), direction="greater")
    found = verdict(trend, contrasts)
    assert found.outcome == "reproduced"
    assert contrasts.levels == pytest.approx([0.98, 0.98])
    assert contrasts.columns == ["grad_norm", "grad_norm"]
    assert found.why == "adamw: slope 1.5 (1 to 2); adam: slope 1.5 (1 to 2)"
    assert outcome(trend, {"adamw": MORE, "adam": LESS}) == "contradicted"


def test_a_rival_that_was_not_run_keeps_a_claim_open_but_does_not_save_it() -> None:
    asked = claim(against=("adamw", "sgd"))
    found = verdict(asked, {"adamw": LESS})
    assert (found.outcome, found.why) == ("undecided", "holds against adamw; sgd was not run")
    assert len(found.comparisons) == 1
    assert outcome(asked, {"adamw": MORE}) == "contradicted"
    assert verdict(asked, {"adamw": OPEN}).why.endswith("; sgd was not run")
    trend = claim(measure="trend", column="grad_norm", of=("adamw", "sgd"), against=(), direction="greater")
    assert verdict(trend, {"adamw": MORE}).why == "holds for adamw; sgd was not run"


def test_without_any_rival_or_without_its_subject_there_are_no_data() -> None:
    assert verdict(claim(against=("sgd", "yogi")), {}).why == "sgd and yogi were not run"
    assert verdict(claim(of="sgd", against="adam"), {}).why == "sgd was not run"
    assert outcome(claim(of="sgd", against="adam"), {}) == "no data"
    nothing = verdict(claim(), {}, labels=["adams"])
    assert (nothing.outcome, nothing.why) == ("no data", "adamw and adam have no result")


# Differs and equal


@pytest.mark.parametrize(
    ("low", "high", "margin", "expected"),
    [
        (0.6, 2, 0.5, "reproduced"),
        (-2, -0.6, 0.5, "reproduced"),
        (0.1, 2, 0.5, "reproduced"),
        (-0.4, 0.4, 0.5, "contradicted"),
        (0.1, 0.4, 0.5, "contradicted"),
        (-0.4, 0.6, 0.5, "undecided"),
        (-0.01, 0.01, None, "undecided"),
        (0.01, 0.02, None, "reproduced"),
    ],
)
def test_differs(low: float, high: float, margin: float | None, expected: str) -> None:
    shift = claim(measure="optimum_weight_decay", against="adamw", direction="differs", margin=margin)
    assert outcome(shift, {"adamw": interval(low, high)}) == expected


def test_differs_needs_every_rival_and_fails_by_one() -> None:
    shift = claim(measure="optimum_weight_decay", direction="differs", margin=0.5)
    apart, near = interval(1, 2), interval(-0.1, 0.1)
    assert outcome(shift, {"adamw": apart, "adam": interval(-2, -1)}) == "reproduced"
    assert outcome(shift, {"adamw": apart, "adam": OPEN}) == "undecided"
    assert outcome(shift, {"adamw": apart, "adam": near}) == "contradicted"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.96, 1.04, "reproduced"),
        (0.953, 1.0499, "reproduced"),
        (0.951, 1.0, "undecided"),  # 1 / 1.05 = 0.9524: alike whichever optimizer comes first
        (1.0, 1.2, "undecided"),
        (0.5, 2, "undecided"),
        (1.06, 1.2, "contradicted"),
        (0.5, 0.94, "contradicted"),
    ],
)
def test_equal_within_a_margin_of_a_ratio(low: float, high: float, expected: str) -> None:
    cost = claim(measure="matched", column="duration_s", against="adamw", direction="equal", margin=0.05)
    found = verdict(cost, {"adamw": interval(low, high)})
    assert found.outcome == expected
    if expected == "undecided":
        assert found.why.endswith("is neither within 5 % nor wholly beyond")


def test_equal_within_a_margin_of_a_difference() -> None:
    alike = claim(against="adamw", direction="equal", margin=0.5)
    assert outcome(alike, {"adamw": interval(-0.4, 0.5)}) == "reproduced"
    assert outcome(alike, {"adamw": interval(-0.4, 0.6)}) == "undecided"
    assert outcome(alike, {"adamw": interval(0.6, 0.7)}) == "contradicted"
    assert "0.5 points" in verdict(alike, {"adamw": interval(-0.4, 0.6)}).why


# Seeds


@pytest.mark.parametrize("answer", [LESS, MORE])
def test_two_seeds_decide_nothing(answer: dict[str, Any]) -> None:
    two = verdict(claim(against="adamw"), {"adamw": answer | {"seeds": 2, "needed": 9}})
    assert (two.outcome, two.why) == (
        "undecided", "2 seeds decide nothing; about 9 would settle adams against adamw",
    )  # fmt: skip
    few = verdict(claim(against="adamw"), {"adamw": answer | {"seeds": 2, "needed": 2}})
    assert "about 3 would settle" in few.why
    unknown_ = verdict(claim(against="adamw"), {"adamw": answer | {"seeds": 2, "needed": None}})
    assert unknown_.why == "2 seeds decide nothing; at least 3 are needed"
    assert outcome(claim(against="adamw"), {"adamw": answer | {"seeds": 3}}) != "undecided"


def test_one_seed_has_no_interval() -> None:
    one = verdict(claim(against="adamw"), {"adamw": interval(NAN, NAN, estimate=1.0, seeds=1, needed=None)})
    assert (one.outcome, one.why) == ("undecided", "one seed has no interval; at least 3 are needed")
    assert len(one.comparisons) == 1


def test_an_open_interval_says_how_many_seeds_would_settle_it() -> None:
    def why(**more: Any) -> str:
        return verdict(claim(against="adamw"), {"adamw": OPEN | more}).why

    assert why(needed=12) == (
        "adams against adamw: difference 0 points (−1 to 1) does not exclude 0; about 12 seeds would settle it"
    )
    assert why(needed=5).endswith("; more than these 5 seeds would settle it")
    assert why(needed=None).endswith(", and no number of seeds is known that would")


def test_an_estimate_without_an_interval_decides_nothing() -> None:
    found = verdict(claim(against="adamw"), {"adamw": interval(NAN, NAN, estimate=1.0)})
    assert (found.outcome, found.why) == ("undecided", "no interval is known of adams against adamw")


def test_an_infinite_end_is_an_interval() -> None:
    assert outcome(claim(**AREA), {"adamw": interval(1.5, float("inf"), estimate=2.0)}) == "reproduced"
