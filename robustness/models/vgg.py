"""VGG16 for CIFAR: configuration D with a single linear layer instead of three.

Source: Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015.
PyTorch's default initialization.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from robustness.models.base import ModelOptions, Network
from robustness.models.width import scaled

if TYPE_CHECKING:
    from torch import Tensor, nn

_STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of the convolutions; a max-pool follows each stage."""


class VGG16(Network):
    """Thirteen 3 x 3 convolutions with bias, with or without BatchNorm, and a linear layer."""

    def __init__(self, classes: int, channels: int = 3, width: float = 1.0, *, batch_norm: bool = True) -> None:
        from torch import nn

        super().__init__()
        self.features = nn.Sequential()
        inputs = channels
        for stage in _STAGES:
            for outputs in (scaled(size, width) for size in stage):
                self.features.append(nn.Conv2d(inputs, outputs, 3, padding=1))
                if batch_norm:
                    self.features.append(nn.BatchNorm2d(outputs))
                self.features.append(nn.ReLU())
                inputs = outputs
            self.features.append(nn.MaxPool2d(2))
        self.head = nn.Linear(inputs, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, classes) of images (n, channels, h, w), h and w at least 32."""
        # At 32 x 32 a single pixel remains to take the mean of.
        logits: Tensor = self.head(self.features(images).mean((2, 3)))
        return logits


class VGG16Options(ModelOptions):
    """VGG16 for images of 32 x 32: 13 convolutions, one linear layer."""

    name: Literal["vgg16"] = "vgg16"
    batch_norm: bool = Field(True, description="BatchNorm after each convolution; without it the net is scale-variant.")

    def build(self, classes: int, channels: int = 3) -> nn.Module:
        """Return the network; see `ModelOptions.build` for the shapes."""
        return VGG16(classes, channels, self.width, batch_norm=self.batch_norm)
