"""What training sees of its images: random numbers drawn on the CPU for a whole epoch, applied on the device."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

PADDING = 4


class Augmentation(ABC):
    """An augmentation that tells its random numbers from what it does with them.

    So an epoch's numbers reach the device in one transfer: one a batch would wait for the device each time.
    """

    @abstractmethod
    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return (count, k) numbers on the CPU, a row an example of a batch."""

    @abstractmethod
    def apply(self, inputs: Tensor, drawn: Tensor) -> Tensor:
        """Return what training sees of inputs (n, ...), by the numbers (n, k) drawn for them, both on one device."""

    def __call__(self, inputs: Tensor, generator: torch.Generator) -> Tensor:
        """Return what training sees of a batch."""
        return self.apply(inputs, self.draw(len(inputs), generator).to(inputs.device))


class CropAndFlip(Augmentation):
    """Each image shifted by up to 4 pixels each way, black where it ends, half of them mirrored.

    That is torchvision's `RandomCrop(32, padding=4)` and `RandomHorizontalFlip()`, for a batch (n, c, h, w) at once.
    """

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return (count, 3) integers: pixels down and to the right, 0 to 8, and whether it is mirrored."""
        import torch

        shifts = torch.randint(0, 2 * PADDING + 1, (2, count, 1), generator=generator)
        flipped = torch.rand(count, 1, generator=generator) < 0.5
        return torch.cat([shifts[0], shifts[1], flipped], dim=1)

    def apply(self, inputs: Tensor, drawn: Tensor) -> Tensor:
        """Return the images, as many and as large."""
        import torch
        from torch.nn import functional

        count, channels, height, width = inputs.shape
        down, right, flipped = drawn.unbind(1)
        padded = functional.pad(inputs, [PADDING] * 4)
        side = torch.arange(max(height, width), device=inputs.device)
        across = side[:width]
        columns = right[:, None] + torch.where(flipped[:, None] > 0, width - 1 - across, across)
        rows = (down[:, None] + side[:height]) * padded.shape[3]
        # One gather from flat images: to index with a tensor an axis takes four times as long.
        places = (rows[:, :, None] + columns[:, None]).view(count, 1, -1)
        return padded.flatten(2).gather(2, places.expand(-1, channels, -1)).view(inputs.shape)


crop_and_flip = CropAndFlip()
