"""Import strings: where a workload is found, and what is refused."""
# ruff: noqa: E501 - a table is read best with a row on a line

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
import torch

from analysis.contents.which_runs import stored_study
from robustness.study import Study, StudyError
from robustness.study.import_string import beside
from robustness.study.resolution import resolve
from tests.support.own_modules import FILE, MINE, folder, read
from tests.support.studies import SPACE

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["folder"]


def problem(folder: Path, workload: str) -> tuple[str, str]:
    """Return key and message of the one thing wrong with a study of this workload."""
    with pytest.raises(StudyError) as caught:
        read(folder, FILE.replace('{name: "mine:Points", epochs: 3, batch_size: 16}', workload))
    (found,) = caught.value.problems
    assert found.line == 1
    return found.key, found.message


def test_a_workload_is_found_beside_its_study_then_here_then_among_what_is_installed(folder: Path) -> None:
    workload = read(folder).workload
    assert (workload.name, workload.classes, workload.epochs) == ("mine:Points", 3, 3)
    assert sys.modules["mine"].__file__ == str(folder / "mine.py")
    here = folder.parent / "here"
    (here / "elsewhere.py").write_text(MINE.replace("classes = 3", "classes = 4"))
    assert read(folder, FILE.replace("mine:", "elsewhere:")).workload.classes == 4
    package = folder / "parts" / "deep"
    package.mkdir(parents=True)
    (package / "net.py").write_text(MINE)
    bare = FILE.replace('{name: "mine:Points", epochs: 3, batch_size: 16}', "parts.deep.net:Points")
    assert read(folder, bare).workload.name == "parts.deep.net:Points"


def test_a_bare_import_string_has_the_defaults(folder: Path) -> None:
    with beside(folder / "x.yaml"):
        study = Study(name="x", workload="mine:Points", optimizers=["adam"], space=SPACE)
        same = Study(name="x", workload={"name": "mine:Points", "shift": 1}, optimizers=["adam"], space=SPACE)
    assert study.workload == same.workload
    assert hash(study.workload) == hash(same.workload)


def test_a_module_may_import_its_neighbours_later_too(folder: Path) -> None:
    (folder / "mine.py").write_text(MINE.replace("    def model(self):", "    def model(self):\n        import depth"))
    (folder / "depth.py").write_text("DEPTH = 2")
    read(folder).workload.model()
    assert sys.modules["depth"].__file__ == str(folder / "depth.py")


def test_sys_path_is_as_it_was_unless_something_is_found_in_the_folder(folder: Path) -> None:
    before = list(sys.path)
    with beside(folder / "x.yaml"):
        single, nadam = {"name": "digits", "engine": "single"}, {"name": "torch.optim:NAdam", "convention": "l2"}
        Study(name="x", workload=single, optimizers=[nadam], space=SPACE)
    assert sys.path == before
    read(folder)
    assert sys.path == [str(folder), *before]
    read(folder)
    assert sys.path == [str(folder), *before]


def test_two_modules_of_one_name_are_not_mixed_up(folder: Path) -> None:
    read(folder)
    other = folder.parent / "other"
    other.mkdir()
    (other / "mine.py").write_text(MINE)
    key, message = problem(other, "{name: 'mine:Points'}")
    assert key == "workload.name"
    assert f"module 'mine' of {other} can't be had beside another of its name, {folder / 'mine.py'}" in message


def test_a_folder_that_is_called_like_an_installed_package_is_not_one(folder: Path) -> None:
    (folder / "torch").mkdir()
    (folder / "pytorch_optimizer").mkdir()
    text = FILE.replace("[adamw]", "[{name: 'torch.optim:NAdam', convention: l2}]").replace(
        "epochs", "engine: single, epochs"
    )
    assert read(folder, text).optimizers[0].optimizer.torch_class() is torch.optim.NAdam  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mnie:Points", "there is no module 'mnie' beside the study file, in the current folder or among the installed packages, did you mean 'mine'?"),
        ("mine.net:Points", "there is no module 'mine.net'"),
        ("mine:Pints", "module 'mine' has no class 'Pints', did you mean 'Points'?"),
        ("mine:LIMIT", "'LIMIT' of module 'mine' is not a class"),
        ("mine:Other", "Other is not a subclass of robustness.workloads.Workload"),
        ("mine:NoModel", "NoModel has no `model`"),
        ("mine:NoData", "NoData has neither `data` nor `feed`"),
        ("mine:NoClasses", "NoClasses has neither `classes`, their number, nor a `chance_error`"),
        ("mine:Abstract", "Abstract does not implement `table`"),
        ("mine:Called", "Called is called 'points', and by import string it is called 'mine:Called': let its `name` be a str"),
        ("mine:Points:", "'mine:Points:' is no import string, which is package.module:Class"),
        (":Points", "':Points' is no import string"),
        ("mi-ne:Points", "'mi-ne:Points' is no import string"),
        ("broken:Points", "module 'broken' can't be imported: ZeroDivisionError: division by zero (broken.py:2)"),
        ("unclosed:Points", "module 'unclosed' can't be imported: SyntaxError: '(' was never closed (unclosed.py, line 1)"),
        ("leaving:Points", "module 'leaving' can't be imported: SystemExit: 3 (leaving.py:2)"),
        ("unnamed:Points", "module 'unnamed' can't be imported: PydanticUserError: A non-annotated attribute was detected: `width = 3`."),
        ("unnamed:Points", "(unnamed.py:2)"),
        ("lacking:Points", "module 'lacking' can't be imported: ModuleNotFoundError: No module named 'nowhere_at_all' (lacking.py:1)"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_import_string(folder: Path, name: str, words: str) -> None:
    (folder / "broken.py").write_text("x = 1\nx / 0")
    (folder / "unclosed.py").write_text("print(")
    (folder / "leaving.py").write_text("import sys\nsys.exit(3)")
    (folder / "lacking.py").write_text("import nowhere_at_all")
    (folder / "unnamed.py").write_text("from robustness.workloads import Workload\nclass Points(Workload): width = 3")
    key, message = problem(folder, f"{{name: '{name}', epochs: 3}}")
    assert key == "workload.name"
    assert words in message
    assert problem(folder, f"'{name}'") == ("workload", message)


def test_a_stored_study_is_read_without_its_module_wherever_that_is(folder: Path) -> None:
    study, problem = stored_study(FILE, None, "points")
    assert problem is None
    assert study is not None
    assert [each.name for each in study.workloads] == ["mine:Points"]
    assert not study.is_exact
    read(folder)
    del sys.modules["mine"]
    again, _ = stored_study(FILE, resolve(read(folder)).to_json(), "points")
    del sys.modules["mine"]
    assert again is not None
    assert list(again.run_ids()) == [run.run_id for run in read(folder).grid()]
    del sys.modules["mine"]
    stored_study(FILE, None, "points")
    assert "mine" not in sys.modules, "nothing that the file names is imported"


def test_options_of_an_own_workload_are_checked_like_those_of_any(folder: Path) -> None:
    key, message = problem(folder, "{name: 'mine:Points', shft: 2}")
    assert key == "workload.shft"
    assert "unknown key, did you mean 'shift'? allowed here: " in message
    assert problem(folder, "{name: 'mine:Points', shift: '2'}")[1] == "expected a number, got the text '2'"
    key, message = problem(folder, "'mine:Listed'")
    assert key == "workload"
    assert message == "its options cannot identify a run: unhashable type: 'list'; a list is a tuple[...] field"
