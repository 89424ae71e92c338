"""ImageNet, or any folder of the same form: an image is read, cropped and decoded when its turn comes.

Source: Russakovsky et al., ImageNet Large Scale Visual Recognition Challenge, IJCV 2015. Crops and flips are
torchvision's; mean and standard deviation are the usual ones of its training set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, PositiveInt

from robustness.machine.cores import usable
from robustness.models import ResNet50Options
from robustness.options import ELSEWHERE
from robustness.schedules import Schedule, StepSchedule
from robustness.workloads.images import Colour, ImageWorkload, Network
from robustness.workloads.places import DataError, data_folder

if TYPE_CHECKING:
    from typing import Self

    import torch
    from torch import nn

    from robustness.workloads.data import Feed
    from robustness.workloads.image_folder import Images

MEAN: Colour = (0.485, 0.456, 0.406)
STD: Colour = (0.229, 0.224, 0.225)
MOST_WORKERS = 8


class ImageNet(ImageWorkload):
    """Images below imagenet/train/CLASS/ and imagenet/val/CLASS/ of the data folder; the test split is val."""

    name: Literal["imagenet"] = "imagenet"
    classes: int = Field(1000, ge=2, description="Folders of classes that there must be.")  # type: ignore[misc]
    engine: Literal["single"] = Field("single", description="`single`: images are read for one run at a time.")
    network: Network = ResNet50Options()
    epochs: PositiveInt = 90
    batch_size: int = Field(256, ge=2, description="Examples a step; the last, partial batch is kept.")
    schedule: Schedule = StepSchedule(milestones=(1 / 3, 2 / 3))
    image_size: int = Field(224, ge=16, description="Side of the crops; the test's are cut from a side 8/7 of it.")
    folder: str = Field("imagenet", min_length=1, description="Its folder in the data folder.")
    workers: Annotated[int | None, ELSEWHERE] = Field(
        None, ge=0, description="Processes that read images; one a core, up to 8, if absent; with 0 training waits."
    )

    @property
    def readers(self) -> int:
        """How many processes read images: `workers`, or as many as this process may use cores, up to 8."""
        if self.workers is not None:
            return self.workers
        return min(MOST_WORKERS, usable())

    def fetch(self) -> None:
        """Look at the folders: ImageNet cannot be fetched without an account.

        Raises:
            DataError: a folder or a class is missing or empty, or none is left to train on.
        """
        self.images()

    def images(self) -> tuple[Images, Images]:
        """Return the images of train and val.

        Raises:
            DataError: a folder or a class is missing or empty, or none is left to train on.
        """
        from robustness.workloads.image_folder import listed

        folder = data_folder(self.data_dir) / self.folder
        train, test = listed(folder, self.classes)
        if self.validation_size + 2 > len(train.paths):
            found = f"{folder / 'train'} has {len(train.paths)} images"
            raise DataError(f"{found}, of which validation_size {self.validation_size} leaves too few to train on")
        return train, test

    def feed(self, seed: int, device: str, dtype: torch.dtype) -> Feed:
        """Return the batches of `seed`; images are (n, 3, image_size, image_size), in channels-last order.

        Raises:
            DataError: as `images` does; while reading, that an image is damaged.
        """
        from robustness.workloads.image_feed import ImageFeed

        return ImageFeed(
            self,
            self.images(),
            seed,
            size=self.image_size,
            readers=self.readers,
            mean=MEAN,
            std=STD,
            device=device,
            dtype=dtype,
        )

    def model(self) -> nn.Module:
        """Return the network; its convolutions keep the channels last."""
        import torch

        network: nn.Module = super().model().to(memory_format=torch.channels_last)
        return network

    def smoke(self) -> Self:
        """Return the smallest version: 8 images of 64 x 64 in each split, read by training itself."""
        return (
            super()
            .smoke()
            .model_copy(
                update={
                    "image_size": min(self.image_size, 64),
                    "batch_size": min(self.batch_size, 4),
                    "train_size": min(self.train_size or 8, 8),
                    "validation_size": min(self.validation_size, 8),
                    "test_size": min(self.test_size or 8, 8),
                    "workers": 0,
                }
            )
        )
