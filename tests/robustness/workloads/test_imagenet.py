"""ImageNet's form of data: folders of classes, images read in any number of processes, and what is wrong with them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits
from torchvision import transforms as v1
from torchvision.transforms import v2

from robustness.study import Study, StudyError
from robustness.training import train_single
from robustness.workloads import DataError, ImageNet
from robustness.workloads.image_folder import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from robustness.workloads.data import Feed

CLASSES = 4
MEAN, STD = (
    torch.tensor(v, dtype=torch.float64)[:, None, None] for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
)


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real digits as JPEGs of 40 x 56, coloured by class and one of them grey, in ImageNet's folders."""
    folder = tmp_path_factory.mktemp("data")
    images, labels = load_digits(return_X_y=True)
    for target in range(CLASSES):
        own = images[labels == target].reshape(-1, 8, 8)
        for split, chosen in (("train", own[:12]), ("val", own[12:17])):
            place = folder / "imagenet" / split / f"n{target:04}"
            place.mkdir(parents=True)
            for index, image in enumerate(chosen):
                picture = Image.fromarray((image * 15.9).astype(np.uint8)).resize((56, 40), Image.Resampling.BICUBIC)
                if index:
                    tint = np.array([1.0, 0.3 + 0.2 * target, 0.9 - 0.2 * target])
                    picture = Image.fromarray((np.asarray(picture)[..., None] * tint).astype(np.uint8))
                picture.save(place / f"{index}.JPEG", quality=95)
    return folder


@pytest.fixture
def copied(original: Path, tmp_path: Path) -> Path:
    listed.cache_clear()
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    return tmp_path


def make(folder: Path | str, **options: Any) -> ImageNet:
    return ImageNet(
        **{"data_dir": str(folder), "classes": CLASSES, "image_size": 32, "batch_size": 8, "workers": 0} | options
    )


def feed(folder: Path, seed: int = 0, dtype: torch.dtype = torch.float32, **options: Any) -> Feed:
    return make(folder, **options).feed(seed, "cpu", dtype)


def read(batches: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> tuple[torch.Tensor, torch.Tensor]:
    inputs, targets = zip(*batches, strict=True)
    return torch.cat(inputs), torch.cat(targets)


def test_the_defaults_are_the_papers() -> None:
    workload = ImageNet()
    assert (workload.epochs, workload.batch_size, workload.image_size) == (90, 256, 224)
    assert [workload.schedule.factor(epoch, 90) for epoch in (29, 30, 59, 60)] == pytest.approx([1, 0.1, 0.1, 0.01])
    assert workload.chance_error == pytest.approx(99.9)
    assert make("/x").chance_error == 75
    assert 1 <= workload.readers <= 8
    assert ImageNet(workers=3).readers == 3
    with pytest.raises(StudyError, match=r"workload\.engine: must be single, got the text 'stack'"):
        Study.parse(
            "workload: {name: imagenet, engine: stack}\noptimizers: [adam]\nspace: {lr: [1], weight_decay: [0]}"
        )


def test_the_test_split_is_resized_and_cropped_as_torchvision_does(original: Path) -> None:
    inputs, targets = read(feed(original, dtype=torch.float64).evaluate("test"))
    assert inputs.shape == (20, 3, 32, 32)
    assert targets.tolist() == [target for target in range(CLASSES) for _ in range(5)]
    assert inputs.is_contiguous(memory_format=torch.channels_last)
    transform = v2.Compose([v2.Resize(37), v2.CenterCrop(32), v2.PILToTensor()])
    for place, name in ((0, "n0000/0"), (9, "n0001/4"), (19, "n0003/4")):
        image = Image.open(original / "imagenet" / "val" / f"{name}.JPEG").convert("RGB")
        expected = (transform(image).double() / 255 - MEAN) / STD
        torch.testing.assert_close(inputs[place], expected, atol=2e-6, rtol=0)


def test_an_epoch_has_each_training_image_once_and_another_look_in_the_next(original: Path) -> None:
    images = feed(original)
    first, second = read(images.train()), read(images.train())
    assert images.steps == 6
    for inputs, targets in (first, second):
        assert inputs.shape == (48, 3, 32, 32)
        assert targets.bincount().tolist() == [12] * CLASSES
    assert not torch.equal(first[1], second[1]), "another order"
    assert len({image.numpy().tobytes() for image in torch.cat([first[0], second[0]])}) == 96


@pytest.mark.slow
def test_crops_are_those_of_torchvision(original: Path) -> None:
    """All of one image's looks: as large a share of it, as wide, and as often mirrored as RandomResizedCrop gives."""
    from robustness.workloads.image_folder import ImageFiles, Images

    across = np.broadcast_to(np.linspace(0, 255, 256).astype(np.uint8), (256, 256))
    path = original / "ramp.png"
    Image.fromarray(np.stack([across, across.T, np.zeros_like(across)], -1)).save(path)
    files = ImageFiles(Images([str(path)], torch.zeros(1, dtype=torch.int64)), 32, seed=5)
    looks = torch.stack([files[epoch, 0][0] for epoch in range(400)]).double()
    rise = looks[:, 0, 16, 31] - looks[:, 0, 16, 0]
    width, height = rise.abs() / 255, (looks[:, 1, 31, 16] - looks[:, 1, 0, 16]) / 255
    area = width * height * (32 / 31) ** 2
    # The reference: torchvision's own draws for a square image.
    draws = [
        v1.RandomResizedCrop.get_params(torch.empty(3, 256, 256), [0.08, 1], [3 / 4, 4 / 3])[2:] for _ in range(2000)
    ]
    expected = torch.tensor(draws).double().prod(1) / 256**2
    for share in (0.02, 0.25, 0.5, 0.75, 0.98):
        assert float(area.quantile(share)) == pytest.approx(float(expected.quantile(share)), abs=0.08)
    assert 0.7 < (width / height).min() < 0.8
    assert 1.25 < (width / height).max() < 1.45
    assert float((rise < 0).double().mean()) == pytest.approx(0.5, abs=0.1)


@pytest.mark.slow
def test_the_number_of_workers_changes_nothing(original: Path) -> None:
    alone, helped = feed(original, workers=0), feed(original, workers=2)
    for _ in range(2):
        for mine, other in zip(read(alone.train()), read(helped.train()), strict=True):
            assert torch.equal(mine, other)
    assert torch.equal(read(alone.evaluate("test"))[0], read(helped.evaluate("test"))[0])


def test_the_seed_decides_order_and_crops_and_torchs_own_generator_has_no_part(original: Path) -> None:
    state = torch.random.get_rng_state()
    first = read(feed(original).train())
    assert torch.equal(torch.random.get_rng_state(), state), "nothing is drawn from it"
    torch.rand(5)
    again, other = read(feed(original).train()), read(feed(original, seed=1).train())
    assert torch.equal(first[0], again[0])
    assert not torch.equal(first[0], other[0])
    assert not torch.equal(first[1], other[1])


def test_splits_are_stratified_and_apart(original: Path) -> None:
    images = feed(original, validation_size=8, train_size=20, test_size=8)
    assert images.splits == ("test", "validation")
    assert read(images.evaluate("validation"))[1].bincount().tolist() == [2] * CLASSES
    assert read(images.evaluate("test"))[1].bincount().tolist() == [2] * CLASSES
    assert read(images.train())[1].bincount().tolist() == [5] * CLASSES
    held, sampled = read(images.evaluate("validation"))[0], read(images.sample(1000))[0]
    assert len(sampled) == 20
    assert {each.numpy().tobytes() for each in held}.isdisjoint(each.numpy().tobytes() for each in sampled)
    assert read(images.sample(8))[1].bincount().tolist() == [2] * CLASSES
    assert feed(original).splits == ("test",)


def spoil_val_class(folder: Path) -> None:
    shutil.rmtree(folder / "val" / "n0002")


def spoil_train_class(folder: Path) -> None:
    shutil.rmtree(folder / "train" / "n0001")


def spoil_both(folder: Path) -> None:
    spoil_val_class(folder)
    shutil.rmtree(folder / "train" / "n0002")


def spoil_empty(folder: Path) -> None:
    for path in (folder / "val" / "n0003").iterdir():
        path.unlink()


def spoil_split(folder: Path) -> None:
    shutil.rmtree(folder / "val")


SPOILT: dict[Callable[[Path], None], str] = {
    spoil_val_class: r"imagenet/val lacks 1 of its classes: n0002$",
    spoil_train_class: r"imagenet/train lacks 1 of its classes: n0001$",
    spoil_both: r"imagenet/train has 3 classes, not 4: set `classes`, or complete it",
    spoil_empty: r"imagenet/val has no image of 1 of its classes: n0003$",
    spoil_split: r"imagenet/val cannot be read: No such file .*; images belong in train/CLASS/ and val/CLASS/",
}


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_what_is_missing_is_named(copied: Path, spoil: Callable[[Path], None]) -> None:
    spoil(copied / "imagenet")
    with pytest.raises(DataError, match=SPOILT[spoil]):
        feed(copied)


def test_a_validation_split_of_everything_is_refused(original: Path) -> None:
    with pytest.raises(DataError) as caught:
        make(original, validation_size=47).fetch()
    said = "train has 48 images, of which validation_size 47 leaves too few to train on"
    assert str(caught.value).endswith(said)
    make(original, validation_size=46).fetch()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_image_is_named_in_one_line(copied: Path, workers: int) -> None:
    path = copied / "imagenet" / "val" / "n0001" / "3.JPEG"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=r"val/n0001/3.JPEG cannot be read as an image: [^\n]*$") as caught:
        read(feed(copied, workers=workers).evaluate("test"))
    assert str(caught.value).startswith(str(path))


def test_where_and_by_whom_it_is_read_is_no_part_of_the_identity_but_the_folder_is() -> None:
    def run_id(**options: Any) -> str:
        return (
            Study(name="x", workload=ImageNet(**options), optimizers=["adam"], space={"lr": [1], "weight_decay": [0]})
            .grid()[0]
            .run_id
        )

    assert run_id() == run_id(data_dir="/data", workers=3)
    assert run_id() != run_id(folder="imagenet-100")


def test_smoke_is_small_and_trains(original: Path) -> None:
    asked = ImageNet.model_validate(
        {"data_dir": str(original), "classes": CLASSES, "validation_size": 4, "model": "fast"}
    )
    smoke = asked.smoke()
    assert (smoke.image_size, smoke.train_size, smoke.batch_size, smoke.workers) == (64, 8, 4, 0)
    assert ImageNet().smoke().network.width == 0.125
    model = smoke.model()
    assert all(p.is_contiguous(memory_format=torch.channels_last) for p in model.parameters() if p.dim() == 4)
    run = Study(name="x", workload=smoke, optimizers=["adamw"], space={"lr": [1e-3], "weight_decay": [0]}).grid()[0]
    values = train_single(run).values
    assert np.isfinite(values["test_loss"]).all()
    assert np.isfinite(values["validation_loss"]).all()


@pytest.mark.slow
def test_a_narrow_resnet50_trains(original: Path) -> None:
    smoke = ImageNet(data_dir=str(original), classes=CLASSES).smoke().model_copy(update={"epochs": 1})
    run = Study(name="x", workload=smoke, optimizers=["adamw"], space={"lr": [1e-3], "weight_decay": [0]}).grid()[0]
    assert np.isfinite(train_single(run).values["train_loss"]).all()
