"""CIFAR's augmentation: crops and flips of the training images, and of nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torchvision.transforms.v2 import functional as reference

from robustness.workloads import CIFAR10
from robustness.workloads.augmentation import crop_and_flip
from tests.support.cifar_files import read_anew, small_cifar10

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_anew", "small_cifar10"]


@pytest.mark.slow
def test_crops_and_flips_are_torchvisions() -> None:
    images = torch.randint(1, 256, (2000, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    seen = crop_and_flip(images, torch.Generator().manual_seed(7))
    assert seen.dtype == torch.uint8
    padded = reference.pad(images, [4])
    # Which of the 162 versions of its image each one is.
    found = torch.full((2000, 3), -1)
    for down in range(9):
        for right in range(9):
            crop = reference.crop(padded, down, right, 32, 32)
            for flipped, version in enumerate((crop, reference.hflip(crop))):
                same = (seen == version).flatten(1).all(1)
                found[same] = torch.tensor([down, right, flipped])
    assert (found >= 0).all()
    for column, count in ((0, 9), (1, 9), (2, 2)):
        shares = found[:, column].bincount(minlength=count) / 2000
        assert shares.sub(1 / count).abs().max() < 0.05, shares
    assert torch.corrcoef(found.T.double()).fill_diagonal_(0).abs().max() < 0.1, (
        "the three draws have nothing in common"
    )


def epochs_of(workload: CIFAR10, seed: int) -> list[torch.Tensor]:
    feed = workload.feed(seed, "cpu", torch.float64)
    return [torch.cat([inputs for inputs, _ in feed.train()]) for _ in range(2)]


def test_every_run_of_a_seed_sees_the_same_crops(small: Path) -> None:
    workload = CIFAR10(data_dir=str(small), train_size=100)
    first, again, other = (torch.stack(epochs_of(workload, seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_without_augmentation_each_epoch_has_the_same_images_in_another_order(small: Path) -> None:
    first, second = epochs_of(CIFAR10(data_dir=str(small), train_size=100, augment=False), 0)
    assert not torch.equal(first, second)
    assert images_in(first) == images_in(second)
    first, second = epochs_of(CIFAR10(data_dir=str(small), train_size=100), 0)
    assert images_in(first) != images_in(second)


def images_in(inputs: torch.Tensor) -> set[bytes]:
    return {image.numpy().tobytes() for image in inputs}


def test_a_sample_is_not_augmented(small: Path) -> None:
    workload = CIFAR10(data_dir=str(small), train_size=100)
    feed = workload.feed(0, "cpu", torch.float32)
    sampled = torch.cat([inputs for inputs, _ in feed.sample(40)])
    stored = workload.data(0)
    assert len(sampled) == 40
    assert stored.prepare is not None
    assert images_in(sampled) <= images_in(stored.prepare(stored.train_inputs))
