"""VGG16 for CIFAR: configuration D with a single linear layer instead of three.

Source: Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015.
PyTorch's default initialization.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from robustness.models.width import scaled

if TYPE_CHECKING:
    from torch import Tensor

_STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of the convolutions; a max-pool follows each stage."""


class VGG16(nn.Module):
    """Thirteen 3 x 3 convolutions with bias, with or without BatchNorm, and a linear layer."""

    def __init__(self, classes: int, channels: int = 3, width: float = 1.0, *, batch_norm: bool = True) -> None:
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
