"""Which runs a claim is about, which optimizers its names mean, and what a study says of every claim."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.claims.judge import judge, questions_of, study_verdicts
from analysis.claims.verdict import OUTCOMES
from analysis.conventions import DELTAS
from analysis.landscapes.labels import label
from analysis.measures.contrasts import Contrasts
from robustness.study import Study, paper_claims
from tests.support import synthetic
from tests.support.canned import (
    AREA,
    LESS,
    MORE,
    NARROWER,
    RUNS,
    WIDER,
    Canned,
    claim,
    interval,
    outcome,
    unknown,
    verdict,
)
from tests.support.studies import FILE

# Names


def test_a_name_is_a_label_first_then_an_optimizer() -> None:
    table = RUNS.assign(label=RUNS["label"].astype(str).replace({"adam": "A", "adamw": "W", "adams": "S"}))
    found = verdict(
        claim(of="adams", against=("W", "adam")), {"W": LESS, "A": LESS}, runs=table, labels=["A", "W", "S"]
    )
    assert found.outcome == "reproduced"
    assert [(each.of, each.against) for each in found.comparisons] == [("S", "W"), ("S", "A")]
    crossed = RUNS.assign(label=RUNS["label"].astype(str).replace({"adam": "adamw", "adamw": "adam"}))
    by_label = verdict(claim(against="adamw"), {"adamw": LESS}, runs=crossed)
    assert by_label.comparisons[0].against == "adamw"


def test_a_name_of_several_labels_is_no_name() -> None:
    both = RUNS.assign(label=RUNS["label"].astype(str), optimizer=RUNS["optimizer"].replace({"adamw": "adam"}))
    both["label"] = both["label"].replace({"adam": "A", "adamw": "B"})
    found = verdict(claim(against="adam"), {}, runs=both, labels=["A", "B", "adams"])
    assert found.outcome == "no data"
    assert found.why.startswith("adam could be A or B")


# No data


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"workload": "treebank"}, "is about the workload treebank, and these runs have digits"),
        ({"workload": ("cifar10", "cifar100")}, "is about the workload cifar10 or cifar100, and"),
        ({"schedule": "cosine_restarts"}, "is about the schedule cosine_restarts, and these runs have step"),
        ({"engine": "single"}, "is about the engine single, and these runs have stack"),
        ({"epochs_at_least": 21}, "is about at least 21 epochs, and these runs have 20"),
    ],
)
def test_runs_that_a_claim_is_not_about_are_no_data(where: dict[str, Any], words: str) -> None:
    found = verdict(claim(where=where), {"adamw": LESS, "adam": LESS})
    assert found.outcome == "no data"
    assert found.why.startswith(words)
    assert found.comparisons == ()


def test_runs_that_a_claim_is_about_are_judged() -> None:
    where = {"workload": ("x", "digits"), "schedule": "step", "engine": "stack", "epochs_at_least": 20}
    assert outcome(claim(where=where), {"adamw": LESS, "adam": LESS}) == "reproduced"


def test_runs_without_a_schedule_of_their_own_have_an_unknown_one() -> None:
    table = RUNS.assign(workload_options='{"epochs": 20}')
    asked = claim(where={"schedule": "step"})
    assert "these runs have unknown" in verdict(asked, {}, runs=table).why


def test_a_column_that_no_table_has() -> None:
    flat = claim(measure="matched", column="hessian_top", against="adamw")
    assert verdict(flat, {"adamw": NARROWER}).why == "the runs table has no column hessian_top"
    assert outcome(flat, {"adamw": NARROWER}, runs=RUNS.assign(hessian_top=1.0)) == "reproduced"


def test_a_value_that_is_not_known_is_no_data() -> None:
    found = verdict(claim(against="adamw"), {"adamw": unknown()})
    assert (found.outcome, found.why) == ("no data", "adams and adamw have no value of depth")
    loss = claim(measure="matched", column="train_loss", against="adamw")
    one = verdict(loss, {"adamw": unknown() | {"value": 1.0}})
    assert one.why == "adamw has no value of train_loss"


def test_a_rival_of_unknown_value_is_as_one_that_was_not_run() -> None:
    lacking = unknown() | {"value": 1.0}
    found = verdict(claim(), {"adamw": LESS, "adam": lacking})
    assert (found.outcome, found.why) == ("undecided", "holds against adamw; adam has no value of depth")
    assert outcome(claim(), {"adamw": MORE, "adam": lacking}) == "contradicted"


@pytest.mark.parametrize("sampler", ["tpe", "gp", "cmaes"])
def test_the_cells_of_a_search_give_no_area(sampler: str) -> None:
    table = RUNS.assign(sampler=sampler)
    found = verdict(claim(**AREA), {"adamw": WIDER}, runs=table)
    assert found.outcome == "no data"
    assert sampler in found.why
    assert outcome(claim(against="adamw"), {"adamw": LESS}, runs=table) == "reproduced"
    assert outcome(claim(**AREA), {"adamw": WIDER}, runs=RUNS.assign(sampler="qmc")) == "reproduced"


@pytest.mark.parametrize(
    ("measure", "lr", "decay", "words"),
    [
        ("basin_area", 2, 3, "at least 3 learning rates, and these runs have 2"),
        ("basin_area", 3, 2, "at least 3 weight decays, and these runs have 2"),
        ("weight_decay_sensitivity", 1, 2, "at least 3 weight decays, and these runs have 2"),
        ("optimum_weight_decay", 3, 1, "at least 3 weight decays, and these runs have 1"),
        ("lr_sensitivity", 2, 1, "at least 3 learning rates, and these runs have 2"),
        ("lr_sensitivity", 3, 1, ""),
        ("weight_decay_sensitivity", 1, 3, ""),
        ("depth", 1, 1, ""),
    ],
)
def test_a_few_cells_are_no_map(measure: str, lr: int, decay: int, words: str) -> None:
    table = RUNS[RUNS["lr"].isin(sorted(set(RUNS["lr"]))[:lr])]
    table = table[table["weight_decay"].isin(sorted(set(table["weight_decay"]))[:decay])]
    found = verdict(claim(measure=measure, against="adamw"), {"adamw": interval(0.1, 0.2)}, runs=table)
    assert (found.outcome == "no data") == bool(words)
    assert words in found.why


# A whole study


def test_no_data_names_the_study_that_would_give_it() -> None:
    found = {each.claim: each for each in study_verdicts("other", RUNS, Canned({}), (), DELTAS, workload="digits")}  # type: ignore[arg-type]
    restarts = found["swd-under-warm-restarts"]
    assert restarts.outcome == "no data"
    assert restarts.source == "proxy/figure-12"
    assert restarts.why.endswith("; the study proxy/figure-12 would give it")
    assert found["swd-costs-nothing"].why.endswith("; the study digits-cost would give it")


def test_a_study_is_not_told_to_look_at_itself() -> None:
    costs = paper_claims()["swd-costs-nothing"]
    for name, named in (("digits-cost", False), ("digits", True)):
        found = judge(costs, Canned({}), RUNS, study=name, workload="digits", made_for=True)  # type: ignore[arg-type]
        assert ("would give it" in found.why) == named
    restarts = paper_claims()["swd-under-warm-restarts"]
    early = judge(restarts, Canned({}), RUNS, study="figure-12", workload="digits", made_for=True)  # type: ignore[arg-type]
    assert "would give it" not in early.why


def test_an_open_claim_that_lacks_rivals_names_their_study_too() -> None:
    grows = judge(
        paper_claims()["decay-grows-gradient-norm"],
        Canned({"adamw": MORE, "adam": MORE}),  # type: ignore[arg-type]
        RUNS,
        study="digits",
        workload="digits",
        made_for=False,
    )
    assert grows.why.startswith("holds for adamw and adam; sgd was not run; the study digits-optimizers would give it")


def test_every_claim_gets_one_verdict_those_of_the_study_last() -> None:
    text = FILE.replace("[adams]", "[adams, adamw, adam]") + (
        "claims:\n  - wider-basin\n"
        "  - {id: mine, sentence: It does., measure: depth, of: adams, against: adamw, direction: less}\n"
    )
    study = Study.parse(text, "s.yaml")
    found = study_verdicts("s", RUNS, Canned({"adamw": LESS}), study.claims, workload="digits")  # type: ignore[arg-type]
    assert [each.claim for each in found] == [*paper_claims(), "mine"]
    assert [each.claim for each in found if each.made_for] == ["wider-basin", "mine"]
    assert {each.outcome for each in found} <= set(OUTCOMES)
    assert found[-1].outcome == "reproduced"
    assert {(each.study, each.workload) for each in found} == {("s", "digits")}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (RUNS.iloc[:0], "no run is stored yet"),
        (RUNS, "no run with a result is stored"),
        (label(synthetic.sampled(4)), "the sampler tpe chose the cells"),
    ],
)
def test_without_comparisons_there_are_no_data(table: Any, words: str) -> None:
    found = study_verdicts("s", table, None, workload="digits")
    assert {each.outcome for each in found} == {"no data"}
    assert all(each.why.startswith(words) for each in found)
    assert all(each.comparisons == () for each in found)


def test_real_comparisons_fit() -> None:
    table = label(synthetic.runs(seeds=4, noise=0.02))
    contrasts = Contrasts.of_runs(table)
    answers = contrasts.answers(questions_of((), contrasts.labels, table))
    found = {each.claim: each for each in study_verdicts("s", table, answers, workload="digits")}
    # Depths of 2.1, 2.3 and 2.6 with a noise of 0.02; areas pi a b delta of 1.88, 0.94 and 1.38.
    assert found["deeper-basin"].outcome == "reproduced", found["deeper-basin"].why
    assert {each.delta for each in found["wider-basin"].comparisons} == {1.0, 2.0}
    assert found["swd-finds-flatter-minima"].outcome == "no data"
