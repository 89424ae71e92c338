"""From the intervals of a claim to its verdict, and the words for what decided it.

A claim is borne out where every rival agrees at every delta, and contradicted where one rival does at every delta: over
deltas that is an intersection-union test (Berger 1982), which needs no correction. Rivals are many chances to
contradict, so their intervals hold jointly, each at level 1 - 0.04 / K (Bonferroni), as `analysis.claims.judge` asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.conventions import LEAST_SEEDS
from analysis.formats import listing
from robustness.claims.measures import measure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analysis.claims.verdict import Outcome
    from analysis.statistics.comparison import Comparison
    from robustness.study import Claim


SHOWN = 4
"""Intervals that a sentence quotes; the verdict holds them all."""


@dataclass(frozen=True)
class Finding:
    """What one interval says of a claim.

    Attributes:
        comparison: The interval.
        sign: +1 as the claim says, -1 the opposite, 0 neither.
        doubt: Why it is neither; None where it is one.
    """

    comparison: Comparison
    sign: int
    doubt: str | None = None


def finding(claim: Claim, comparison: Comparison, clipped: str | None = None) -> Finding:
    """Read one interval; `clipped` says why the edge of the box could turn it round, None if it could not."""
    seeds, sign = comparison.seeds, _sign(claim, comparison)
    if seeds == 1:
        return Finding(comparison, 0, "one seed has no interval; " + _at_least(claim, comparison))
    if seeds < LEAST_SEEDS:
        return Finding(comparison, 0, f"{seeds} seeds decide nothing; {_at_least(claim, comparison)}")
    if not comparison.known:
        why = ": the grid is too coarse" if comparison.coarse else ""
        return Finding(comparison, 0, f"no interval is known of {_names(comparison)}{why}")
    if not sign:
        return Finding(comparison, 0, f"{described(comparison)} {_open(claim, comparison)}")
    if clipped:
        return Finding(comparison, 0, f"{described(comparison)}, but {clipped}")
    return Finding(comparison, sign)


def _sign(claim: Claim, comparison: Comparison) -> int:
    if not comparison.known:
        return 0
    if claim.direction in {"greater", "less"}:
        return comparison.side if claim.direction == "greater" else -comparison.side
    low, high = bounds(claim, comparison)
    inside = low <= comparison.low and comparison.high <= high
    if claim.direction == "equal":
        return int(inside) - int(comparison.high < low or comparison.low > high)
    # A difference that is certain, but within the margin, is no difference that the claim means.
    return -1 if inside else int(comparison.side != 0)


def bounds(claim: Claim, comparison: Comparison) -> tuple[float, float]:
    """Return what counts as equal: 0 ± margin, or 1/(1 + margin) to 1 + margin, alike whichever comes first."""
    margin = claim.margin
    if margin is None:
        # Empty, so that no interval lies within it.
        return float("inf"), float("-inf")
    return (1 / (1 + margin), 1 + margin) if comparison.scale == "ratio" else (-margin, margin)


def decide(claim: Claim, findings: Sequence[Finding], missing: Sequence[str]) -> tuple[Outcome, str]:
    """Return the verdict of the findings, at least one, and what decided it.

    Args:
        claim: The claim.
        findings: Of every pair of optimizers, at every delta.
        missing: Why some optimizer of the claim could not be compared, a few words each.
    """
    pairs = dict.fromkeys((each.comparison.of, each.comparison.against) for each in findings)
    for pair in pairs:
        own = [each for each in findings if (each.comparison.of, each.comparison.against) == pair]
        if all(each.sign < 0 for each in own):
            return "contradicted", listed(each.comparison for each in own)
    if all(each.sign > 0 for each in findings):
        if not missing:
            return "reproduced", listed(each.comparison for each in findings)
        word = "against" if claim.against else "for"
        held = listing(list(dict.fromkeys(against or of for of, against in pairs)))
        return "undecided", f"holds {word} {held}; {'; '.join(missing)}"
    doubts = [each.doubt for each in findings if each.doubt]
    first = doubts[0] if doubts else _mixed(findings)
    return "undecided", "; ".join([first, *missing])


def _mixed(findings: Iterable[Finding]) -> str:
    against = next(each for each in findings if each.sign < 0)
    return f"{described(against.comparison)} is against the claim, but not so at every delta"


def _open(claim: Claim, comparison: Comparison) -> str:
    """Return what an interval leaves open, and how many seeds would settle it."""
    if claim.direction == "equal":
        return f"is neither within {_margin(claim, comparison)} nor wholly beyond"
    words = f"does not exclude {comparison.equal:g}"
    needed = comparison.needed
    if needed is None:
        return f"{words}, and no number of seeds is known that would"
    if needed <= comparison.seeds:
        return f"{words}; more than these {comparison.seeds} seeds would settle it"
    return f"{words}; about {needed} seeds would settle it"


def _margin(claim: Claim, comparison: Comparison) -> str:
    margin = claim.margin or 0.0
    return f"{100 * margin:g} %" if comparison.scale == "ratio" else f"{margin:g}{_unit(claim.measure)}"


def _at_least(claim: Claim, comparison: Comparison) -> str:
    needed = None if claim.direction == "equal" else comparison.needed
    if needed is None:
        return f"at least {LEAST_SEEDS} are needed"
    return f"about {max(needed, LEAST_SEEDS)} would settle {_names(comparison)}"


def described(comparison: Comparison) -> str:
    """Return a comparison in words: "AdamS against Adam within 1 point: ratio 1.8 (1.3 to 2.5)"."""
    kind = "ratio" if comparison.scale == "ratio" else "difference" if comparison.against else "slope"
    unit = _unit(comparison.measure)
    low, high = _number(comparison.low), _number(comparison.high)
    return f"{_names(comparison)}: {kind} {_number(comparison.estimate)}{unit} ({low} to {high})"


def _unit(name: str) -> str:
    """Return the unit of a difference of a measure, as it follows a number: " points", or nothing."""
    unit = measure(name).difference_unit
    return f" {unit}" if unit else ""


def _names(comparison: Comparison) -> str:
    rival = f" against {comparison.against}" if comparison.against else ""
    delta = comparison.delta
    within = "" if delta is None else f" within {delta:g} point{'' if delta == 1 else 's'}"
    return f"{comparison.of}{rival}{within}"


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−").replace("inf", "∞")


def listed(comparisons: Iterable[Comparison]) -> str:
    """Return the first few comparisons in words."""
    said = [described(each) for each in comparisons]
    rest = len(said) - SHOWN
    return "; ".join(said[:SHOWN] + ([f"and {rest} more"] if rest > 0 else []))
