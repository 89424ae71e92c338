"""A stored study every field of which names a module that would say so when imported: looking imports none of it."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest

from analysis.service.app import make
from analysis.service.pages.registry import PAGES
from robustness import Store, load
from robustness.cli import main
from robustness.study import Study
from robustness.study.import_string import beside
from robustness.study.resolution import digest, resolve
from robustness.study.run import identity
from tests.support.service_pages import HOME, page, paths, told, words
from tests.support.stored_rows import curve, row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLASSES = """
import torch
from robustness.optimizers import Optimizer
from robustness.workloads import Data, Workload

class Net(Workload):
    classes = 4
    width: int = 8
    def data(self, seed): ...
    def model(self): ...

class Opt(torch.optim.SGD): ...
"""
TRAP = f"from pathlib import Path\nPath(r'%s').write_text('imported')\n{CLASSES}"
FILE = """\
name: trapped
description: "trap:Net trap"
workload: {name: "trap:Net", epochs: 3, engine: single, label: "trap:Title"}
optimizers:
  - {name: "trap:Opt", label: "trap:<b>", convention: l2, options: {momentum: 0.5}}
  - {name: adam, label: "trap:two", eps: 1.0e-7}
  - adam
space: {lr: [0.01, 0.1, 1], weight_decay: [0, 0.001]}
seeds: 2
claims: [{id: mine, sentence: "trap:Net is it", measure: depth, of: "trap:<b>", against: adam, direction: less}]
"""
RUNS = 3 * 3 * 2 * 2
LABELS = ["trap:<b>", "trap:two", "adam"]


@pytest.fixture(scope="module", params=["resolved", "old"])
def results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A finished study of two classes of a module `trap`, stored by this version or by one without resolved.json."""
    place = tmp_path_factory.mktemp("trapped")
    root, before = place / "results" / "trapped", list(sys.path)
    (place / "classes").mkdir()
    (place / "classes" / "trap.py").write_text(CLASSES)
    with beside(place / "classes" / "study.yaml"):
        study = Study.parse(FILE, "trapped.yaml")
    del sys.modules["trap"]
    sys.path[:] = before
    shutil.rmtree(place / "classes")
    store = Store(root)
    named = {
        "reason": "trap:Net",
        "host": "trap",
        "device": "trap:Net",
        "code_version": "trap",
        "torch_version": "trap",
    }
    rows = [row(number, **(identity(run) | named | {"epochs": 3})) for number, run in enumerate(study.grid())]
    labels = {
        entry.optimizer.name + str(getattr(entry.optimizer, "eps", "")): entry.label for entry in study.optimizers
    }
    for number, (run, each) in enumerate(zip(study.grid(), rows, strict=True)):
        each |= {"label": labels[run.optimizer.name + str(getattr(run.optimizer, "eps", ""))], "code": "trap"}
        each |= {"test_error": 10.0 + number % 7, "validation_error": 10.0 + number % 5}
    epochs = [epoch | {"run_id": each["run_id"]} for n, each in enumerate(rows) for epoch in curve(n, epochs=3)]
    store.write("trap", rows, epochs)
    store.write_study(FILE)
    if request.param == "resolved":
        more = {"codes": {"trap": {"since": "2026-01-01T00:00:00Z", "modules": {"trap": "0"}}}, "code": "trap"}
        plain = json.loads(resolve(study, digest=digest(FILE), plugins={"trap": "1"}).to_json()) | more
        store.write_resolved(json.dumps(plain | {"unknown": "trap:Net", "module": "trap"}))
    store.write_provenance({"command_line": "trap:Net", "plugins": {"trap": "1"}, "versions": {"trap": "trap:Net"}})
    for name in ("claims.json", "compaction.json", "sweep.json"):
        (root / name).write_text(json.dumps({"trap": "trap:Net", "sweep_id": "trap", "merged": ["trap"]}))
    (root / "checkpoints").mkdir()
    (root / "checkpoints" / "trap.json").write_text('{"run_ids": ["trap:Net"], "module": "trap"}')
    for folder in (place, place / "results", root, root / "runs"):
        (folder / "trap.py").write_text(TRAP % (place / "imported"))
    yield place / "results"
    assert not (place / "imported").exists()


@pytest.fixture(autouse=True)
def looked_from(results: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stand where the module lies, which can be imported from there; afterwards it has not been."""
    monkeypatch.chdir(results.parent)
    monkeypatch.setattr(sys, "path", [str(results.parent), str(results / "trapped"), *sys.path])
    yield
    assert "trap" not in sys.modules
    assert not (results.parent / "imported").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("report trapped", "report:"),
        ("claims trapped --all", "trapped, trap:Title"),
        ("compare trapped trapped", "trap:<b>"),
        ("list", f"{RUNS} completed"),
        ("plan results/trapped/study.yaml", f"trapped: {RUNS} runs, {RUNS} stored, 0 to train"),
        ("compact trapped", "trapped:"),
        ("pull trapped --to elsewhere", f"{RUNS} runs pulled"),
        ("publish trapped --to given", f"{RUNS} runs published"),
        ("report results/trapped/study.yaml", "report:"),
        ("claims results/trapped/study.yaml", "trapped, trap:Title"),
    ],
)
def test_a_command_that_looks_imports_nothing(line: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split()) == 0
    assert said in capsys.readouterr().out


def test_figures_are_drawn_without_the_classes(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("analysis.figures.files.browser", lambda: None)
    monkeypatch.setattr("analysis.figures.files.export", lambda _figure, path: path)
    assert main(["figures", "trapped", "--figure", "basins", "--out", str(results.parent / "drawn")]) == 0
    assert "figure-basins.svg" in capsys.readouterr().out


def test_a_stored_file_is_not_run_with_what_lies_beside_it(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [each for each in sys.path if str(results.parent) not in each])
    assert main(["validate", str(results / "trapped" / "study.yaml")]) == 2
    assert "there is no module 'trap'" in capsys.readouterr().err


def test_a_report_says_all_that_the_study_does(results: Path) -> None:
    assert main(["report", "trapped"]) == 0
    report = (results / "trapped" / "report.html").read_text()
    assert "trap:&lt;b&gt;" in report
    assert "trap:<b></" not in report
    assert "trap:Net is it" in report
    assert f"{RUNS} runs" in report
    assert "Shown without its study file" not in report


@pytest.mark.parametrize("one", PAGES, ids=lambda one: one.kind)
def test_a_page_imports_nothing(results: Path, one: Any) -> None:
    app = make(str(results))
    app.server.testing = True
    client, path = app.server.test_client(), one.path.replace("<study>", "trapped")
    search = "?study=trapped" if one.kind == "compare" else ""
    if one.page is not None and one.kind != "submit":
        text = words(page(client, path, search))
        assert "cannot be read" not in text
        assert all(answer.status_code in {200, 204} for answer in told(app, path, search))
    for route in one.routes:
        for each in paths(route.rule, "trapped"):
            if route.method == "GET" and not each.startswith("/submit"):
                with client.get(each + search, base_url=HOME) as answer:
                    assert answer.status_code == 200, each


def test_the_list_knows_that_the_study_is_complete(results: Path) -> None:
    app = make(str(results))
    shown = words(page(app.server.test_client(), "/"))
    assert "complete" in shown
    assert "interrupted" not in shown


def test_two_entries_of_one_optimizer_are_told_apart_by_label(results: Path) -> None:
    runs = load("trapped", results).runs
    # An independent look at what the rows hold: two options of `adam`.
    pairs = runs[["label", "optimizer", "optimizer_options"]].drop_duplicates()
    assert len(pairs) == runs["label"].nunique() == 3
    assert set(runs["label"]) == set(LABELS)


def test_the_copies_have_what_the_study_resolved_to(results: Path) -> None:
    there = (results / "trapped" / "resolved.json").exists()
    assert main(["pull", "trapped", "--to", "copied"]) == 0
    path = results.parent / "copied" / "trapped" / "resolved.json"
    assert path.exists() is there, "a store of an older version has none"
    if not there:
        return
    copied = json.loads(path.read_text())
    assert copied["unknown"] == "trap:Net", "a key that this version does not know stays"


def test_the_trap_is_a_live_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "trap.py").write_text(TRAP % (tmp_path / "imported"))
    (tmp_path / "own.yaml").write_text(FILE.replace("trapped", "own"))
    assert main(["validate", str(tmp_path / "own.yaml")]) == 0
    del sys.modules["trap"]
    assert (tmp_path / "imported").exists(), "a study file of one's own imports what it names"
