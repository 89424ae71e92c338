from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustness import StudyError
from robustness.study import Grid, OptimizerEntry, Sampled, Study
from robustness.study.file import PACKAGED, studies
from robustness.workloads import Digits
from tests.support.studies import ADAMS, ADAMW, FILE, ids, make

# Importing


@pytest.mark.slow
@pytest.mark.parametrize("module", ["robustness.study", "robustness.study.file", "robustness.study.schema"])
def test_reading_a_study_loads_neither_torch_nor_ray(module: str) -> None:
    code = (
        f"import sys, {module}; from robustness.study import Study; Study.load('digits').grid()[0].run_id;"
        "print([name for name in ('torch', 'ray', 'optuna') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


NUMBERS = st.floats(min_value=1e-12, max_value=1e12)


@pytest.mark.slow
@given(
    lr=st.one_of(
        st.lists(NUMBERS, min_size=1, max_size=5, unique=True),
        st.fixed_dictionaries({"low": st.floats(1e-8, 1), "high": st.floats(2, 1e8), "points": st.integers(2, 40)}),
    ),
    label=st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=64),
    seeds=st.one_of(st.integers(1, 5), st.lists(st.integers(0, 2**32 - 1), min_size=1, unique=True, max_size=4)),
    epochs=st.integers(1, 10**6),
)
def test_any_study_survives_a_round_trip_through_yaml(lr: object, label: str, seeds: object, epochs: int) -> None:
    study = make(
        workload=Digits(epochs=epochs),
        optimizers=[{"name": "adamw", "label": label}],
        space={"lr": lr, "weight_decay": [0, 1e-5]},
        seeds=seeds,
    )
    again = Study.parse(study.text)
    assert again.model_dump() == study.model_dump()
    assert ids(again) == ids(study)


# The grid


def test_the_grid_has_every_combination_once_in_order() -> None:
    study = make(seeds=2)
    expected = [
        (name, lr, decay, seed)
        for name in ("adams", "adam")
        for lr in (1e-3, 1e-2)
        for decay in (0.0, 1e-4)
        for seed in (0, 1)
    ]
    assert [(run.optimizer.name, run.lr, run.weight_decay, run.seed) for run in study.grid()] == expected


def test_a_sampled_study_has_no_grid() -> None:
    study = make(space={"lr": {"low": 1e-4, "high": 1}, "weight_decay": [0, 1]}, search={"sampler": "qmc", "cells": 9})
    assert isinstance(study.search, Sampled)
    assert study.search.sampler == "qmc"
    with pytest.raises(ValueError, match="sampled"):
        study.grid()


def test_points_and_zero_do_not_stand_in_the_way_of_a_sampled_search() -> None:
    axis = {"low": 1e-4, "high": 1, "points": 5}
    study = make(space={"lr": axis, "weight_decay": axis | {"zero": True}}, search={"sampler": "tpe", "cells": 900})
    assert study.space.weight_decay.zero


def test_run_takes_an_entry_or_an_optimizer() -> None:
    study = make()
    assert study.run(study.optimizers[0], 1e-3, 1e-4, 2) == study.run(ADAMS, 1e-3, 1e-4, 2)
    assert study.run(ADAMS, 1e-3, 1e-4, 2) in study.grid()


def test_seeds_are_a_number_or_a_list() -> None:
    assert make().seeds == (0, 1, 2)
    assert make(seeds=2).seeds == (0, 1)
    assert make(seeds=[7, 3]).seeds == (7, 3)


def test_objects_and_their_yaml_forms_make_the_same_study() -> None:
    by_name = make(workload={"name": "digits", "epochs": 3}, optimizers=["adams", {"name": "adamw", "label": "W"}])
    by_object = make(
        workload=Digits(epochs=3),
        optimizers=[ADAMS, OptimizerEntry(label="W", optimizer=ADAMW)],
        search=Grid(),
    )
    assert by_name.model_dump() == by_object.model_dump()
    assert [entry.label for entry in by_name.optimizers] == ["adams", "W"]


def test_a_study_and_its_runs_survive_pickling() -> None:
    study = Study.load("digits")
    again = pickle.loads(pickle.dumps(study))
    assert again == study
    assert again.text == study.text
    assert pickle.loads(pickle.dumps(study.grid()[0])).run_id == study.grid()[0].run_id


# Files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "search_spaces" / "paper").mkdir(parents=True)
    return tmp_path


def test_a_file_is_found_by_path_and_by_name(folder: Path) -> None:
    for name in ("mine.yaml", "search_spaces/own.yml", "search_spaces/paper/figure-1.yaml"):
        (folder / name).write_text(FILE)
    cases: list[tuple[str | Path, str, str]] = [
        ("mine.yaml", "mine.yaml", "mine"),
        (Path("mine.yaml"), "mine.yaml", "mine"),
        (folder / "mine.yaml", "mine.yaml", "mine"),
        ("own", "search_spaces/own.yml", "own"),
        ("paper/figure-1", "search_spaces/paper/figure-1.yaml", "figure-1"),
    ]
    for given_as, source, name in cases:
        study = Study.load(given_as)
        assert study.name == name
        assert study.text == FILE
        assert study.source is not None
        assert study.source.resolve() == (folder / source).resolve()


def test_a_name_is_looked_up_here_before_the_package(folder: Path) -> None:
    assert Study.load("digits").source == PACKAGED / "digits.yaml"
    (folder / "search_spaces" / "digits.yaml").write_text(FILE)
    assert Study.load("digits").seeds == (5,)
    assert {"digits", "digits-cnn"} <= set(studies())


def test_yaml_1_2_numbers_are_numbers() -> None:
    study = Study.parse(FILE.replace("[0.001]", "[1e-3, 1E2, .5, 1_000, 0x10]"))
    assert study.space.lr.values == (1e-3, 0.5, 16.0, 100.0, 1000.0)


def test_a_byte_order_mark_and_dos_line_ends_are_read(folder: Path) -> None:
    (folder / "dos.yaml").write_bytes(b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode())
    assert ids(Study.load("dos.yaml")) == ids(Study.parse(FILE))


def test_anchors_and_aliases_are_yaml_too() -> None:
    text_ = FILE.replace("[0.001]", "&axis [0.001]").replace("[1.0e-4]", "*axis")
    assert Study.parse(text_).space.weight_decay.values == (0.001,)


@pytest.mark.parametrize("name", ["digits", "digits-cnn", "digits-cost"])
def test_the_shipped_studies_load_and_name_their_schema(name: str) -> None:
    study = Study.load(PACKAGED / f"{name}.yaml")
    assert study.name == name
    assert study.text.startswith("# yaml-language-server: $schema=study.schema.json\n")


def test_the_default_study_is_large_enough() -> None:
    study = Study.load(PACKAGED / "digits.yaml")
    assert len(study.optimizers) >= 3
    assert len(study.space.lr.values) >= 12
    assert len(study.space.weight_decay.values) >= 12
    assert len(study.seeds) >= 3


def test_the_documented_example_is_a_study() -> None:
    page = (PACKAGED.parent / "docs" / "study-file.md").read_text(encoding="utf-8")
    example = Study.parse(page.split("```yaml\n")[1].split("```")[0])
    assert [entry.label for entry in example.optimizers] == ["adams", "adamw", "adam-0.99"]


def test_names_are_taken_whatever_their_case() -> None:
    """As torch and every paper write them; runs and labels are those of the known name."""
    space = {"lr": [0.01, 0.1], "weight_decay": [0, 0.1]}
    known = Study(
        name="n", workload="digits", optimizers=["adamw", {"name": "adams", "label": "ours"}], space=space,
        search={"sampler": "tpe", "cells": 3},
    )  # fmt: skip
    written = Study(
        name="n", workload="Digits", optimizers=["AdamW", {"name": "AdamS", "label": "ours"}], space=space,
        search={"sampler": "TPE", "cells": 3},
    )  # fmt: skip
    assert written == known
    assert Study(name="n", workload="digits", optimizers=["SGD"], search="Grid", space=space).grid()
    with pytest.raises(StudyError, match="the label 'adamw' is already that of"):
        Study(name="n", workload="digits", optimizers=["adamw", "ADAMW"], space=space)


def test_a_decay_that_only_one_optimizer_is_given_as_infinite_is_refused_for_it() -> None:
    space = {"lr": [0.01], "weight_decay": [0, 1e36]}
    with pytest.raises(StudyError) as caught:
        Study(name="n", workload="digits", optimizers=["adam", "adamw"], space=space)
    assert [(each.key, each.message.partition(",")[0]) for each in caught.value.problems] == [
        ("space.weight_decay", "1e+36 gives adamw 1e+39")
    ]
    own = {"name": "adamw", "space": {"weight_decay": [0, 1e36]}}
    with pytest.raises(StudyError, match=r"optimizers\[0\]\.space\.weight_decay"):
        Study(name="n", workload="digits", optimizers=[own], space=space | {"weight_decay": [0]})
