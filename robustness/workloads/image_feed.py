"""Batches of images that are read from their files as they are needed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import DataLoader

from robustness.randomness import augmentation, data_order, steps_per_epoch
from robustness.workloads.data import EVALUATION_BATCH, Feed
from robustness.workloads.image_folder import TEST, ImageFiles
from robustness.workloads.images import held_out, normalized, subset
from robustness.workloads.places import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torch import Tensor

    from robustness.workloads.data import Batch
    from robustness.workloads.image_folder import Images, Key
    from robustness.workloads.images import Colour, ImageWorkload


class ImageFeed(Feed):
    """Batches (n, 3, size, size), channels last, and their classes; the same whatever the number of workers."""

    gaps = False

    def __init__(
        self,
        workload: ImageWorkload,
        images: tuple[Images, Images],
        seed: int,
        *,
        size: int,
        readers: int,
        mean: Colour,
        std: Colour,
        device: str,
        dtype: torch.dtype,
    ) -> None:
        """List the images of `seed`; none is read yet.

        Args:
            workload: Its batch size, and how many images of each split it takes.
            images: Those to train on, and those of the test.
            seed: Draws the splits, the order and the crops.
            size: Side of the crops.
            readers: Processes that read images.
            mean: Of each colour, taken off; of values 0 to 1.
            std: Of each colour, divided by.
            device: Where the batches go.
            dtype: Of the images.
        """
        train, test = images
        self._mean, self._std = mean, std
        self._device, self._dtype, self._seed = device, dtype, seed
        draws = augmentation(seed).initial_seed()
        self._files, self._tested = (ImageFiles(each, size, draws) for each in images)
        self._train, self._validation = held_out(train.targets, workload.validation_size, workload.train_size, seed)
        self._targets = train.targets[self._train]
        self._test = subset(test.targets, workload.test_size, seed=0)
        # A loader draws a seed for its workers, and would draw it from the generator of the dropout.
        generator = torch.Generator().manual_seed(0)
        self._load = partial(DataLoader, num_workers=readers, pin_memory=device == "cuda", generator=generator)
        # Its workers stay for the whole training: starting them takes seconds.
        self._order = _Epochs(self._train, data_order(len(self._train), workload.batch_size, seed))
        self._epochs = self._load(
            self._files,
            batch_sampler=self._order,
            persistent_workers=readers > 0,
        )
        self.steps = steps_per_epoch(len(self._train), workload.batch_size)
        self.splits = ("test", "validation") if workload.has_validation else ("test",)

    def train(self) -> Iterator[Batch]:
        """Return the next epoch's batches."""
        return self._moved(self._epochs)

    def resume(self, epochs: int, state: dict[str, Any]) -> None:  # noqa: ARG002 - an image's draws follow its epoch
        """Pass over the order of `epochs` epochs."""
        self._order.skip(epochs)

    def evaluate(self, split: str) -> Iterator[Batch]:
        """Return a split's batches, cropped at the centre."""
        if split == "test":
            return self._seen_whole(self._tested, self._test)
        return self._seen_whole(self._files, self._validation)

    def sample(self, examples: int) -> Iterator[Batch]:
        """Return batches of a stratified subset that the seed fixes, cropped at the centre."""
        chosen = subset(self._targets, min(examples, len(self._targets)), self._seed)
        return self._seen_whole(self._files, self._train[chosen])

    def _seen_whole(self, files: ImageFiles, indices: Tensor) -> Iterator[Batch]:
        batches = [[(TEST, int(i)) for i in batch] for batch in indices.split(EVALUATION_BATCH)]
        return self._moved(self._load(files, batch_sampler=batches))

    def _moved(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        for images, targets in _plainly(batches):
            # Moved as bytes, of which there are a quarter as many.
            inputs = normalized(images.to(self._device, non_blocking=True), self._mean, self._std)
            yield (
                inputs.to(self._dtype, memory_format=torch.channels_last),
                targets.to(self._device, non_blocking=True),
            )


class _Epochs:
    """The keys of each epoch's batches; every iteration is another epoch."""

    def __init__(self, indices: Tensor, order: Iterator[list[Tensor]]) -> None:
        self._indices, self._order, self._epoch = indices, order, 0

    def skip(self, epochs: int) -> None:
        for _ in range(epochs):
            next(self._order)
        self._epoch += epochs

    def __iter__(self) -> Iterator[list[Key]]:
        # A generator: the loader may make an iterator that it never asks for anything.
        epoch, self._epoch = self._epoch, self._epoch + 1
        for batch in next(self._order):
            yield [(epoch, int(i)) for i in self._indices[batch]]


def _plainly(batches: Iterable[Batch]) -> Iterator[Batch]:
    """Pass batches on, and a worker's `DataError` without the trace that the loader puts around it."""
    try:
        yield from batches
    except DataError as error:
        raise DataError(str(error).strip().rpartition("DataError: ")[2]) from None
