"""What a study says of each claim: the paper's, and its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.claims.rules import decide, finding
from analysis.claims.verdict import Verdict
from analysis.conventions import DELTAS, ERROR
from analysis.formats import listing
from analysis.measures.axes import AXES, LEAST_VALUES, SHARED
from robustness.claims.claim import OF_BASINS
from robustness.study import paper_claims, studies
from robustness.study.samplers import LEARNING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from analysis.claims.verdict import Outcome
    from analysis.measures.contrasts import Contrasts
    from analysis.statistics.comparison import Comparison
    from robustness.study import Claim


class _NoDataError(Exception):
    """A claim cannot be judged; the text says why."""


def study_verdicts(
    name: str,
    runs: pd.DataFrame,
    contrasts: Contrasts | None,
    claims: Sequence[Claim] = (),
    deltas: Sequence[float] = DELTAS,
    *,
    workload: str,
) -> list[Verdict]:
    """Return a verdict on every claim of the catalogue, then on the study's own.

    Args:
        name: The study's name.
        runs: The labelled runs table (see `analysis.landscapes.labels.label`).
        contrasts: Its comparisons; None where no run is stored, or a search chose the cells.
        claims: What the study was made for: claims of the catalogue, and its own.
        deltas: Points of error that bound a basin, where a claim has none of its own.
        workload: What tables call the workload of these runs.
    """
    asked = {claim.id: claim for claim in claims}
    return [
        judge(claim, contrasts, runs, study=name, workload=workload, made_for=claim.id in asked, deltas=deltas)
        for claim in (paper_claims() | asked).values()
    ]


def judge(
    claim: Claim,
    contrasts: Contrasts | None,
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
        contrasts: The study's comparisons; None where no run is stored, or a search chose the cells.
        runs: The labelled runs table (see `analysis.landscapes.labels.label`).
        study: The study's name.
        workload: What tables call the workload of these runs.
        made_for: Whether the study file names the claim.
        deltas: Points of error that bound a basin, where the claim has none of its own.

    Returns:
        The verdict, with what decided it; `no data` where the runs are not what the claim is about.

    Raises:
        KeyError: The claim's measure is none.

    Source:
        Bonferroni's inequality: K intervals that each miss with a probability of ERROR / K all hold together with at
        least 1 - ERROR.

    Example:
        >>> from analysis import gather, judge
        >>> from robustness.published.shipped import published
        >>> from robustness.study import paper_claims
        >>> one = gather(published()["cifar10"])
        >>> claim = paper_claims()["wider-basin"]
        >>> judge(claim, one.contrasts, one.runs, study=one.name, workload=one.workload, made_for=True).outcome
        'undecided'
    """

    def verdict(outcome: Outcome, why: str, comparisons: Sequence[Comparison] = ()) -> Verdict:
        return Verdict(
            claim.id, claim.sentence, claim.figure, study, workload, outcome, why, tuple(comparisons), made_for,
            claim.study,
        )  # fmt: skip

    elsewhere = _elsewhere(claim, study)
    try:
        if contrasts is None:
            raise _NoDataError(_without_contrasts(runs))
        _check(claim, runs)
        pairs, missing = _pairs(claim, contrasts, runs)
        compared, unknown = _compare(claim, contrasts, pairs, deltas)
    except _NoDataError as reason:
        return verdict("no data", f"{reason}{elsewhere}")
    missing += unknown
    findings = [finding(claim, each, contrasts.clipped(each)) for each in compared]
    outcome, why = decide(claim, findings, missing)
    lacks = outcome == "undecided" and missing
    return verdict(outcome, f"{why}{elsewhere}" if lacks else why, compared)


def available(source: str) -> bool:
    """Tell whether a study file of this name is there."""
    return source in studies()


def _elsewhere(claim: Claim, study: str) -> str:
    """Return which study would give the data, "" if that is this one, or none is known."""
    # The file paper/figure-06 names its study paper-figure-06.
    if not claim.study or study in {claim.study.replace("/", "-"), claim.study.rpartition("/")[2]}:
        return ""
    there = "" if available(claim.study) else ", and is not in this version yet"
    return f"; the study {claim.study} would give it{there}"


def _without_contrasts(runs: pd.DataFrame) -> str:
    samplers = sorted(set(runs["sampler"].unique()) - {"grid"}) if len(runs) else []
    if samplers:
        return f"the sampler {listing(samplers)} chose the cells of each optimizer, which share no grid to compare on"
    return "no run with a result is stored" if len(runs) else "no run is stored yet"


def _check(claim: Claim, runs: pd.DataFrame) -> None:
    """Refuse runs that the claim is not about, and a table that lacks what it reads."""
    if not len(runs):
        raise _NoDataError("no run is stored yet")
    where = claim.where
    options: list[Mapping[str, Any]] = [json.loads(text) for text in runs["workload_options"].unique()]
    kinds = {str((each.get("schedule") or {}).get("kind", "unknown")) for each in options}
    epochs = min(int(each.get("epochs", 0)) for each in options)
    for noun, asked, found in (
        ("workload", where.workload, set(runs["workload"].unique())),
        ("schedule", (where.schedule,) if where.schedule else (), kinds),
        ("engine", (where.engine,) if where.engine else (), set(runs["engine"].unique())),
    ):
        if asked and not found <= set(asked):
            raise _NoDataError(
                f"is about the {noun} {' or '.join(asked)}, and these runs have {listing(sorted(found))}"
            )
    if where.epochs_at_least and epochs < where.epochs_at_least:
        raise _NoDataError(f"is about at least {where.epochs_at_least} epochs, and these runs have {epochs}")
    if claim.column and claim.column not in runs:
        raise _NoDataError(f"the runs table has no column {claim.column}")
    if claim.column and runs[claim.column].isna().all():
        raise _NoDataError(f"no run has a value of {claim.column}")
    _check_map(claim, runs)


def _check_map(claim: Claim, runs: pd.DataFrame) -> None:
    """Refuse cells that are no map of what the claim measures."""
    nouns = {"lr": "learning rates", "weight_decay": "weight decays"}
    axes = AXES.get(claim.measure, ())
    named = {*claim.of, *claim.against}
    compared = runs[runs["label"].isin(named) | runs["optimizer"].isin(named)]
    for column in axes:
        # Each optimizer may have axes of its own: that of the fewest values counts.
        count = int((compared if len(compared) else runs).groupby("label", observed=True)[column].nunique().min())
        if count < LEAST_VALUES:
            raise _NoDataError(f"needs at least {LEAST_VALUES} {nouns[column]}, and these runs have {count}")
    searches = sorted(set(runs["sampler"].unique()) & set(LEARNING))
    if searches and axes:
        raise _NoDataError(f"the search {listing(searches)} chose the cells: crowded at the optimum, they give no area")


def _pairs(claim: Claim, contrasts: Contrasts, runs: pd.DataFrame) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the pairs of labels to compare ("": with 0), and why others are not, in a few words each."""
    there = runs.loc[runs["label"].isin(contrasts.labels), ["label", "optimizer"]].drop_duplicates()
    by_label = {str(label): str(name) for label, name in there.itertuples(index=False, name=None)}
    found = {name: _resolved(name, by_label) for name in (*claim.of, *claim.against)}
    missing = _absent([name for name, label in found.items() if not label], runs)
    ofs, rivals = ([found[name] for name in names if found[name]] for names in (claim.of, claim.against))
    if not ofs or (claim.against and not rivals):
        raise _NoDataError("; ".join(missing))
    return [(of, rival) for of in ofs for rival in (rivals or [""])], missing


def _absent(names: Sequence[str], runs: pd.DataFrame) -> list[str]:
    """Return which of the optimizers were not run, and which have no result, in a few words each."""
    tried = set(runs["label"].unique()) | set(runs["optimizer"].unique())
    unrun, failed = ([name for name in names if (name in tried) == given] for given in (False, True))
    said = [f"{listing(unrun)} {'was' if len(unrun) == 1 else 'were'} not run"] if unrun else []
    return said + ([f"{listing(failed)} {'has' if len(failed) == 1 else 'have'} no result"] if failed else [])


def _resolved(name: str, by_label: Mapping[str, str]) -> str:
    """Return the label that `name` means: itself, else the only one of an optimizer of that name; "" if none."""
    if name in by_label:
        return name
    labels = [label for label, optimizer in by_label.items() if optimizer == name]
    if len(labels) > 1:
        raise _NoDataError(
            f"{name} could be {' or '.join(labels)}: a claim of the study's own can name one by its label"
        )
    return labels[0] if labels else ""


def _compare(
    claim: Claim, contrasts: Contrasts, pairs: Sequence[tuple[str, str]], deltas: Sequence[float]
) -> tuple[list[Comparison], list[str]]:
    """Return the comparisons of the pairs that have values at every delta, and what the others lack."""
    chosen = (claim.deltas or tuple(deltas)) if claim.measure in OF_BASINS else (None,)
    level = 1 - ERROR / len(pairs)
    compared: list[Comparison] = []
    lacking: dict[str, None] = {}
    for of, rival in pairs:
        own = [
            contrasts.compare(claim.measure, of, rival or None, delta=delta, column=claim.column or None, level=level)
            for delta in chosen
        ]
        blank = [each for each in own if np.isnan([each.value, each.other, each.estimate]).any()]
        if blank:
            lacking[_apart(claim, contrasts, of, rival) or _unknown(claim, blank[0])] = None
        else:
            compared += own
    if not compared:
        raise _NoDataError("; ".join(lacking))
    return compared, list(lacking)


def _apart(claim: Claim, contrasts: Contrasts, of: str, rival: str) -> str:
    """Return why optimizers with axes of their own cannot be compared, "" if that is not what they lack."""
    if rival and claim.measure in SHARED and not contrasts.on_one_grid(of, rival):
        return f"{of} and {rival} share no cells to compare, since their axes differ"
    if rival and claim.measure in AXES and not contrasts.common_box(of, rival):
        return f"{of} and {rival} have no part of learning rate and weight decay in common"
    return ""


def _unknown(claim: Claim, blank: Comparison) -> str:
    """Return which value of a comparison is not known."""
    what = {"matched": claim.column, "trend": f"trend of {claim.column}"}.get(claim.measure, claim.measure)
    sides = ((blank.of, blank.value), (blank.against, blank.other))
    names = [name for name, value in sides if name and np.isnan(value)]
    return f"{listing(names or [blank.of])} {'have' if len(names) > 1 else 'has'} no value of {what}"
