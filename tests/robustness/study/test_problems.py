"""Malformed study files, each with the line and the words of its message."""
# ruff: noqa: E501 - a table is read best with a row on a line

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from robustness.study import Study, StudyError
from robustness.workloads import Digits
from tests.support.claim_cases import CASES as CLAIM_CASES

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
name: good
workload:
  name: digits
  epochs: 3
  schedule:
    kind: step
    milestones: [0.5]
optimizers:
  - adams
  - name: adam
    label: plain
    betas: [0.9,
            0.99]
space:
  lr: {low: 1.0e-4, high: 1, points: 3}
  weight_decay:
    - 0
    - 1.0e-4
search: grid
seeds: 2
resources:
  cpus: 1
"""

# What is replaced in the good file, by what, and then line, key and words of the one problem that it makes.
Case = tuple[str, str, int | None, str, tuple[str, ...]]
CASES: dict[str, Case] = CLAIM_CASES | {
    "unknown key": ("seeds: 2", "seed: 2", 20, "seed", ("unknown key", "did you mean 'seeds'", "resources")),
    "unknown option": ("epochs: 3", "epoch: 3", 4, "workload.epoch", ("did you mean 'epochs'", "batch_size")),
    "foreign option": ("epochs: 3", "channels: 3", 4, "workload.channels", ("unknown key", "width")),
    "unknown option of a schedule": ("kind: step", "kind: step\n    gama: 1", 7, "workload.schedule.gama", ("'gamma'", "milestones")),
    "unknown option of an optimizer": ("label: plain", "eps_: 1", 11, "optimizers[1].eps_", ("did you mean 'eps'", "amsgrad", "label")),
    "unknown schedule": ("kind: step", "kind: linear", 6, "workload.schedule.kind", ("step, constant, cosine, cosine_restarts", "'linear'")),
    "schedule without kind": ("kind: step", "gamma: 0.1", 5, "workload.schedule.kind", ("is missing",)),
    "unknown workload": ("name: digits", "name: digit", 3, "workload.name", ("unknown workload 'digit'", "did you mean 'digits'", "digits-cnn")),
    "unknown bare optimizer": ("- adams", "- sgdx", 9, "optimizers[0]", ("unknown optimizer 'sgdx'", "adam, adams, adamw")),
    "optimizer without name": ("name: adam\n", "eps: 1.0e-8\n", 10, "optimizers[1].name", ("is missing", "adams")),
    "optimizer of a wrong type": ("- adams", "- 3", 9, "optimizers[0]", ("expected the name of an optimizer", "got 3")),
    "optimizers not a list": ("optimizers:\n  - adams\n  - name: adam\n    label: plain\n    betas: [0.9,\n            0.99]", "optimizers: adams", 8, "optimizers", ("expected a list", "'adams'")),
    "no optimizers": ("optimizers:\n  - adams\n  - name: adam\n    label: plain\n    betas: [0.9,\n            0.99]", "optimizers: []", 8, "optimizers", ("at least 1 item, got 0",)),
    "clashing labels": ("label: plain", "label: adams", 10, "optimizers[1]", ("label 'adams'", "optimizers[0]")),
    "the same optimizer twice": ("name: adam\n    label: plain\n    betas: [0.9,\n            0.99]", "name: adams\n    label: again", 10, "optimizers[1]", ("same optimizer", "optimizers[0]")),
    "empty label": ("label: plain", "label: ''", 11, "optimizers[1].label", ("1 to 64 characters",)),
    "beta out of bounds": ("            0.99]", "            1]", 13, "optimizers[1].betas[1]", ("must be less than 1, got 1",)),
    "too few betas": (",\n            0.99]", "]", 12, "optimizers[1].betas[1]", ("is missing",)),
    "wrong type": ("epochs: 3", "epochs: three", 4, "workload.epochs", ("expected a whole number", "the text 'three'")),
    "a number in quotes": ("epochs: 3", "epochs: '3'", 4, "workload.epochs", ("expected a whole number", "the text '3'")),
    "a fraction for a whole number": ("epochs: 3", "epochs: 3.5", 4, "workload.epochs", ("expected a whole number, got 3.5",)),
    "a value that is not there": ("epochs: 3", "epochs:", 4, "workload.epochs", ("expected a whole number, got nothing",)),
    "a value on the next line": ("epochs: 3", "epochs:\n      -3", 5, "workload.epochs", ("must be greater than 0, got -3",)),
    "no epochs": ("epochs: 3", "epochs: 0", 4, "workload.epochs", ("must be greater than 0, got 0",)),
    "no test split": ("epochs: 3", "train_size: 1700", 2, "workload", ("at least 20 of the 1797",)),
    "milestones that descend": ("[0.5]", "[0.5, 0.4]", 5, "workload.schedule", ("milestones must ascend",)),
    "unknown engine": ("epochs: 3", "engine: stacks", 4, "workload.engine", ("stack or single", "'stacks'")),
    "negative lr": ("low: 1.0e-4", "low: -1", 15, "space.lr.low", ("must be greater than 0, got -1",)),
    "lr of zero": ("low: 1.0e-4, high: 1, points: 3", "values: [0, 1]", 15, "space.lr.values[0]", ("must be greater than 0, got 0",)),
    "low above high": ("high: 1,", "high: 1.0e-5,", 15, "space.lr.high", ("not be less than low", "low: 0.0001")),
    "range without high": ("high: 1, ", "", 15, "space.lr.high", ("is missing",)),
    "range without points": (", points: 3", "", 15, "space.lr.points", ("is missing: a grid needs it",)),
    "a single point": ("points: 3", "points: 1", 15, "space.lr.points", ("at least 2",)),
    "a range too narrow": ("low: 1.0e-4, high: 1", "low: 1, high: 1", 15, "space.lr.points", ("too close for 3",)),
    "too large to be finite": ("high: 1,", "high: 1e999,", 15, "space.lr.high", ("finite number, got .inf",)),
    "not a number": ("- 1.0e-4", "- .nan", 18, "space.weight_decay[1]", ("finite number, got .nan",)),
    "negative weight decay": ("- 1.0e-4", "- -1.0e-4", 18, "space.weight_decay[1]", ("must be at least 0, got -0.0001",)),
    "a value twice": ("- 1.0e-4", "- 0.0", 18, "space.weight_decay[1]", ("0 is in the list twice",)),
    "a value in two ways": ("{low: 1.0e-4, high: 1, points: 3}", "[0.1, 0.3, 0.30000000000000004]", 15, "space.lr[2]", ("0.30000000000000004 is in the list twice: as 0.3 before",)),
    "an infinite decay": ("- 1.0e-4", "- 1.0e+40", 16, "space.weight_decay", ("1e+40 is more than the 3.4e+38 that single precision holds",)),
    "an infinite learning rate": ("high: 1,", "high: 1e40,", 15, "space.lr", ("1e+40 is more than the 3.4e+38",)),
    "text in a list": ("- 1.0e-4", "- small", 18, "space.weight_decay[1]", ("expected a number", "'small'")),
    "an empty list": ("{low: 1.0e-4, high: 1, points: 3}", "[]", 15, "space.lr", ("at least 1 item, got 0",)),
    "an axis of a wrong type": ("{low: 1.0e-4, high: 1, points: 3}", "0.1", 15, "space.lr", ("a list of numbers or a mapping with low and high", "0.1")),
    "zero for lr": ("points: 3", "points: 3, zero: true", 15, "space.lr.zero", ("weight_decay only",)),
    "a list beside a range": ("low: 1.0e-4, high: 1, points: 3", "points: 3, values: [1]", 15, "space.lr.points", ("can't stand beside values",)),
    "no lr": ("  lr: {low: 1.0e-4, high: 1, points: 3}\n", "", 14, "space.lr", ("is missing",)),
    "a reference that is no label": ("search: grid", "reference: plane\nsearch: grid", 19, "reference", ("must be the label of an optimizer, one of adams, plain", "did you mean 'plain'?")),
    "no workload": (GOOD[GOOD.index("workload"):GOOD.index("optimizers")], "", 1, "workload", ("is missing",)),
    "a reference in another case": ("search: grid", "reference: Plain\nsearch: grid", 19, "reference", ("did you mean 'plain'?",)),
    "a key in another case": ("seeds: 2", "SEEDS: 2", 20, "SEEDS", ("did you mean 'seeds'?",)),
    "unknown sampler": ("search: grid", "search:\n  sampler: tp\n  cells: 3", 20, "search.sampler", ("unknown sampler 'tp'", "'tpe'", "cmaes, qmc, random")),
    "a sampler without cells": ("search: grid", "search: tpe", 19, "search", ("{sampler: tpe, cells: 40}",)),
    "zero cells": ("search: grid", "search: {sampler: tpe, cells: 0}", 19, "search.cells", ("at least 1, got 0",)),
    "more cells than there are": (GOOD[GOOD.index("{low") : GOOD.index("seeds")], "[1]\n  weight_decay: [0, 1]\nsearch: {sampler: gp, cells: 3}\n", 14, "space", ("only 2 different cells", "3 of search.cells")),
    "no seeds": ("seeds: 2", "seeds: 0", 20, "seeds", ("1 to 10000 seeds", "got 0")),
    "negative seed": ("seeds: 2", "seeds: [1, -1]", 20, "seeds[1]", ("must be at least 0, got -1",)),
    "a seed twice": ("seeds: 2", "seeds:\n  - 4\n  - 4", 22, "seeds[1]", ("4 is in the list twice",)),
    "a seed too large": ("seeds: 2", "seeds: [4294967296]", 20, "seeds[0]", ("at most 4294967295",)),
    "no cpus": ("cpus: 1", "cpus: 0", 22, "resources.cpus", ("must be greater than 0, got 0",)),
    "a bad stack size": ("cpus: 1", "stack_size: all", 22, "resources.stack_size", ("auto or a whole number", "'all'")),
    "bad name": ("name: good", "name: Very good", 1, "name", ("a-z, 0-9", "'Very good'")),
    "a key twice": ("seeds: 2", "seeds: 2\nseeds: 3", 21, "seeds", ("twice, first on line 20",)),
    "a nested key twice": ("cpus: 1", "cpus: 1\n  cpus: 1", 23, "resources.cpus", ("twice, first on line 22",)),
    "a key that is a list": ("cpus: 1", "[a]: 1", 22, "resources", ("a key must be a word",)),
    "a foreign tag": ("cpus: 1", "cpus: !!python/name:os.system 1", 22, "resources.cpus", ("means nothing here",)),
    "a tab": ("  epochs", "\tepochs", 4, "", ("a tab in the indentation",)),
    "an open quote": ("name: good", "name: 'good", 1, "", ("is not YAML", "line 1")),
    "a wrong indentation": ("  epochs", "   epochs", 4, "", ("is not YAML",)),
    "two documents": ("seeds: 2", "---\nseeds: 2", 20, "", ("is not YAML", "document")),
    "empty": (GOOD, "", None, "", ("is empty",)),
    "only a comment": (GOOD, "# nothing\n", None, "", ("is empty",)),
    "a control character": ("name: good", "name: \x01", None, "", ("is not YAML",)),
}  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "search_spaces").mkdir()
    return tmp_path / "search_spaces"


def error_of(folder: Path, content: str | bytes) -> StudyError:
    path = folder / "x.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(StudyError) as caught:
        Study.load("search_spaces/x.yaml")
    # No detour through pydantic's own wording or its traceback.
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    for word in ("pydantic", "Input should", "http", "Traceback"):
        assert word not in str(caught.value)
    return caught.value


def test_the_good_file_is_good(folder: Path) -> None:
    (folder / "x.yaml").write_text(GOOD)
    assert len(Study.load("x").grid()) == 2 * 3 * 2 * 2


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_malformed_file_has_its_line_and_its_message(folder: Path, case: Case) -> None:
    old, new, line, key, words = case
    assert GOOD.count(old) == 1
    content = GOOD.replace(old, new)
    error = error_of(folder, content)
    assert len(error.problems) == 1, str(error)
    (problem,) = error.problems
    assert (problem.line, problem.key) == (line, key), str(error)
    for word in words:
        assert word in problem.message
    where = "search_spaces/x.yaml" + (f":{line}" if line else "")
    assert str(error) == f"{where}: {key + ': ' if key else ''}{problem.message}"


def test_everything_wrong_is_said_in_one_go_by_line(folder: Path) -> None:
    changes = [
        ("epochs: 3", "epoch: 3"),
        ("[0.5]", "[2, x]"),
        ("- adams", "- adamz"),
        ("label: plain", "label: ''"),
        ("            0.99]", "            7]"),
        ("low: 1.0e-4, high: 1, points: 3", "low: 0, high: 1"),
        ("- 1.0e-4", "- -1\n    - 0"),
        ("seeds: 2", "seeds: 2\nseeds: 0"),
        ("cpus: 1", "cpus: -1"),
    ]
    content = GOOD
    for old, new in changes:
        content = content.replace(old, new)
    error = error_of(folder, content)
    assert [(problem.line, problem.key) for problem in error.problems] == [
        (4, "workload.epoch"),
        (7, "workload.schedule.milestones[0]"),
        (7, "workload.schedule.milestones[1]"),
        (9, "optimizers[0]"),
        (11, "optimizers[1].label"),
        (13, "optimizers[1].betas[1]"),
        (15, "space.lr.points"),
        (15, "space.lr.low"),
        (18, "space.weight_decay[1]"),
        (19, "space.weight_decay[2]"),
        (22, "seeds"),
        (22, "seeds"),
        (24, "resources.cpus"),
    ]
    assert len(str(error).splitlines()) == len(error.problems)


def test_not_utf_8(folder: Path) -> None:
    (problem,) = error_of(folder, GOOD.replace("epochs: 3", "epochs: é").encode("latin-1")).problems
    assert (problem.line, problem.message) == (4, "is not UTF-8: byte 0xe9")


def test_a_file_name_that_is_no_study_name(folder: Path) -> None:
    (folder / "My Study.yaml").write_text(GOOD.replace("name: good\n", ""))
    with pytest.raises(StudyError, match=r"My Study.yaml:1: name: is missing, and the file's own name won't do"):
        Study.load("search_spaces/My Study.yaml")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("digit", ("no such study", "did you mean 'digits'", "digits-cnn")),
        ("search_spaces/godo.yaml", ("no such file", "did you mean 'good.yaml'", "digits")),
        ("digits_cnn.yaml", ("no such file", "did you mean 'digits-cnn'")),
        ("nowhere/x.yaml", ("no such file", "known studies: ")),
        ("search_spaces", ("is a folder",)),
        (GOOD * 20, ("no such study",)),
        ("a\0b", ("no such study",)),
    ],
)
def test_a_file_that_is_not_there(folder: Path, asked: str, words: tuple[str, ...]) -> None:
    (folder / "good.yaml").write_text(GOOD)
    with pytest.raises(StudyError) as caught:
        Study.load(asked)
    (problem,) = caught.value.problems
    assert problem.line is None
    for word in words:
        assert word in problem.message


LAUGHS = ["a: &a0 [x]", *(f"b{i}: &a{i + 1} [{', '.join([f'*a{i}'] * 10)}]" for i in range(12))]
HOSTILE = {
    "brackets": "[" * 10_000,
    "braces": "{a: " * 5000,
    "cycle": "a: &a [*a]",
    "depth": "x: " + "[" * 50 + "]" * 50,
    "self": "self: 1",
    "digits": "a: " + "9" * 6000,
    "laughs": "\n".join(LAUGHS),
}


@pytest.mark.slow
@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_refused_and_not_followed(folder: Path, content: str) -> None:
    assert error_of(folder, content).problems


def test_python_gets_the_same_words_without_lines() -> None:
    with pytest.raises(StudyError) as caught:
        Study(name="x", workload=Digits(), optimizers=["adamw", "adamx"], space={"lr": [0], "weight_decay": [0]})
    assert str(caught.value) == (
        "optimizers[1]: unknown optimizer 'adamx', did you mean 'adam'? the known ones are adabound, adam, adams, "
        "adamw, amsgrad, padam, radam, sgd, sgd-eq1, sgds, yogi\n"
        "space.lr.values[0]: must be greater than 0, got 0"
    )
    assert [(problem.file, problem.line) for problem in caught.value.problems] == [("", None)] * 2
