from __future__ import annotations

from typing import TYPE_CHECKING

import jsonschema
import pytest
from ruamel.yaml import YAML

from robustness.optimizers import OPTIMIZERS
from robustness.study import Study, StudyError
from robustness.study.file import PACKAGED
from robustness.study.schema import study_schema, text
from robustness.workloads import WORKLOADS
from tests.support.studies import FILE, make

if TYPE_CHECKING:
    from pathlib import Path


def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(study_schema())


def test_the_schema_is_valid_and_the_committed_one_is_current() -> None:
    jsonschema.Draft202012Validator.check_schema(study_schema())
    committed = (PACKAGED / "study.schema.json").read_text(encoding="utf-8")
    assert committed == text(), "run: make schema"


def test_the_schema_has_every_workload_and_optimizer_with_its_options() -> None:
    definitions = study_schema()["$defs"]
    for definition, known in (("Workload", WORKLOADS), ("OptimizerEntry", OPTIMIZERS)):
        forms = {form["properties"]["name"]["const"]: form for form in definitions[definition]["anyOf"][1:-2]}
        assert set(forms) == set(known)
        for name, model in known.items():
            keys = {field.alias or key for key, field in model.model_fields.items()}
            assert keys <= set(forms[name]["properties"])


SHIPPED = sorted(PACKAGED.rglob("*.yaml"))


@pytest.mark.slow
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_studies_follow_the_schema(path: Path) -> None:
    validator().validate(YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")))


def test_a_written_study_follows_the_schema() -> None:
    for study in (make(), Study.load("digits-cnn")):
        validator().validate(YAML(typ="safe", pure=True).load(study.text))


OWN = "id: mine, sentence: It falls., measure: trend, column: train_loss, of: adams, direction: less"
BROKEN = [
    ("workload: {name: digits, epochs: 3}", "workload: {name: digits, epoch: 3}"),
    ("workload: {name: digits, epochs: 3}", "workload: {name: digits, epochs: 0}"),
    ("workload: {name: digits, epochs: 3}", "workload: {epochs: 3}"),
    ("workload: {name: digits, epochs: 3}", "workload: digit"),
    ("workload: {name: digits, epochs: 3}", ""),
    ("[adams]", "[adam5]"),
    ("[adams]", "[]"),
    ("[adams]", "[{name: adams, betas: [0.9]}]"),
    ("[0.001]", "[0]"),
    ("[0.001]", "{low: 1, high: 2}"),
    ("[0.001]", "{low: 1, high: 2, points: 2, zero: true}"),
    ("[0.001]", "{low: 1, points: 2}"),
    ("[1.0e-4]", "[-1]"),
    ("[1.0e-4]", "[1, 1]"),
    ("seeds: [5]", "seeds: 0"),
    ("seeds: [5]", "seeds: [-1]"),
    ("seeds: [5]", "search: tpe"),
    ("seeds: [5]", "search: {sampler: tpe}"),
    ("seeds: [5]", "search: {sampler: tp, cells: 3}"),
    ("seeds: [5]", "resources: {gpu: 1}"),
    ("seeds: [5]", "name: Bad Name"),
    ("seeds: [5]", "claims: deeper-basin"),
    ("seeds: [5]", "claims: [deeper]"),
    ("seeds: [5]", f"claims: [{{{OWN}, deltas: [0]}}]"),
    ("seeds: [5]", f"claims: [{{{OWN}, colum: x}}]"),
    ("seeds: [5]", f"claims: [{{{OWN}, where: {{epochs: 3}}}}]"),
    ("seeds: [5]", f"claims: [{{{OWN.replace('id: mine', 'id: Mine')}}}]"),
    ("seeds: [5]", f"claims: [{{{OWN.replace('of: adams', 'of: []')}}}]"),
]


@pytest.mark.parametrize(("old", "new"), BROKEN)
def test_the_schema_and_the_model_refuse_the_same(old: str, new: str) -> None:
    broken = FILE.replace(old, new)
    assert broken != FILE
    assert not validator().is_valid(YAML(typ="safe", pure=True).load(broken))
    with pytest.raises(StudyError):
        Study.parse(broken)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[0.001]", "{low: 1, high: 2, points: 2}"),
        ("[1.0e-4]", "{low: 1, high: 2, points: 2, zero: true}"),
        ("seeds: [5]", "  # sampled\nsearch: {sampler: gp, cells: 1}"),
        ("seeds: [5]", "seeds: 2\nsearch: grid\nresources: {stack_size: auto, max_concurrent: 2}"),
        ("workload: {name: digits, epochs: 3}", "workload: {name: digits-cnn, schedule: {kind: constant}}"),
        ("[adams]", "[adams, {name: adams, label: other, eps: 1.0e-4}]"),
        ("seeds: [5]", f"claims: [deeper-basin, {{{OWN}, where: {{workload: [digits, x], engine: single}}}}]"),
        ("seeds: [5]", f"claims: [{{{OWN.replace('less', 'differs')}, margin: 0.1}}]"),
    ],
)
def test_the_schema_accepts_what_the_model_accepts(old: str, new: str) -> None:
    changed = FILE.replace(old, new)
    Study.parse(changed)
    validator().validate(YAML(typ="safe", pure=True).load(changed))
