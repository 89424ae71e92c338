"""The catalogue of the paper's claims, and the key `claims` of a study file."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

from robustness.claims import catalogue
from robustness.claims.claim import Where
from robustness.claims.measures import MEASURES
from robustness.results import Store
from robustness.study import Claim, Study, StudyError, paper_claims, studies
from robustness.study.file import PACKAGED
from robustness.study.run import Run
from tests.support.studies import FILE, ids, make

if TYPE_CHECKING:
    from pathlib import Path

# measure, column, of, against, direction
EXPECTED = {
    "coupled-decay-is-better": ("best_epoch_depth", "", "sgd", "sgd-eq1", "less"),
    "decay-grows-gradient-norm": ("trend", "grad_norm", "adamw adam sgd", "", "greater"),
    "swd-shrinks-gradient-norm": ("matched", "grad_norm_sq", "adams", "adamw", "less"),
    "swd-lowers-training-loss": ("matched", "train_loss", "adams", "adamw", "less"),
    "swd-negative-feedback": ("trend", "root_mean_v", "adams", "", "greater"),
    "decay-sharpens-minima": ("trend", "hessian_top", "adamw adam sgd", "", "greater"),
    "swd-finds-flatter-minima": ("matched", "hessian_top", "adams", "adamw", "less"),
    "swd-best-adaptive": ("best_epoch_depth", "", "adams", "adam amsgrad adamw adabound padam yogi radam", "less"),
    "swd-lowers-test-error": ("best_epoch_depth", "", "adams", "adamw", "less"),
    "swd-robust-to-decay": ("weight_decay_sensitivity", "", "adams", "adamw adam", "less"),
    "adamw-optimum-shifts": ("optimum_weight_decay", "", "adamw", "adam adams", "differs"),
    "deeper-basin": ("depth", "", "adams", "adamw adam", "less"),
    "wider-basin": ("basin_area", "", "adams", "adamw adam", "greater"),
    "swd-under-warm-restarts": ("depth", "", "adams", "adamw", "less"),
    "l2-wins-on-language": ("loss_depth", "", "adam", "adamw adams", "less"),
    "swd-generalizes-at-equal-loss": ("equal_loss_error", "", "adams", "adamw", "less"),
    "swd-at-the-limit": ("depth", "", "adams", "adamw", "less"),
    "swd-on-imagenet": ("depth", "", "adams", "adamw", "less"),
    "theorem-1": ("matched", "grad_norm", "sgd-eq1", "sgd", "greater"),
    "theorem-2": ("trend", "grad_norm", "sgd", "", "greater"),
    "swd-costs-nothing": ("matched", "duration_s", "adams", "adamw", "equal"),
}

OWN = """\
claims:
  - wider-basin
  - id: mine
    sentence: AdamS is within a point of AdamW.
    measure: depth
    of: adams
    against: W
    direction: equal
    margin: 1
"""
WITH_W = FILE.replace("[adams]", "[adams, {name: adamw, label: W}]")


def test_the_catalogue_has_every_claim_of_the_paper_in_order() -> None:
    assert list(paper_claims()) == list(EXPECTED)
    assert len(EXPECTED) == 21


@pytest.mark.parametrize("name", EXPECTED)
def test_a_claim_of_the_catalogue_says_what_it_measures(name: str) -> None:
    claim = paper_claims()[name]
    found = (claim.measure, claim.column, " ".join(claim.of), " ".join(claim.against), claim.direction)
    assert found == EXPECTED[name]
    assert claim.id == name
    assert claim.figure
    assert claim.sentence.endswith(".")
    assert claim.measure in MEASURES
    assert claim.study
    assert claim.study in studies() or claim.study.startswith("paper/")


def test_conditions_and_margins_of_the_catalogue() -> None:
    claims = paper_claims()
    conditional = {name: claim.where for name, claim in claims.items() if claim.where != Where()}
    assert conditional == {
        "swd-under-warm-restarts": Where(schedule="cosine_restarts"),
        "l2-wins-on-language": Where(workload=("treebank",)),
        "swd-at-the-limit": Where(epochs_at_least=900),
        "swd-on-imagenet": Where(workload=("imagenet",)),
        "theorem-1": Where(workload=("theorem-1",)),
        "theorem-2": Where(workload=("theorem-2",)),
        "swd-costs-nothing": Where(engine="single"),
    }
    margins = {name: claim.margin for name, claim in claims.items() if claim.margin is not None}
    assert margins == {"swd-costs-nothing": 0.05}


def test_the_shipped_studies_name_claims_that_they_can_give() -> None:
    for name in ("digits", "digits-cost"):
        study = Study.load(PACKAGED / f"{name}.yaml")
        assert study.claims
        known = {entry.optimizer.name for entry in study.optimizers}
        for claim in study.claims:
            assert claim.study == name
            assert {*claim.of, *claim.against} <= known
    cost = Study.load(PACKAGED / "digits-cost.yaml")
    assert cost.workload.engine == "single"
    assert [claim.id for claim in cost.claims] == ["swd-costs-nothing"]


def test_every_claim_that_digits_would_give_is_one_that_it_was_made_for() -> None:
    asked = {claim.id for claim in Study.load(PACKAGED / "digits.yaml").claims}
    assert asked == {claim.id for claim in paper_claims().values() if claim.study == "digits"}


def test_a_broken_catalogue_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = catalogue.CATALOGUE.read_text(encoding="utf-8")
    (tmp_path / "paper.yaml").write_text(text.replace("measure: basin_area", "measure: basin"), encoding="utf-8")
    monkeypatch.setattr(catalogue, "CATALOGUE", tmp_path / "paper.yaml")
    line = 1 + text.splitlines().index("    measure: basin_area")
    with pytest.raises(StudyError, match=rf"^paper.yaml:{line}: claims\[12\].measure: must be depth"):
        paper_claims.__wrapped__()


# The key


def test_a_study_takes_ids_and_claims_of_its_own() -> None:
    study = Study.parse(WITH_W + OWN)
    assert study.claims[0] == paper_claims()["wider-basin"]
    own = study.claims[1]
    assert (own.id, own.of, own.against, own.direction, own.margin) == ("mine", ("adams",), ("W",), "equal", 1.0)
    assert study.text == WITH_W + OWN, "the stored file keeps it"


def test_claims_may_be_absent_empty_or_objects() -> None:
    assert make().claims == ()
    assert make(claims=[]).claims == ()
    own = Study.parse(WITH_W + OWN).claims[1]
    assert make(claims=[own.model_copy(update={"against": ("adam",)}), "deeper-basin"]).claims[0].id == "mine"


def test_claims_of_the_catalogue_need_not_be_about_the_studys_optimizers() -> None:
    assert [claim.id for claim in make(claims=["coupled-decay-is-better"]).claims] == ["coupled-decay-is-better"]


def test_a_claim_of_its_own_names_an_optimizer_by_label_or_by_a_name_that_is_there_once() -> None:
    Study.parse(WITH_W + OWN.replace("against: W", "against: adamw"))
    twice = WITH_W.replace("label: W}", "label: W}, {name: adamw, label: V, eps: 1.0e-4}")
    Study.parse(twice + OWN)
    with pytest.raises(StudyError) as caught:
        Study.parse(twice + OWN.replace("against: W", "against: adamw"))
    line = 1 + (twice + OWN).splitlines().index("    against: W")
    assert str(caught.value) == (
        f"study.yaml:{line}: claims[1].against: 'adamw' is the optimizer of several: name one by its label, W, V"
    )


def test_a_wrong_optimizer_hides_no_wrong_claim_and_makes_none() -> None:
    with pytest.raises(StudyError) as caught:
        Study.parse(WITH_W.replace("adams,", "adamz,") + OWN.replace("wider", "wide"))
    assert [problem.key for problem in caught.value.problems] == ["optimizers[0]", "claims[0]"]


def test_claims_enter_no_identity() -> None:
    plain, with_claims = Study.parse(WITH_W), Study.parse(WITH_W + OWN)
    assert ids(plain) == ids(with_claims)
    assert [run.cell_id for run in plain.grid()] == [run.cell_id for run in with_claims.grid()]
    assert isinstance(with_claims.grid()[0], Run)


def test_a_written_study_keeps_its_claims_and_names_the_papers_by_id() -> None:
    own = Claim(id="falls", sentence="It falls.", measure="trend", column="train_loss", of="adams", direction="less")
    study = make(claims=["deeper-basin", own])
    assert "- deeper-basin\n" in study.text
    assert "sentence: It falls." in study.text
    assert "margin" not in study.text
    again = Study.parse(study.text)
    assert again.claims == study.claims
    assert again.model_dump() == study.model_dump()
    assert pickle.loads(pickle.dumps(study)).claims == study.claims


def test_the_stored_study_keeps_its_claims(tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    store.write_study(Study.parse(WITH_W + OWN).text)
    assert [claim.id for claim in Study.parse(store.read_study() or "").claims] == ["wider-basin", "mine"]


def test_the_documented_claims_are_claims() -> None:
    page = (PACKAGED.parent / "docs" / "study-file.md").read_text(encoding="utf-8")
    example = page.split("### `claims`")[1].split("```yaml\n")[1].split("```")[0]
    optimizers = "[adam, {name: adam, label: amsgrad, amsgrad: true}]"
    study = Study.parse(FILE.replace("[adams]", optimizers) + example)
    assert [claim.id for claim in study.claims] == ["deeper-basin", "amsgrad-is-no-better"]
    for measure in MEASURES:
        assert f"`{measure}`" in page
    for key in Claim.model_fields:
        assert f"`{key}`" in page
