"""A plain convolutional network for images of 32 x 32, small enough for landscapes of hundreds of runs on a CPU.

It takes 0.7 million multiplications an image; `fast` takes 118 million, ResNet18 556.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from robustness.models.base import ModelOptions, Network
from robustness.models.width import scaled

if TYPE_CHECKING:
    from torch import Tensor, nn

_CHANNELS = (16, 32, 64)
_GRID = 4


class ConvNet(Network):
    """Three 3 x 3 convolutions of stride 2, each with BatchNorm and ReLU, and a linear layer on what remains."""

    def __init__(self, classes: int, channels: int = 3, width: float = 1.0) -> None:
        from torch import nn

        super().__init__()
        self.features = nn.Sequential()
        inputs = channels
        for outputs in (scaled(size, width) for size in _CHANNELS):
            self.features.append(nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False))
            self.features.append(nn.BatchNorm2d(outputs))
            self.features.append(nn.ReLU())
            inputs = outputs
        self.head = nn.Linear(inputs * _GRID**2, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, classes) of images (n, channels, h, w); larger ones than 32 x 32 are averaged to 4 x 4."""
        from torch.nn import functional

        features = self.features(images)
        if features.shape[-2:] != (_GRID, _GRID):
            features = functional.adaptive_avg_pool2d(features, _GRID)
        logits: Tensor = self.head(features.flatten(1))
        return logits


class ConvNetOptions(ModelOptions):
    """A plain network of three convolutions and a linear layer, for landscapes on a CPU."""

    name: Literal["convnet"] = "convnet"

    def build(self, classes: int, channels: int = 3) -> nn.Module:
        """Return the network; see `ModelOptions.build` for the shapes."""
        return ConvNet(classes, channels, self.width)
