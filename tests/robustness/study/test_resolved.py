"""A study as plain data: the same runs, labels and claims as where its classes are."""

from __future__ import annotations

import json

import pytest

from robustness.search.stored_cells import best_fit
from robustness.study import Study, studies
from robustness.study.resolution import digest, resolve, stored_study
from robustness.study.resolved import Resolved, ResolvedError

SAMPLED = """\
name: drawn
workload: [{name: digits, epochs: 2}, {name: digits-cnn, epochs: 2}]
optimizers: [adams, {name: sgd, label: "SGD", space: {lr: {low: 0.01, high: 1}}}]
space: {lr: {low: 1.0e-4, high: 0.1}, weight_decay: {low: 1.0e-5, high: 0.1, zero: true}}
search: {sampler: random, cells: 5}
seeds: [3, 5]
claims: [wider-basin]
"""


@pytest.mark.parametrize("name", ["digits", "paper/figure-09", "proxy/figure-18", "treebank"])
def test_the_ids_of_all_runs_follow_from_what_is_stored(name: str) -> None:
    study = Study.load(name)
    found = Resolved.read(resolve(study).to_json())
    assert list(found.run_ids()) == [run.run_id for run in study.grid()]
    assert found.total == len(study.grid())
    assert [each.label for each in found.optimizers] == [each.label for each in study.optimizers]
    assert found.claims == study.claims


def test_a_sampled_study_of_several_workloads() -> None:
    study = Study.parse(SAMPLED)
    found = Resolved.read(resolve(study).to_json())
    assert (found.total, found.is_sampled, found.is_exact) == (5 * 2 * 2 * 2, True, True)
    assert [part.workload.title for part in found.parts] == [part.workload.title for part in study.parts]
    for workload, plain in zip(study.workloads, found.workloads, strict=True):
        for entry, one in zip(study.optimizers, found.optimizers, strict=True):
            run = study.run(entry, 0.02, 0.0, 5, workload)
            assert found.run_id(plain, one, 0.02, 0, 5) == run.run_id
    assert [one.own_space for one in found.optimizers] == [False, True]
    assert (found.optimizers[1].lr.values, found.optimizers[1].lr.low) == (None, 0.01)


def test_keys_that_a_newer_version_wrote_are_kept_wherever_they_stand() -> None:
    plain = json.loads(resolve(Study.load("digits")).to_json())
    plain |= {"more": [1]}
    plain["optimizers"][0] |= {"color": "red"}
    again = json.loads(Resolved.read(json.dumps(plain)).to_json())
    assert (again["more"], again["optimizers"][0]["color"]) == ([1], "red")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"format": 2}', "format 2, which a newer version wrote"),
        ("[" * 100_000, "cannot be read"),
        ('{"format": 1, "name": "x", "workloads": [], "optimizers": [], "seeds": [0]}', "workloads"),
        (" " * 5_000_000, "too large"),
    ],
)
def test_a_file_that_is_none_says_so_in_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ResolvedError, match=words) as caught:
        Resolved.read(text)
    assert "\n" not in str(caught.value)


def test_one_of_another_study_file_is_not_taken_for_that_of_this_one() -> None:
    other = resolve(Study.load("digits"), digest=digest("another text")).to_json()
    assert stored_study(SAMPLED, other).name == "drawn"
    own = resolve(Study.load("digits"), digest=digest(SAMPLED)).to_json()
    assert stored_study(SAMPLED, own).name == "digits", "of this very file, it is what counts"


def test_a_name_of_a_package_that_is_away_is_data_and_finds_its_rows() -> None:
    text = SAMPLED.replace("adams", "{name: elsewhere, betas: [0.9, 0.9]}, {name: elsewhere, label: two}").replace(
        "claims: [wider-basin]\n", ""
    )
    found = stored_study(text, None)
    assert [(one.name, one.label) for one in found.optimizers[:2]] == [("elsewhere", "elsewhere"), ("elsewhere", "two")]
    rows = {
        "elsewhere": best_fit(found.optimizers, "package:Elsewhere", '{"betas": [0.9, 0.9], "eps": 1e-8}'),
        "two": best_fit(found.optimizers, "package:Elsewhere", '{"betas": [0.9, 0.999], "eps": 1e-8}'),
        "SGD": best_fit(found.optimizers, "sgd", str(found.optimizers[2].options)),
    }
    assert {label: one.label if one else None for label, one in rows.items()} == {name: name for name in rows}
    assert best_fit(found.optimizers, "sgd", "{}") is None


def test_every_shipped_study_fits_into_plain_data() -> None:
    for name in studies():
        assert Resolved.read(resolve(Study.load(name)).to_json()).name
