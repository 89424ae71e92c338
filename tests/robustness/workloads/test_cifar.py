"""CIFAR: the whole set as bytes, splits by seed, and what may be said of it in a study."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torchvision import datasets

from robustness.study import Study, StudyError
from robustness.training import train_single, train_stack
from robustness.workloads import CIFAR10, CIFAR100
from tests.support.cifar_files import made, read_anew, small_cifar10
from tests.support.real_data import real_data

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_anew", "small_cifar10"]


def make(text: str) -> Study:
    return Study.parse(
        f"workload: {text}\noptimizers: [adamw]\nspace: {{lr: [0.001], weight_decay: [5.0e-4]}}\nseeds: [0]\n"
    )


def cifar10(**options: Any) -> CIFAR10:
    return CIFAR10.model_validate(options)


def of(text: str) -> Any:
    return make(text).grid()[0].workload


def test_the_defaults_are_the_papers() -> None:
    ten, hundred = CIFAR10(), CIFAR100()
    assert (ten.epochs, ten.batch_size, ten.validation_size, ten.augment) == (200, 128, 0, True)
    assert not ten.has_validation
    assert (ten.chance_error, hundred.chance_error) == (90.0, 99.0)
    drops = {
        w.name: [e for e in range(1, 200) if w.schedule.factor(e, 200) < w.schedule.factor(e - 1, 200)]
        for w in (ten, hundred)
    }
    assert drops == {"cifar10": [80, 160], "cifar100": [100, 150]}
    sizes = [sum(p.numel() for p in w.model().parameters()) for w in (ten, hundred)]
    assert sizes == [11_173_962, 21_328_292]


def test_a_model_is_a_name_or_a_mapping() -> None:
    assert (
        of("{name: cifar10, model: vgg16}")
        == of("{name: cifar10, model: {name: vgg16}}")
        == CIFAR10.model_validate({"model": "vgg16"})
    )
    assert of("{name: cifar10, model: {name: vgg16, batch_norm: false}}").network.batch_norm is False
    assert of("cifar100").network.name == "resnet34"
    assert of("{name: cifar10, model: fast}").title == "cifar10 fast"
    assert of("{name: cifar10, model: fast, label: mine}").title == "mine"


def test_the_model_is_part_of_the_identity_by_its_options_not_by_how_it_is_written() -> None:
    ids = [
        make(f"{{name: cifar10, {more}}}").grid()[0].run_id
        for more in (
            "model: resnet18",
            "epochs: 200",
            "model: {name: resnet18, width: 1}",
            "model: {name: resnet18, width: 0.5}",
        )
    ]
    assert ids[0] == ids[1] == ids[2] != ids[3]


def test_a_written_study_is_read_again() -> None:
    study = make("{name: cifar10, model: {name: vgg16, width: 0.25}, data_dir: /data, train_size: 500}")
    assert "model:" in study.text
    again = Study.parse(study.text)
    assert again.model_dump() == study.model_dump()
    assert Study(**study.model_dump(by_alias=True)).grid()[0].run_id == study.grid()[0].run_id


REFUSED = {
    "model: resnet19": "workload.model: unknown model 'resnet19', did you mean 'resnet18'? the known ones are ",
    "model: {name: vgg61}": "workload.model.name: unknown model 'vgg61', did you mean 'vgg16'?",
    "model: {width: 1}": "workload.model.name: is missing; the known models are convnet, densenet121, fast, ",
    "model: {name: vgg16, batchnorm: true}": "unknown key, did you mean 'batch_norm'? allowed here: name, width, b",
    "model: {name: vgg16, width: 0}": "workload.model.width: must be greater than 0, got 0",
    "model: {name: vgg16, width: '1'}": "workload.model.width: expected a number, got the text '1'",
    "model: 18": "workload.model: expected the name of a model",
    "network: vgg16": "workload.network: unknown key; allowed here: ",
    "data_dir: data": "workload.data_dir: must be an absolute path, or one that begins with ~, got 'data'",
    "validation_size: 45000, train_size: 5001": "must be found in 50000 images, got 50001 in all",
    "validation_size: 50000": "must be found in 50000 images, got 50010 in all",
    "test_size: 10001": "test_size must be found in 10000 images, got 10001",
}


@pytest.mark.parametrize("options", REFUSED)
def test_what_is_wrong_with_an_option_is_said(options: str) -> None:
    with pytest.raises(StudyError) as caught:
        make(f"{{name: cifar10, {options}}}")
    assert REFUSED[options] in str(caught.value)
    assert len(caught.value.problems) == 1


def test_the_schema_has_both_forms_of_a_model() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = CIFAR10.model_json_schema()
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    for model in ("vgg16", {"name": "vgg16"}, {"name": "vgg16", "batch_norm": False}, {"name": "fast", "width": 0.5}):
        validator.validate({"model": model})
    for wrong in (
        "vgg61",
        {"name": "vgg61"},
        {"width": 1},
        {"name": "fast", "batch_norm": False},
        {"name": "vgg16", "width": 0},
        3,
    ):
        assert list(validator.iter_errors({"model": wrong})), wrong


@pytest.mark.slow
def test_options_load_without_torch() -> None:
    code = (
        "import sys, robustness.models; from robustness.workloads import CIFAR10, WORKLOADS\n"
        "[WORKLOADS[name]().smoke() for name in WORKLOADS]; CIFAR10(model='vgg16')\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_splits_are_stratified_disjoint_and_the_seeds(small: Path) -> None:
    workload = CIFAR10(data_dir=str(small), validation_size=300, train_size=500, test_size=50)
    first, again, other = workload.data(0), workload.data(0), workload.data(1)
    assert [len(first.split(name)[1]) for name in ("train", "validation", "test")] == [500, 300, 50]
    for name, count in (("train", 50), ("validation", 30), ("test", 5)):
        assert first.split(name)[1].bincount().tolist() == [count] * 10
        assert torch.equal(first.split(name)[0], again.split(name)[0])
    assert not torch.equal(first.train_inputs, other.train_inputs)
    assert not torch.equal(first.validation_inputs, other.validation_inputs)
    assert torch.equal(first.test_inputs, other.test_inputs)
    seen = {bytes(image) for image in first.train_inputs.flatten(1).numpy()}
    assert len(seen) == 500
    assert seen.isdisjoint(bytes(image) for image in first.validation_inputs.flatten(1).numpy())


def test_without_subsets_everything_is_there_in_torchvisions_order(small: Path) -> None:
    data = CIFAR10(data_dir=str(small)).data(3)
    train, test = datasets.CIFAR10(small, train=True), datasets.CIFAR10(small, train=False)
    assert data.train_inputs.dtype == torch.uint8
    np.testing.assert_array_equal(data.train_inputs.numpy(), train.data.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(data.test_inputs.numpy(), test.data.transpose(0, 3, 1, 2))
    assert (data.train_targets.tolist(), data.test_targets.tolist()) == (train.targets, test.targets)
    assert len(data.validation_targets) == 0


def test_cifar_100_has_its_fine_labels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = made(monkeypatch, tmp_path, datasets.CIFAR100, key="fine_labels", classes=100)
    data = CIFAR100(data_dir=str(folder), validation_size=100).data(0)
    assert data.train_targets.unique().tolist() == list(range(100))
    assert data.validation_targets.bincount().tolist() == [1] * 100


def test_networks_see_the_images_normalized(small: Path) -> None:
    workload = CIFAR10(data_dir=str(small), augment=False, test_size=20)
    data = workload.data(0)
    (inputs, _), *_ = workload.feed(0, "cpu", torch.float64).evaluate("test")
    mean, std = (torch.tensor(v)[:, None, None] for v in ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)))
    expected = (data.test_inputs.double() / 255 - mean) / std
    assert inputs.dtype == torch.float64
    torch.testing.assert_close(inputs, expected, atol=2e-6, rtol=0)
    hundred = CIFAR100.mean, CIFAR100.std
    assert hundred == ((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762))


def test_smoke_is_small_and_trains(small: Path) -> None:
    asked = cifar10(data_dir=str(small), validation_size=100, model={"name": "fast", "width": 0.25})
    smoke = asked.smoke()
    assert (smoke.epochs, smoke.train_size, smoke.test_size, smoke.validation_size) == (2, 8, 8, 8)
    assert smoke.network.width == 0.125
    assert (asked.epochs, asked.network.width) == (200, 0.25)
    history = train_single(
        Study(name="x", workload=smoke, optimizers=["adamw"], space={"lr": [1e-3], "weight_decay": [0]}).grid()[0]
    )
    assert np.isfinite(history.values["test_loss"]).all()
    assert history.steps_per_epoch == 2


def test_a_stack_trains_as_a_single_run_does(small: Path) -> None:
    workload = cifar10(
        data_dir=str(small), train_size=60, test_size=20, batch_size=20, epochs=2, model={"name": "fast", "width": 0.07}
    )
    runs = Study(
        name="x", workload=workload, optimizers=["adams"], space={"lr": [1e-3, 1e-2], "weight_decay": [1e-3]}, seeds=[0]
    ).grid()
    stack = train_stack(runs, dtype=torch.float64)
    for index, run in enumerate(runs):
        single = train_single(run, dtype=torch.float64)
        for name in ("train_loss", "test_loss", "grad_norm", "weight_norm"):
            np.testing.assert_allclose(single.values[name][0], stack.values[name][index], rtol=1e-6)


@pytest.mark.slow
def test_the_real_cifar_10_is_read() -> None:
    data = CIFAR10(data_dir=str(real_data("cifar10"))).data(0)
    assert data.train_inputs.shape == (50_000, 3, 32, 32)
    assert data.test_inputs.shape == (10_000, 3, 32, 32)
    assert data.train_targets.bincount().tolist() == [5000] * 10
    images = data.train_inputs.double() / 255
    assert images.mean((0, 2, 3)).tolist() == pytest.approx([0.4914, 0.4822, 0.4465], abs=1e-4)


@pytest.mark.slow
def test_adamw_learns_real_cifar_10() -> None:
    """About 20 s on one core. Chance is 90 % of errors, and the most frequent class no better."""
    workload = cifar10(
        data_dir=str(real_data("cifar10")),
        model={"name": "fast", "width": 0.25},
        train_size=4000,
        test_size=1000,
        epochs=4,
    )
    run = Study(name="x", workload=workload, optimizers=["adamw"], space={"lr": [3e-3], "weight_decay": [1e-4]}).grid()[
        0
    ]
    history = train_single(run)
    assert history.values["test_error"][0, -1] < 60
