"""What a study says of each claim: the paper's, and its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.claims.facts import Facts
from analysis.claims.pairs import NoDataError, pairs_of
from analysis.claims.rules import decide, finding
from analysis.claims.verdict import Verdict
from analysis.conventions import DELTAS, ERROR
from analysis.formats import listing
from analysis.statistics.comparison import Question
from robustness.study import paper_claims
from robustness.study.file import is_there

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from analysis.claims.pairs import Pair
    from analysis.claims.verdict import Outcome
    from analysis.statistics.comparison import Comparison
    from analysis.statistics.comparisons import Comparisons
    from robustness.study import Claim


LEAST_VALUES = 3
"""Of an axis that is gone along: with fewer, every cell lies at its edge."""


def study_verdicts(
    name: str,
    runs: pd.DataFrame,
    comparisons: Comparisons | None,
    claims: Sequence[Claim] = (),
    deltas: Sequence[float] = DELTAS,
    *,
    workload: str,
) -> list[Verdict]:
    """Return a verdict on every claim of the catalogue, then on the study's own.

    Args:
        name: The study's name.
        runs: The labelled runs table (see `analysis.landscapes.labels.label`).
        comparisons: The answers to `questions_of` its claims; None where no run is stored, or a search chose the cells.
        claims: What the study was made for: claims of the catalogue, and its own.
        deltas: Points of error that bound a basin, where a claim has none of its own.
        workload: What tables call the workload of these runs.
    """
    asked, facts = {claim.id: claim for claim in claims}, Facts(runs)
    return [
        _judged(claim, comparisons, facts, study=name, workload=workload, made_for=claim.id in asked, deltas=deltas)
        for claim in (paper_claims() | asked).values()
    ]


def questions_of(
    claims: Sequence[Claim], labels: Sequence[str], runs: pd.DataFrame, deltas: Sequence[float] = DELTAS
) -> list[Question]:
    """Return every comparison that `study_verdicts` looks up: of the catalogue's claims, and of the study's own.

    Args:
        claims: As in `study_verdicts`.
        labels: Optimizers with a result.
        runs: As in `study_verdicts`.
        deltas: Likewise.
    """
    every, facts = paper_claims() | {claim.id: claim for claim in claims}, Facts(runs)
    return [question for claim in every.values() for question in _questions(claim, labels, facts, deltas)]


def questions(
    claim: Claim, labels: Sequence[str], runs: pd.DataFrame, deltas: Sequence[float] = DELTAS
) -> list[Question]:
    """Return the comparisons that `judge` looks up for one claim; none where the runs are no data for it."""
    return _questions(claim, labels, Facts(runs), deltas)


def _questions(claim: Claim, labels: Sequence[str], facts: Facts, deltas: Sequence[float]) -> list[Question]:
    try:
        _check(claim, facts)
        pairs, _ = pairs_of(claim, labels, facts)
    except NoDataError:
        return []
    return [question for pair in pairs for question in _of_pair(claim, pair, pairs, deltas)]


def judge(
    claim: Claim,
    comparisons: Comparisons | None,
    runs: pd.DataFrame,
    *,
    study: str,
    workload: str,
    made_for: bool,
    deltas: Sequence[float] = DELTAS,
) -> Verdict:
    """Return what a study says of one claim.

    With K pairs of optimizers, every interval has the level 1 - ERROR / K.

    Args:
        claim: What is claimed.
        comparisons: The answers to its `questions`; None where no run is stored, or a search chose the cells.
        runs: The labelled runs table (see `analysis.landscapes.labels.label`).
        study: The study's name.
        workload: What tables call the workload of these runs.
        made_for: Whether the study file names the claim.
        deltas: Points of error that bound a basin, where the claim has none of its own.

    Returns:
        The verdict, with what decided it; `no data` where the runs are not what the claim is about.

    Raises:
        KeyError: A comparison was not asked for, see `questions`.

    Source:
        Bonferroni's inequality: K intervals that each miss with a probability of ERROR / K all hold together with at
        least 1 - ERROR.

    Example:
        >>> from analysis import gather, judge
        >>> from robustness.published.shipped import published
        >>> from robustness.study import paper_claims
        >>> one = gather(published()["cifar10"])
        >>> claim = paper_claims()["wider-basin"]
        >>> judge(claim, one.comparisons, one.runs, study=one.name, workload=one.workload, made_for=True).outcome
        'undecided'
    """
    return _judged(claim, comparisons, Facts(runs), study=study, workload=workload, made_for=made_for, deltas=deltas)


def _judged(
    claim: Claim,
    comparisons: Comparisons | None,
    facts: Facts,
    *,
    study: str,
    workload: str,
    made_for: bool,
    deltas: Sequence[float],
) -> Verdict:
    def verdict(outcome: Outcome, why: str, compared: Sequence[Comparison] = ()) -> Verdict:
        return Verdict(
            claim=claim.id,
            sentence=claim.sentence,
            figure=claim.figure,
            study=study,
            workload=workload,
            outcome=outcome,
            why=why,
            comparisons=tuple(compared),
            made_for=made_for,
            source=claim.study,
        )

    elsewhere = _elsewhere(claim, study)
    try:
        if comparisons is None:
            raise NoDataError(_without_comparisons(facts))
        _check(claim, facts)
        pairs, missing = pairs_of(claim, comparisons.labels, facts)
        asked, unknown = _known(claim, comparisons, pairs, deltas)
    except NoDataError as reason:
        return verdict("no data", f"{reason}{elsewhere}")
    missing += unknown
    findings = [finding(claim, comparisons[one], comparisons.clipped.get(one)) for one in asked]
    outcome, why = decide(claim, findings, missing)
    lacks = outcome == "undecided" and missing
    return verdict(outcome, f"{why}{elsewhere}" if lacks else why, [comparisons[one] for one in asked])


def available(source: str) -> bool:
    """Tell whether a study file of this name is there."""
    return is_there(source)


def _elsewhere(claim: Claim, study: str) -> str:
    """Return which study would give the data, "" if that is this one, or none is known."""
    # The file paper/figure-06 names its study paper-figure-06.
    if not claim.study or study in {claim.study.replace("/", "-"), claim.study.rpartition("/")[2]}:
        return ""
    there = "" if available(claim.study) else ", and is not in this version yet"
    return f"; the study {claim.study} would give it{there}"


def _without_comparisons(facts: Facts) -> str:
    samplers = sorted(facts.values("sampler") - {"grid"}) if len(facts) else []
    if samplers:
        return f"the sampler {listing(samplers)} chose the cells of each optimizer, which share no grid to compare on"
    return "no run with a result is stored" if len(facts) else "no run is stored yet"


def _check(claim: Claim, facts: Facts) -> None:
    """Refuse runs that the claim is not about, and a table that lacks what it reads."""
    if not len(facts):
        raise NoDataError("no run is stored yet")
    where = claim.where
    for noun, asked, found in (
        ("workload", where.workload, facts.values("workload")),
        ("schedule", (where.schedule,) if where.schedule else (), facts.schedules),
        ("engine", (where.engine,) if where.engine else (), facts.values("engine")),
    ):
        if asked and not found <= set(asked):
            raise NoDataError(f"is about the {noun} {' or '.join(asked)}, and these runs have {listing(sorted(found))}")
    if where.epochs_at_least and facts.epochs < where.epochs_at_least:
        raise NoDataError(f"is about at least {where.epochs_at_least} epochs, and these runs have {facts.epochs}")
    if claim.column and claim.column not in facts.runs:
        raise NoDataError(f"the runs table has no column {claim.column}")
    if claim.column and not facts.measured(claim.column):
        raise NoDataError(f"no run has a value of {claim.column}")
    _check_map(claim, facts)


def _check_map(claim: Claim, facts: Facts) -> None:
    """Refuse cells that are no map of what the claim measures."""
    nouns = {"lr": "learning rates", "weight_decay": "weight decays"}
    for axis in claim.row.axes:
        # Each optimizer may have axes of its own: that of the fewest values counts.
        count = facts.fewest(axis, {*claim.of, *claim.against})
        if count < LEAST_VALUES:
            raise NoDataError(f"needs at least {LEAST_VALUES} {nouns[axis]}, and these runs have {count}")
    if facts.searches and claim.row.axes:
        searched = listing(facts.searches)
        raise NoDataError(f"the search {searched} chose the cells: crowded at the optimum, they give no area")


def _of_pair(claim: Claim, pair: Pair, pairs: Sequence[Pair], deltas: Sequence[float]) -> list[Question]:
    """Return what is asked of one of the pairs, at every delta."""
    chosen: Sequence[float | None] = (claim.deltas or tuple(deltas)) if claim.row.basin else (None,)
    level = 1 - ERROR / len(pairs)
    return [Question(claim.measure, *pair, delta=delta, column=claim.column or None, level=level) for delta in chosen]


def _known(
    claim: Claim, comparisons: Comparisons, pairs: Sequence[Pair], deltas: Sequence[float]
) -> tuple[list[Question], list[str]]:
    """Return the questions on the pairs that have values at every delta, and what the others lack."""
    asked: list[Question] = []
    lacking: dict[str, None] = {}
    for pair in pairs:
        own = _of_pair(claim, pair, pairs, deltas)
        found = [comparisons[one] for one in own]
        blank = [each for each in found if np.isnan([each.value, each.other, each.estimate]).any()]
        if blank:
            lacking[_apart(claim, comparisons, pair) or _unknown(claim, blank[0])] = None
        else:
            asked += own
    if not asked:
        raise NoDataError("; ".join(lacking))
    return asked, list(lacking)


def _apart(claim: Claim, comparisons: Comparisons, pair: Pair) -> str | None:
    """Return why optimizers with axes of their own cannot be compared; None if that is not what they lack."""
    of, rival = pair
    if rival is None:
        return None
    if claim.row.shared and (of, rival) not in comparisons.one_grid:
        return f"{of} and {rival} share no cells to compare, since their axes differ"
    if claim.row.axes and (of, rival) not in comparisons.one_box:
        return f"{of} and {rival} have no part of learning rate and weight decay in common"
    return None


def _unknown(claim: Claim, blank: Comparison) -> str:
    """Return which value of a comparison is not known."""
    what = (claim.row.noun or claim.measure).format(column=claim.column)
    sides = ((blank.of, blank.value), (blank.against, blank.other))
    names = [name for name, value in sides if name and np.isnan(value)]
    return f"{listing(names or [blank.of])} {'have' if len(names) > 1 else 'has'} no value of {what}"
