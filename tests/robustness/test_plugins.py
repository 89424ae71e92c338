"""Optimizers and workloads of another package: installed by pip, found by name, trained, and told apart from ours."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, Literal

import jsonschema
import pytest

from robustness.optimizers import AdamWOptions, Optimizer
from robustness.study import Run
from robustness.workloads import Digits, DigitsCNN
from tests.support.plugin_package import NAME, STUDY, VERSION, broken, cli, python, site, trained

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["site", "trained"]

PLAIN = "workload: digits\noptimizers: [adamw]\nspace: {lr: [0.01], weight_decay: [0]}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a study of the package's optimizer and workload, which is the current one of what is started."""
    (tmp_path / "made.yaml").write_text(STUDY)
    return tmp_path


def test_short_names_are_read_without_torch_and_stand_for_import_strings(site: Path, folder: Path) -> None:
    full = STUDY.replace("name: points", "name: 'made_up.workload:Points'")
    full = full.replace("[signs, ", "['made_up.optimizer:Signs', ").replace(
        "name: signs", "name: 'made_up.optimizer:Signs'"
    )
    (folder / "full.yaml").write_text(full)
    code = (
        "import json, sys\n"
        "from robustness import Study\n"
        "short, full = Study.load('made.yaml'), Study.load('full.yaml')\n"
        "assert 'torch' not in sys.modules\n"
        "from made_up.optimizer import Signs; from made_up.workload import Points\n"
        "plain = Points(epochs=3, batch_size=30)\n"
        "some = ['signs', *full.optimizers[1:]]\n"
        "made = Study(name='made', workload=plain, optimizers=some, space=short.space, seeds=3)\n"
        "ids = [[run.run_id for run in study.grid()] for study in (short, full, made)]\n"
        "print(json.dumps([ids, short.workload.title, [each.label for each in short.optimizers],\n"
        "    [run.optimizer.name for run in short.grid()][::18], short.workload.name]))"
    )
    ids, title, labels, names, workload = json.loads(python(code, site, cwd=folder).stdout)
    assert ids[0] == ids[1] == ids[2]
    assert len(set(ids[0])) == 54
    assert (title, labels) == ("points", ["signs", "half", "adamw"])
    assert names == ["made_up.optimizer:Signs", "made_up.optimizer:Signs", "adamw"]
    assert workload == "made_up.workload:Points"


@pytest.mark.slow
def test_the_schema_has_them_with_their_options(site: Path, folder: Path) -> None:
    code = "from robustness.study.schema import text; print(text())"
    schema = json.loads(python(code, site, cwd=folder).stdout)
    validator = jsonschema.Draft202012Validator(schema)
    axes = {"lr": [0.01], "weight_decay": [0.0]}
    study = {"workload": {"name": "points", "apart": 1.0}, "optimizers": [{"name": "signs", "scale": 2}], "space": axes}
    validator.validate(study)
    assert not validator.is_valid(study | {"workload": {"name": "points", "apar": 1.0}})
    assert not validator.is_valid(study | {"optimizers": ["sign"]})
    without = json.loads(python(code, cwd=folder).stdout)
    assert not jsonschema.Draft202012Validator(without).is_valid(study)


def test_they_train_and_the_record_has_package_and_version(trained: Path) -> None:
    (record,) = (trained / "results" / "made" / "provenance").glob("*.json")
    assert json.loads(record.read_text())["plugins"] == {NAME: VERSION}
    code = (
        "import json; from robustness import load; runs = load('results/made').runs\n"
        "print(json.dumps([sorted(set(runs['status'])), sorted(set(runs['optimizer'])), \n"
        "    sorted(set(runs['workload'])), len(runs), runs['test_error'].min(), \n"
        "    bool((runs['test_error'] >= runs['baseline']).any())]))"
    )
    status, optimizers, workloads, count, least, at_chance = json.loads(python(code, cwd=trained).stdout)
    assert (status, count) == (["completed"], 54)
    assert at_chance, "at the least rate"
    assert optimizers == ["adamw", "made_up.optimizer:Signs"]
    assert workloads == ["made_up.workload:Points"]
    assert least < 40, "of 67 by guessing"


@pytest.mark.slow
def test_in_double_precision_a_stack_is_its_single_runs(site: Path, folder: Path) -> None:
    code = (
        "import torch; from robustness import Study; from robustness.training import train_single, train_stack\n"
        "runs = [run for run in Study.load('made.yaml').grid() if run.seed == 1 and run.optimizer.name != 'adamw']\n"
        "rows = {row['run_id']: row for row in train_stack(runs, dtype=torch.float64).rows({})}\n"
        "for run in runs:\n"
        "    (row,) = train_single(run, dtype=torch.float64).rows({})\n"
        "    for name in ('train_loss', 'test_loss', 'weight_norm', 'grad_norm'):\n"
        "        torch.testing.assert_close(rows[run.run_id][name], row[name], rtol=1e-9, atol=1e-12)\n"
    )
    python(code, site, cwd=folder)


@pytest.mark.slow
def test_a_node_without_the_package_or_with_another_version_is_told_in_one_sentence(site: Path, folder: Path) -> None:
    packed = (
        "from robustness import Study; from robustness.worker.parcel import pack; import pickle, pathlib\n"
        "parcel = pack(Study.load('made.yaml'), alone=False, say=print); assert parcel.modules == b''\n"
        "pathlib.Path('parcel').write_bytes(pickle.dumps(parcel))"
    )
    python(packed, site, cwd=folder)
    opened = (
        "import pathlib, pickle, socket; from robustness.errors import ClusterError\n"
        "try: pickle.loads(pathlib.Path('parcel').read_bytes()).open()\n"
        "except ClusterError as error: print(str(error).replace(socket.gethostname(), 'HOST'))"
    )
    there = f"install {NAME} {VERSION} there\n"
    assert python(opened, cwd=folder).stdout == f"made_up, a plug-in, is not installed on HOST: {there}"
    older = shutil.copytree(site, folder / "older")
    (older / "made_up" / "optimizer.py").write_text("")
    (info,) = older.glob("*.dist-info")
    info.rename(older / "made_up_robustness-1.1.dist-info")
    metadata = older / "made_up_robustness-1.1.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace(f"Version: {VERSION}", "Version: 1.1"))
    assert python(opened, older, cwd=folder).stdout == f"made_up, a plug-in, has version 1.1 on HOST: {there}"
    assert python(opened, site, cwd=folder).stdout == ""


@pytest.mark.slow
def test_a_package_that_cannot_be_imported_stops_only_the_study_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    bad = broken(tmp_path / "site", "robustness.optimizers")
    (tmp_path / "plain.yaml").write_text(PLAIN)
    (tmp_path / "names.yaml").write_text(PLAIN.replace("[adamw]", "[adamw, {name: broken}]"))
    (tmp_path / "unknown.yaml").write_text(PLAIN.replace("adamw", "brocken"))
    for command in (("validate", "plain.yaml"), ("list",)):
        done = cli(*command, folders=(bad,), cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, ""), command
    done = cli("validate", "names.yaml", folders=(bad,), cwd=tmp_path)
    why = "'broken' of broken-rows 0.3 (robustness.optimizers) cannot be loaded: RuntimeError: no good on two lines"
    assert (done.returncode, unfolded(done.stderr)) == (2, f"names.yaml:2: optimizers[1].name: {why}")
    done = cli("schema", folders=(bad,), cwd=tmp_path)
    assert (done.returncode, done.stdout, unfolded(done.stderr)) == (1, "", f"error: {why}")
    done = cli("validate", "unknown.yaml", folders=(bad,), cwd=tmp_path)
    assert done.returncode == 2
    assert "unknown optimizer 'brocken', did you mean 'broken'?" in unfolded(done.stderr)


@pytest.mark.slow
def test_a_name_that_is_there_already_is_refused_where_names_are_listed(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    bad = broken(tmp_path / "site", "robustness.optimizers", "adamw")
    (tmp_path / "plain.yaml").write_text(PLAIN)
    (tmp_path / "unknown.yaml").write_text(PLAIN.replace("adamw", "adamx"))
    assert cli("validate", "plain.yaml", folders=(bad,), cwd=tmp_path).returncode == 0
    done = cli("validate", "unknown.yaml", folders=(bad,), cwd=tmp_path)
    why = "error: broken-rows 0.3 adds 'adamw' to robustness.optimizers, which is there already"
    assert (done.returncode, unfolded(done.stderr)) == (1, why)


def test_what_is_no_workload_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    bad = broken(tmp_path / "site", "robustness.workloads")
    (bad / "broken_rows.py").write_text("class Row: ...\n")
    (tmp_path / "names.yaml").write_text(PLAIN.replace("digits", "broken"))
    done = cli("validate", "names.yaml", folders=(bad,), cwd=tmp_path)
    why = "'broken' of broken-rows 0.3 (robustness.workloads) is no subclass of robustness.workloads.base:Workload"
    assert (done.returncode, unfolded(done.stderr)) == (2, f"names.yaml:1: workload: {why}")


def unfolded(text: str) -> str:
    return " ".join(text.split())


def test_a_class_that_calls_itself_as_one_of_ours_has_no_run() -> None:
    class Mine(AdamWOptions):
        name: Literal["adamw"] = "adamw"

    class Other(Optimizer):
        convention = "decoupled"
        name: str = "adamw"

        def torch_optimizer(self, parameters: Any, lr: float, weight_decay: float) -> Any:
            raise NotImplementedError

    class Net(DigitsCNN):
        name: Literal["digits-cnn"] = "digits-cnn"

    for run in (
        Run(Digits(), Mine(), 0.1, 0.0, 0),
        Run(Digits(), Other(), 0.1, 0.0, 0),
        Run(Net(), AdamWOptions(), 0.1, 0.0, 0),
    ):
        with pytest.raises(ValueError, match=r"test_plugins:.* is called '.*', as .* is: give it another name"):
            _ = run.run_id
    assert Run(Digits(), AdamWOptions(), 0.1, 0.0, 0).run_id
