"""Residual networks: of basic blocks for CIFAR, and torchvision's ResNet50 for ImageNet.

Source: He, Zhang, Ren and Sun, Deep Residual Learning for Image Recognition, CVPR 2016. For CIFAR the stem is a
3 x 3 convolution without max-pool and the stages have 64, 128, 256 and 512 channels, as in the code of the paper that
this project measures; PyTorch's default initialization.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from robustness.models.base import ModelOptions, Network
from robustness.models.width import scaled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn


class BasicBlock(Network):
    """Two 3 x 3 convolutions beside a shortcut, which is a 1 x 1 convolution where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        from torch import nn

        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut.append(nn.Conv2d(inputs, outputs, 1, stride, bias=False))
            self.shortcut.append(nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, inputs, h, w) to (n, outputs, h / stride, w / stride)."""
        residual = self.norm2(self.conv2(self.norm1(self.conv1(x)).relu()))
        outputs: Tensor = (residual + self.shortcut(x)).relu()
        return outputs


class ResNet(Network):
    """A residual network of four stages with `blocks[i]` basic blocks each."""

    def __init__(self, blocks: Sequence[int], classes: int, channels: int = 3, width: float = 1.0) -> None:
        from torch import nn

        super().__init__()
        sizes = [scaled(64 * factor, width) for factor in (1, 1, 2, 4, 8)]
        self.stem = nn.Sequential(
            nn.Conv2d(channels, sizes[0], 3, padding=1, bias=False), nn.BatchNorm2d(sizes[0]), nn.ReLU()
        )
        self.stages = nn.Sequential()
        for count, (inputs, outputs), stride in zip(blocks, pairwise(sizes), (1, 2, 2, 2), strict=True):
            self.stages.append(BasicBlock(inputs, outputs, stride))
            self.stages.extend(BasicBlock(outputs, outputs, 1) for _ in range(count - 1))
        self.head = nn.Linear(sizes[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, classes) of images (n, channels, h, w)."""
        logits: Tensor = self.head(self.stages(self.stem(images)).mean((2, 3)))
        return logits


def resnet50(classes: int, channels: int = 3, width: float = 1.0) -> nn.Module:
    """Return torchvision's ResNet50 as torchvision initializes it; `width` scales its `width_per_group` of 64.

    That is the width of the 3 x 3 convolutions. torchvision fixes the channels between the blocks, 64 to 2048.
    """
    from torch import nn
    from torchvision.models.resnet import Bottleneck
    from torchvision.models.resnet import ResNet as TorchvisionResNet

    model: nn.Module = TorchvisionResNet(
        Bottleneck, [3, 4, 6, 3], num_classes=classes, width_per_group=scaled(64, width)
    )
    if channels != 3:
        stem = nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False)
        nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")
        model.conv1 = stem
    return model


class ResNet18Options(ModelOptions):
    """ResNet18 for images of 32 x 32: a 3 x 3 stem, no max-pool."""

    name: Literal["resnet18"] = "resnet18"

    def build(self, classes: int, channels: int = 3) -> nn.Module:
        """Return the network; see `ModelOptions.build` for the shapes."""
        return ResNet((2, 2, 2, 2), classes, channels, self.width)


class ResNet34Options(ModelOptions):
    """ResNet34 for images of 32 x 32: a 3 x 3 stem, no max-pool."""

    name: Literal["resnet34"] = "resnet34"

    def build(self, classes: int, channels: int = 3) -> nn.Module:
        """Return the network; see `ModelOptions.build` for the shapes."""
        return ResNet((3, 4, 6, 3), classes, channels, self.width)


class ResNet50Options(ModelOptions):
    """torchvision's ResNet50 for ImageNet, with torchvision's initialization."""

    name: Literal["resnet50"] = "resnet50"
    width: float = Field(
        1.0,
        gt=0,
        description="Factor on the channels of the 3 x 3 convolutions (torchvision's `width_per_group`), which are"
        " rounded and never fewer than 4; what the blocks pass on keeps its channels. 2 is Wide ResNet-50-2.",
    )

    def build(self, classes: int, channels: int = 3) -> nn.Module:
        """Return the network; see `ModelOptions.build` for the shapes."""
        return resnet50(classes, channels, self.width)
