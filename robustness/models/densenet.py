"""DenseNet with bottlenecks and compression by half (DenseNet-BC) for CIFAR.

Source: Huang, Liu, van der Maaten and Weinberger, Densely Connected Convolutional Networks, CVPR 2017. The stem is a
3 x 3 convolution without max-pool; PyTorch's default initialization.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from robustness.models.base import ModelOptions, Network
from robustness.models.width import scaled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn


class DenseLayer(Network):
    """A 1 x 1 and a 3 x 3 convolution, each after BatchNorm and ReLU; `growth` new channels join the input's."""

    def __init__(self, inputs: int, growth: int) -> None:
        from torch import nn

        super().__init__()
        layers = (
            nn.BatchNorm2d(inputs),
            nn.ReLU(),
            nn.Conv2d(inputs, 4 * growth, 1, bias=False),
            nn.BatchNorm2d(4 * growth),
            nn.ReLU(),
            nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False),
        )
        for index, layer in enumerate(layers):
            self.add_module(str(index), layer)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, inputs, h, w) to (n, inputs + growth, h, w)."""
        import torch

        added = x
        for layer in self.children():
            added = layer(added)
        return torch.cat([x, added], 1)


class DenseNet(Network):
    """Dense blocks of `blocks[i]` layers; between two of them channels, height and width are halved."""

    def __init__(self, blocks: Sequence[int], classes: int, channels: int = 3, growth: int = 32) -> None:
        from torch import nn

        super().__init__()
        size = 2 * growth
        self.features = nn.Sequential(nn.Conv2d(channels, size, 3, padding=1, bias=False))
        for i, layers in enumerate(blocks):
            if i > 0:
                self.features.append(_transition(size, size // 2))
                size //= 2
            for _ in range(layers):
                self.features.append(DenseLayer(size, growth))
                size += growth
        self.features.extend([nn.BatchNorm2d(size), nn.ReLU()])
        self.head = nn.Linear(size, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, classes) of images (n, channels, h, w)."""
        logits: Tensor = self.head(self.features(images).mean((2, 3)))
        return logits


def _transition(inputs: int, outputs: int) -> nn.Sequential:
    from torch import nn

    return nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU(), nn.Conv2d(inputs, outputs, 1, bias=False), nn.AvgPool2d(2))


class DenseNet121Options(ModelOptions):
    """DenseNet121 for images of 32 x 32, growth 32: a 3 x 3 stem, no max-pool."""

    name: Literal["densenet121"] = "densenet121"
    width: float = Field(
        1.0, gt=0, description="Factor on the growth, which is rounded and never below 4; all channels follow from it."
    )

    def build(self, classes: int, channels: int = 3) -> nn.Module:
        """Return the network; see `ModelOptions.build` for the shapes."""
        return DenseNet((6, 12, 24, 16), classes, channels, growth=scaled(32, self.width))
