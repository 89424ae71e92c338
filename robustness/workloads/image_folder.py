"""A folder of images, one folder a class: what is in it, and the images themselves."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset
from torchvision.datasets.folder import IMG_EXTENSIONS, make_dataset
from torchvision.transforms import v2

from robustness.workloads.places import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    Key = tuple[int, int]

TEST = -1
"""In place of an epoch: the images as evaluation sees them."""


class Images(NamedTuple):
    """Paths of images and the indices (n,) of their classes, both in the order of the classes' names."""

    paths: list[str]
    targets: Tensor


@lru_cache(maxsize=4)
def listed(folder: Path, classes: int) -> tuple[Images, Images]:
    """Return the images below `folder`/train and `folder`/val, one folder a class in each.

    Raises:
        DataError: a folder or a class is missing, there are more classes or fewer, or a class has no image.
    """
    names = [_names(folder / split) for split in ("train", "val")]
    for mine, other, split in ((names[0], names[1], "val"), (names[1], names[0], "train")):
        if missing := sorted(set(mine) - set(other)):
            raise DataError(f"{folder / split} lacks {len(missing)} of its classes: {_few(missing)}")
    if len(names[0]) != classes:
        raise DataError(f"{folder / 'train'} has {len(names[0])} classes, not {classes}: set `classes`, or complete it")
    return _images(folder / "train", names[0]), _images(folder / "val", names[0])


def _names(folder: Path) -> list[str]:
    try:
        return sorted(each.name for each in folder.iterdir() if each.is_dir())
    except OSError as error:
        words = "images belong in train/CLASS/ and val/CLASS/"
        raise DataError(f"{folder} cannot be read: {error.strerror}; {words} of {folder.parent}") from error


def _images(folder: Path, names: list[str]) -> Images:
    samples = make_dataset(folder, {name: index for index, name in enumerate(names)}, IMG_EXTENSIONS, allow_empty=True)
    targets = torch.tensor([target for _, target in samples], dtype=torch.int64)
    counts = torch.bincount(targets, minlength=len(names))
    if empty := [name for name, count in zip(names, counts, strict=True) if not count]:
        raise DataError(f"{folder} has no image of {len(empty)} of its classes: {_few(empty)}")
    return Images([path for path, _ in samples], targets)


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")


class ImageFiles(Dataset[tuple["Tensor", int]]):
    """Images read when asked for, as bytes (3, size, size); a key is an epoch, or `TEST`, and an index.

    What is drawn for an image depends on the seed, the epoch and its index alone: not on who reads it.
    """

    def __init__(self, images: Images, size: int, seed: int) -> None:
        self._images, self._seed = images, seed
        self._train = v2.Compose(
            [
                v2.RandomResizedCrop(size, scale=(0.08, 1), ratio=(3 / 4, 4 / 3), antialias=True),
                v2.RandomHorizontalFlip(),
                v2.PILToTensor(),
            ]
        )
        # 256 for crops of 224, and as much wider for other sizes.
        wide = round(size * 256 / 224)
        self._test = v2.Compose([v2.Resize(wide, antialias=True), v2.CenterCrop(size), v2.PILToTensor()])

    def __getitem__(self, key: Key) -> tuple[Tensor, int]:
        """Return an image and its class.

        Raises:
            DataError: the file is no image, or a damaged one.
        """
        epoch, index = key
        path = self._images.paths[index]
        try:
            with Image.open(path) as opened:
                image = opened.convert("RGB")
        except (OSError, SyntaxError, ValueError) as error:
            raise DataError(f"{path} cannot be read as an image: {error}") from error
        target = int(self._images.targets[index])
        if epoch == TEST:
            return self._test(image), target
        state = np.random.SeedSequence([self._seed, epoch, index]).generate_state(1, np.uint64)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(state[0] >> np.uint64(1)))
            return self._train(image), target
