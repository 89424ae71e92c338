"""How a study's own modules get to a worker: what is sent, what is not, and that another process can use it."""

from __future__ import annotations

import socket
import subprocess
import sys
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from robustness.study import Study
from robustness.study.import_string import beside
from robustness.worker import own_modules as shipping
from robustness.worker.own_modules import ShippingError, module_files, own_modules
from robustness.worker.parcel import Parcel, _copy, pack
from tests.support.studies import SPACE, make

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKLOAD = """
import torch
from robustness.workloads import Data, Workload
from neighbour import CLASSES

class Points(Workload):
    classes = CLASSES

    def data(self, seed):
        x, y = torch.randn(30, 4), torch.arange(30) % 3
        return Data(x, y, x, y, x, y)

    def model(self):
        return torch.nn.Linear(4, 3)
"""

OPTIMIZER = """
import torch

class Plain(torch.optim.SGD):
    def __init__(self, params, lr, weight_decay=0.0):
        super().__init__(params, lr=lr, weight_decay=weight_decay)
"""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Study]:
    """A study of modules beside it: a file, its neighbour, and an optimizer in a package of another folder."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    folder, here = tmp_path / "study", tmp_path / "here"
    for each in (folder, here / "rules" / "__pycache__", here / "rules" / ".git"):
        each.mkdir(parents=True)
    (folder / "sent_points.py").write_text(WORKLOAD)
    (folder / "neighbour.py").write_text("CLASSES = 3")
    (folder / "unused.py").write_text("")
    (folder / "data.csv").write_text("1,2")
    (here / "rules" / "__init__.py").write_text("")
    (here / "rules" / "plain.py").write_text(OPTIMIZER)
    (here / "rules" / "table.json").write_text("{}")
    (here / "rules" / "__pycache__" / "old.pyc").write_text("")
    (here / "rules" / ".git" / "config").write_text("")
    monkeypatch.chdir(here)
    with beside(folder / "x.yaml"):
        yield Study(
            name="x",
            workload={"name": "sent_points:Points", "engine": "single"},
            optimizers=["adamw", {"name": "rules.plain:Plain", "convention": "l2"}],
            space=SPACE,
        )
    for name in ("sent_points", "neighbour", "rules", "rules.plain"):
        sys.modules.pop(name, None)


def packed(study: Study, *, alone: bool = False) -> Parcel:
    return pack(study, alone=alone, say=print)


def names(parcel: Parcel) -> set[str]:
    return set(zipfile.ZipFile(BytesIO(parcel.modules)).namelist())


def test_what_is_not_installed_is_sent_with_what_it_imports_beside_it(study: Study) -> None:
    assert names(packed(study)) == {
        "sent_points.py",
        "neighbour.py",
        "rules/__init__.py",
        "rules/plain.py",
        "rules/table.json",
    }


def test_nothing_is_sent_of_ours_or_of_what_is_installed() -> None:
    lion = {"name": "pytorch_optimizer:Lion", "convention": "decoupled"}
    study = make(workload={"name": "digits", "engine": "single"}, optimizers=["adamw", lion])
    assert own_modules(study) == {}
    parcel = packed(study)
    assert parcel.modules == b""
    path = list(sys.path)
    assert parcel.open() == study
    assert sys.path == path


def test_a_folder_that_pip_installed_into_is_an_installation(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    place = own_modules(study)["rules"]
    (place.parent / "rules-1.0.dist-info").mkdir()
    shipping.is_installation.cache_clear()
    assert set(own_modules(study)) == {"sent_points", "neighbour"}


@pytest.mark.slow
def test_another_process_opens_it_without_the_folders(study: Study, tmp_path: Path) -> None:
    parcel = packed(study)
    (tmp_path / "parcel").mkdir()
    (tmp_path / "parcel" / "study").write_bytes(parcel.study)
    (tmp_path / "parcel" / "modules").write_bytes(parcel.modules)
    (tmp_path / "study").rename(tmp_path / "gone")
    (tmp_path / "here").rename(tmp_path / "gone-too")
    code = (
        "from pathlib import Path; from robustness.worker.parcel import Parcel\n"
        "parcel = Parcel(Path('study').read_bytes(), Path('modules').read_bytes())\n"
        "study = parcel.open()\n"
        "assert parcel.open() is study\n"
        "import sent_points; print(sent_points.__file__)\n"
        "weights = list(study.workload.model().parameters())\n"
        "for entry in study.optimizers: print(entry.optimizer.torch_optimizer(weights, 1, 0))\n"
        "print([run.run_id for run in study.grid()])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path / "parcel",
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).resolve().parents[3]), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert Path(lines[0]).parent.name.startswith("robustness-modules-")
    assert "AdamW (" in done.stdout
    assert "Plain (" in done.stdout
    assert lines[-1] == str([run.run_id for run in study.grid()])
    assert not list(tmp_path.glob("robustness-modules-*")), "what was unpacked went with the process"


def test_a_large_file_stays_where_it_is_and_is_named(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipping, "LIMIT_BYTES", 2**20)
    table = own_modules(study)["rules"] / "table.json"
    table.write_bytes(b" " * (2**20 - 2000))
    said: list[str] = []
    assert "rules/table.json" in names(pack(study, alone=False, say=said.append))
    assert not said
    table.write_bytes(b" " * (2 * 2**20))
    parcel = pack(study, alone=False, say=said.append)
    assert names(parcel) == {"sent_points.py", "neighbour.py", "rules/__init__.py", "rules/plain.py"}
    assert [each.partition(" is not sent")[0] for each in said] == [f"{table} (2 MiB)"]
    with pytest.raises(
        ShippingError, match=rf"rules.* have 2 MiB, and at most 1 MiB are sent .* file is {table}: inst"
    ):
        module_files(own_modules(study))  # as `submit` takes them, which has no other way to the cluster


def test_on_this_machine_no_data_are_packed_or_read(study: Study) -> None:
    table = own_modules(study)["rules"] / "table.json"
    with table.open("wb") as file:
        file.truncate(2**40)  # of which the disk holds nothing: to read it would take minutes
    said: list[str] = []
    parcel = pack(study, alone=True, say=said.append)
    assert names(parcel) == {"sent_points.py", "neighbour.py", "rules/__init__.py", "rules/plain.py"}
    assert not said
    assert not parcel.elsewhere


def test_modules_are_used_where_they_are_if_they_are_the_same_there(study: Study, tmp_path: Path) -> None:
    whole = packed(study)
    assert whole.folder == str(tmp_path / "here")
    assert not whole.elsewhere
    assert replace(whole, host="another").elsewhere
    (tmp_path / "here/rules/table.json").write_text("other")
    fresh = replace(whole, code="1")  # a process looks once
    assert fresh.elsewhere
    assert "modules were changed since this sweep began" in str(fresh.missing(FileNotFoundError("x.csv not found")))
    missing = str(replace(fresh, host="another").missing(FileNotFoundError(2, "No such file", "x.csv")))
    assert missing.startswith(f"{socket.gethostname()} has no file that the study's own code reads, and another has: x")
    assert "at one absolute path on every node, or within a package that travels with the study" in missing
    apart = replace(fresh, host="another", places=fresh.places[:1])
    copied = FileNotFoundError(f"{_copy(apart)}/x.csv not found.")
    assert f"and another has: {apart.places[0][1]}/x.csv not found: data must lie" in str(apart.missing(copied))
    assert packed(study).modules != whole.modules


def test_a_module_that_is_a_link_keeps_its_name_and_its_neighbours(study: Study, tmp_path: Path) -> None:
    module = tmp_path / "study/sent_points.py"
    module.rename(tmp_path / "study_of_all.py")
    module.symlink_to(tmp_path / "study_of_all.py")
    assert {"sent_points.py", "neighbour.py"} < names(packed(study))
