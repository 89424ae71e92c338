"""Every study file goes all the way, from the command line to a report: `robustness run STUDY --smoke`."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from torchvision import datasets

from robustness.cli import main
from robustness.results import load
from robustness.study import Study, studies
from robustness.sweep.in_process import run_here
from robustness.workloads.places import VARIABLE
from tests.support.cifar_files import made
from tests.support.real_data import real_data

if TYPE_CHECKING:
    from collections.abc import Iterator

STUDIES = sorted(studies())


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Real CIFAR-10 and Penn Treebank; in the form of CIFAR-100 and of ImageNet, files made here."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "cifar-10-batches-py").symlink_to(real_data("cifar10") / "cifar-10-batches-py")
    (folder / "ptb").symlink_to(real_data("text") / "ptb")
    image_folders(folder / "imagenet", classes=1000, images=2)
    image_folders(folder / "imagenette2-160", classes=10, images=20)
    with pytest.MonkeyPatch.context() as patch:
        made(patch, folder, datasets.CIFAR100, key="fine_labels", classes=100)
        patch.setenv(VARIABLE, str(folder))
        yield folder


def image_folders(folder: Path, classes: int, images: int) -> None:
    """Write small images of as many colours as there are classes."""
    for index in range(classes):
        colour = tuple(int(value) for value in np.random.default_rng(index).integers(0, 256, 3))
        with BytesIO() as stream:
            Image.new("RGB", (72, 64), colour).save(stream, "JPEG")
            content = stream.getvalue()
        for split, count in (("train", images), ("val", images // 2)):
            place = folder / split / f"n{index:08}"
            place.mkdir(parents=True)
            for number in range(count):
                (place / f"{number}.JPEG").write_bytes(content)


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_each_study_goes_all_the_way(name: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = Study.load(name)
    assert main(["run", name, "--smoke", "--results", str(tmp_path), "--quiet"]) == 0, capsys.readouterr()
    small = study.smoke()
    runs = load(small.name, tmp_path).runs
    assert len(runs) == len(study.workloads) * len(study.optimizers)
    assert set(runs["status"]) <= {"completed", "diverged"}
    assert set(runs["run_id"]) == {run.run_id for run in small.grid()}
    # In the curves: a run that is no better than chance after two epochs has no sharpness in its row.
    last = load(small.name, tmp_path).curves.query("epoch == 2")["hessian_top"]
    asked = any(workload.hessian for workload in study.workloads)
    assert last.notna().all() if asked else last.isna().all()
    page = (tmp_path / small.name / "report.html").read_text()
    assert all(entry.label in page for entry in study.optimizers)


def test_a_smoke_run_is_kept_apart_and_trains_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["run", "digits", "--smoke", "--results", str(tmp_path), "--quiet", "--no-report"]
    assert main(arguments) == 0
    assert "3 runs trained" in capsys.readouterr().out
    assert main(arguments) == 0
    assert "0 runs trained" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["digits-smoke"]
    again = Study.parse((tmp_path / "digits-smoke" / "study.yaml").read_text())
    assert again.model_dump() == Study.load("digits").smoke().model_dump()


def test_the_smallest_version_of_a_study_has_one_cell_an_optimizer() -> None:
    small = Study.load("paper/figure-01").smoke()
    runs = small.grid()
    assert [(run.optimizer.name, run.lr, run.weight_decay, run.seed) for run in runs] == [
        ("sgd", 0.1, 5e-4, 0), ("sgd-eq1", 0.1, 5e-4, 0)
    ]  # fmt: skip
    assert {run.workload.epochs for run in runs} == {2}
    middle = Study.load("digits").smoke().grid()[0]
    assert middle.lr == pytest.approx((1e-4 * 3) ** 0.5, rel=1e-4)
    assert middle.weight_decay == pytest.approx(1e-5**0.5, rel=1e-4)


def test_absent_data_end_a_sweep_before_it_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torchvision.datasets.CIFAR10.url", "http://127.0.0.1:9/cifar-10-python.tar.gz")
    arguments = ["run", "paper/figure-11", "--data-dir", str(tmp_path / "data"), "--results", str(tmp_path / "results")]
    assert main(arguments) == 1
    said = capsys.readouterr().err.split("error: ")[1]
    assert said.startswith(str(tmp_path / "data" / "cifar-10-python.tar.gz"))
    assert "put the file there yourself" in said
    assert not (tmp_path / "results").exists()


@pytest.mark.slow
def test_a_stored_study_goes_by_its_file_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("other.yaml").write_text(
        "name: mine\nworkload: {name: digits, epochs: 1, train_size: 100}\noptimizers: [adams]\n"
        "space: {lr: [0.01], weight_decay: [0]}\nseeds: 1\n"
    )
    assert main(["report", "other.yaml"]) == 1
    assert "no results of mine" in capsys.readouterr().err
    run_here(Study.load("other.yaml"), quiet=True)
    for command in (["report"], ["claims"], ["figures", "--figure", "cells"]):
        assert main([command[0], "other.yaml", *command[1:]]) == 0, capsys.readouterr()
    assert {path.name for path in Path("results/mine").glob("*")} >= {"report.html", "claims.json", "figures"}
