"""CIFAR-10 and CIFAR-100: 50 000 training and 10 000 test images of 32 x 32, kept as bytes on the device.

Source: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009. Addresses and checksums are
torchvision's.
"""

from __future__ import annotations

import io
import pickle
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, PositiveInt, model_validator

from robustness.models import ResNet18Options, ResNet34Options
from robustness.schedules import Schedule, StepSchedule
from robustness.workloads.augmentation import crop_and_flip
from robustness.workloads.data import Data
from robustness.workloads.downloads import Remote, extract, fetch, locked, verified, verify
from robustness.workloads.images import Colour, ImageWorkload, Network, held_out, normalized, subset
from robustness.workloads.places import data_folder

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    Splits = tuple[Tensor, Tensor, Tensor, Tensor]

TRAIN, TEST, SIDE = 50_000, 10_000, 32
HOME = "https://www.cs.toronto.edu/~kriz/cifar.html"

LABELS = ("labels", "fine_labels")
"""How a batch calls them: of CIFAR-10 and of CIFAR-100."""

IN_ARRAYS = {
    *((module, "_reconstruct") for module in ("numpy.core.multiarray", "numpy._core.multiarray")),
    *(("numpy", name) for name in ("ndarray", "dtype")),
    ("_codecs", "encode"),
}
"""All that a pickle of arrays refers to; of Python 2, as CIFAR's own are, and of 3."""


class _CIFAR(ImageWorkload):
    """What both have alike: the paper's protocol, and what may be changed of it."""

    _dataset: ClassVar[str]
    mean: ClassVar[Colour]
    std: ClassVar[Colour]

    epochs: PositiveInt = 200
    batch_size: int = Field(128, ge=2, description="Examples a step; the last, partial batch is kept.")
    augment: bool = Field(True, description="Random crops after 4 black pixels on each side, and horizontal flips.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        asked = self.validation_size + (self.classes if self.train_size is None else self.train_size)
        if asked > TRAIN:
            raise ValueError(f"train_size and validation_size must be found in {TRAIN} images, got {asked} in all")
        if self.test_size is not None and self.test_size > TEST:
            raise ValueError(f"test_size must be found in {TEST} images, got {self.test_size}")
        return self

    def fetch(self) -> None:
        """Fetch and unpack the archive where its batches are absent; then check them.

        Raises:
            DataError: the data are absent and cannot be fetched, or they are damaged.
        """
        from torchvision import datasets

        _ready(getattr(datasets, self._dataset), data_folder(self.data_dir))

    def data(self, seed: int) -> Data:
        """Return inputs (n, 3, 32, 32) of bytes and integer targets.

        Raises:
            DataError: the data are absent and cannot be fetched, or they are damaged.
        """
        inputs, targets, test_inputs, test_targets = raw(self._dataset, data_folder(self.data_dir))
        train, validation = held_out(targets, self.validation_size, self.train_size, seed)
        test = subset(test_targets, self.test_size, seed=0)
        return Data(
            inputs[train],
            targets[train],
            inputs[validation],
            targets[validation],
            test_inputs[test],
            test_targets[test],
            augment=crop_and_flip if self.augment else None,
            prepare=partial(normalized, mean=self.mean, std=self.std),
        )

    def smoke(self) -> Self:
        """Return the smallest version: 8 training and 8 test images, a narrow network."""
        return (
            super()
            .smoke()
            .model_copy(
                update={
                    "batch_size": min(self.batch_size, 4),
                    "train_size": min(self.train_size or TRAIN, 8),
                    "validation_size": min(self.validation_size, 8),
                    "test_size": min(self.test_size or TEST, 8),
                }
            )
        )


class CIFAR10(_CIFAR):
    """Ten classes; mean and standard deviation as in the paper's code."""

    classes: ClassVar[int] = 10
    _dataset: ClassVar[str] = "CIFAR10"
    mean: ClassVar[Colour] = (0.4914, 0.4822, 0.4465)
    std: ClassVar[Colour] = (0.2023, 0.1994, 0.2010)

    name: Literal["cifar10"] = "cifar10"
    network: Network = ResNet18Options()


class CIFAR100(_CIFAR):
    """A hundred classes; mean and standard deviation are the training set's own, which the paper does not tell."""

    classes: ClassVar[int] = 100
    _dataset: ClassVar[str] = "CIFAR100"
    mean: ClassVar[Colour] = (0.5071, 0.4865, 0.4409)
    std: ClassVar[Colour] = (0.2673, 0.2564, 0.2762)

    name: Literal["cifar100"] = "cifar100"
    network: Network = ResNet34Options()
    schedule: Schedule = StepSchedule(milestones=(0.5, 0.75))


@lru_cache(maxsize=2)
def raw(name: str, folder: Path) -> Splits:
    """Return train and test images (n, 3, 32, 32) of bytes, each with its targets (n,); read once a process."""
    import numpy as np
    import torch
    from torchvision import datasets

    kind: Any = getattr(datasets, name)
    batches, again = _unpacked(kind, folder)
    verify(batches / kind.meta["filename"], kind.meta["md5"], again)
    splits: list[Tensor] = []
    for files in (kind.train_list, kind.test_list):
        # What is read is what was checked: a batch is a pickle.
        images, labels = zip(*(_arrays(verified(batches / file, md5, again)) for file, md5 in files), strict=True)
        splits += [torch.from_numpy(np.concatenate(images)), torch.from_numpy(np.concatenate(labels))]
    return splits[0], splits[1], splits[2], splits[3]


def _ready(kind: Any, folder: Path) -> None:
    """Fetch and unpack the archive where the batches are absent; then check each batch."""
    batches, again = _unpacked(kind, folder)
    for file, md5 in (*kind.train_list, *kind.test_list, (kind.meta["filename"], kind.meta["md5"])):
        verify(batches / file, md5, again)


def _unpacked(kind: Any, folder: Path) -> tuple[Path, str]:
    """Return the folder of the batches, fetched if absent, and what happens once one of them is deleted."""
    batches = folder / kind.base_folder
    if not batches.exists():
        archive = folder / kind.filename
        fetch(Remote(kind.url, kind.tgz_md5, HOME), archive)
        with locked(batches):
            if not batches.exists():
                extract(archive, batches)
    return batches, f"and the whole folder with it: it will be unpacked anew from {kind.filename}, fetched if need be"


class _Arrays(pickle.Unpickler):
    """Reads the arrays and lists of a pickle, and knows nothing else that could be in one."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in IN_ARRAYS:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of an array")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)  # the old name warns


def _arrays(content: bytes) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the images (n, 3, 32, 32) of a batch and their labels (n,)."""
    import numpy as np

    batch = _Arrays(io.BytesIO(content), encoding="latin1").load()
    labels = next(batch[name] for name in LABELS if name in batch)
    return batch["data"].reshape(-1, 3, SIDE, SIDE), np.asarray(labels, dtype=np.int64)
