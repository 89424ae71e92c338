"""Stored runs of a module, or of a class of a script, that was edited since: they stay, and it is said."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from robustness.cli import main
from robustness.results import Store, load
from robustness.study import Study, StudyError
from robustness.study.resolved import Resolved
from robustness.sweep.in_process import run_here
from robustness.worker.digests import class_source, code_of
from robustness.workloads import Workload

if TYPE_CHECKING:
    from collections.abc import Iterator

NETWORK = """
import torch
from robustness.workloads import Data, Workload

class Edited(Workload):
    classes = 2
    width: int = 4

    def data(self, seed):
        x = torch.randn(96, 4, generator=torch.Generator().manual_seed(seed))
        y = (x[:, 0] > 0).long()
        return Data(x[:64], y[:64], x[64:80], y[64:80], x[80:], y[80:])

    def model(self):
        return torch.nn.Sequential(torch.nn.Linear(4, self.width), torch.nn.ReLU(), torch.nn.Linear(self.width, 2))
"""
FILE = """\
name: edited
workload: {name: "edited_network:Edited", epochs: 1, batch_size: 16}
optimizers: [adamw]
space: {lr: [0.01], weight_decay: [0]}
seeds: 2
"""
MODULE = "edited_network"


@pytest.fixture(name="edit")
def make_edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What writes the module anew, as an editor does between two commands, each of which is a process of its own."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edited.yaml").write_text(FILE)

    def edit(text: str) -> None:
        sys.modules.pop(MODULE, None)
        for old in (tmp_path / "__pycache__").glob("*.pyc"):
            old.unlink()
        (tmp_path / f"{MODULE}.py").write_text(text)

    yield edit
    sys.modules.pop(MODULE, None)


def trained() -> int:
    return run_here(Study.load("edited.yaml"), "results", quiet=True).trained


def test_an_edited_module_is_named_with_its_runs_and_what_to_raise(
    edit: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(NETWORK)
    assert trained() == 2
    assert "changed" not in capsys.readouterr().err
    rows = load("edited").runs
    (first,) = set(rows["code"])
    edit(NETWORK.replace("ReLU", "Tanh"))
    assert trained() == 0, "nothing is thrown away, and nothing trained"
    words = "edited_network has changed since 2 stored runs were trained; they are kept as they are: "
    assert words + "raise `version` in the class to train them anew" in capsys.readouterr().err
    assert main(["plan", "edited.yaml"]) == 0
    assert words in capsys.readouterr().err
    assert main(["report", "edited"]) == 0
    assert words in Path("results/edited/report.html").read_text()
    resolved = Resolved.read(str(Store("results/edited").read_resolved()))
    assert list(resolved.codes) == [first, resolved.code]
    edit(NETWORK.replace("ReLU", "Tanh").replace("classes = 2", "classes = 2\n    version = 2"))
    assert trained() == 2
    assert "changed" not in capsys.readouterr().err, "the old runs are no longer asked for"
    assert set(load("edited").runs["code"]) > {first}


def test_runs_of_known_classes_have_no_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    study = Study.parse(FILE.replace('"edited_network:Edited"', "digits").replace("batch_size: 16", "train_size: 64"))
    assert code_of(study) == {}
    run_here(study, "results", quiet=True)
    assert set(load("edited").runs["code"].isna()) == {True}
    assert set(load("edited").runs["label"]) == {"adamw"}


def script(width: int) -> Study:
    """Return a study of a class of a script; what its functions hold tells it from another."""
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(NETWORK.replace("self.width", str(width)), space)
    # Pydantic looks names up in the module, which is pytest here.
    return Study(
        name="cell", workload=space["Edited"](epochs=1, batch_size=16), optimizers=["adamw"],
        space={"lr": [0.01], "weight_decay": [0]}, seeds=1,
    )  # fmt: skip


def test_a_class_of_a_script_is_told_from_another_of_its_name(tmp_path: Path) -> None:
    first = script(8)
    assert first.workload.name == "__main__:Edited"
    assert list(code_of(first)) == ["__main__:Edited"]
    assert code_of(first) == code_of(script(8)) != code_of(script(64))
    assert run_here(first, tmp_path, quiet=True).trained == 1
    assert run_here(script(8), tmp_path, quiet=True).trained == 0
    before = Store(tmp_path / "cell").read_resolved()
    for _ in range(2):
        with pytest.raises(StudyError, match=r"__main__:Edited differs .* another name, or raise its `version`"):
            run_here(script(64), tmp_path, quiet=True)
    assert Store(tmp_path / "cell").read_resolved() == before
    assert set(load("cell", tmp_path).runs["parameters"]) == {8 * 4 + 8 + 8 * 2 + 2}


def test_the_source_of_a_class_is_read_where_there_is_one() -> None:
    class Plain(Workload):
        width: int = 3

    assert "width: int = 3" in class_source(Plain)
