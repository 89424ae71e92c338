"""The options of each network. Nothing here imports torch before a network is built."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from robustness.options import Model

if TYPE_CHECKING:
    from torch import nn


class ModelOptions(Model):
    """A network with its options as fields; all of them decide what a run comes to.

    A subclass gives its name as a `Literal` field and implements `build`.
    """

    name: str
    width: float = Field(
        1.0, gt=0, description="Factor on all channel counts; they are rounded, and never fewer than 4."
    )

    @abstractmethod
    def build(self, classes: int, channels: int = 3) -> nn.Module:
        """Return a freshly initialized network, drawn from torch's global generator.

        It takes images (n, `channels`, height, width) and returns logits (n, `classes`).
        """


class ResNet18Options(ModelOptions):
    """ResNet18 for images of 32 x 32: a 3 x 3 stem, no max-pool."""

    name: Literal["resnet18"] = "resnet18"

    def build(self, classes: int, channels: int = 3) -> nn.Module:
        """Return the network; see `ModelOptions.build` for the shapes."""
        from robustness.models.resnet import ResNet

        return ResNet((2, 2, 2, 2), classes, channels, self.width)


class ResNet34Options(ModelOptions):
    """ResNet34 for images of 32 x 32: a 3 x 3 stem, no max-pool."""

    name: Literal["resnet34"] = "resnet34"

    def build(self, classes: int, channels: int = 3) -> nn.Module:
        """Return the network; see `ModelOptions.build` for the shapes."""
        from robustness.models.resnet import ResNet

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
        from robustness.models.resnet import resnet50

        return resnet50(classes, channels, self.width)


class VGG16Options(ModelOptions):
    """VGG16 for images of 32 x 32: 13 convolutions, one linear layer."""

    name: Literal["vgg16"] = "vgg16"
    batch_norm: bool = Field(True, description="BatchNorm after each convolution; without it the net is scale-variant.")

    def build(self, classes: int, channels: int = 3) -> nn.Module:
        """Return the network; see `ModelOptions.build` for the shapes."""
        from robustness.models.vgg import VGG16

        return VGG16(classes, channels, self.width, batch_norm=self.batch_norm)


class DenseNet121Options(ModelOptions):
    """DenseNet121 for images of 32 x 32, growth 32: a 3 x 3 stem, no max-pool."""

    name: Literal["densenet121"] = "densenet121"
    width: float = Field(
        1.0, gt=0, description="Factor on the growth, which is rounded and never below 4; all channels follow from it."
    )

    def build(self, classes: int, channels: int = 3) -> nn.Module:
        """Return the network; see `ModelOptions.build` for the shapes."""
        from robustness.models.densenet import DenseNet
        from robustness.models.width import scaled

        return DenseNet((6, 12, 24, 16), classes, channels, growth=scaled(32, self.width))


class GoogLeNetOptions(ModelOptions):
    """GoogLeNet with BatchNorm for images of 32 x 32, each 5 x 5 convolution as two of 3 x 3."""

    name: Literal["googlenet"] = "googlenet"
    dropout: float = Field(0.4, ge=0, lt=1, description="Share of the pooled features dropped in training.")
    eps_quirk: bool = Field(
        False,
        description="Give the middle BatchNorm of each 5 x 5 branch its channel count as eps, as the paper did.",
    )

    def build(self, classes: int, channels: int = 3) -> nn.Module:
        """Return the network; see `ModelOptions.build` for the shapes."""
        from robustness.models.googlenet import GoogLeNet

        return GoogLeNet(classes, channels, self.width, self.dropout, eps_quirk=self.eps_quirk)


class FastOptions(ModelOptions):
    """A small network that learns CIFAR-10 in few epochs."""

    name: Literal["fast"] = "fast"

    def build(self, classes: int, channels: int = 3) -> nn.Module:
        """Return the network; see `ModelOptions.build` for the shapes."""
        from robustness.models.fast import FastNet

        return FastNet(classes, channels, self.width)


class ConvNetOptions(ModelOptions):
    """A plain network of three convolutions and a linear layer, for landscapes on a CPU."""

    name: Literal["convnet"] = "convnet"

    def build(self, classes: int, channels: int = 3) -> nn.Module:
        """Return the network; see `ModelOptions.build` for the shapes."""
        from robustness.models.convnet import ConvNet

        return ConvNet(classes, channels, self.width)


MODELS: dict[str, type[ModelOptions]] = {
    "resnet18": ResNet18Options,
    "resnet34": ResNet34Options,
    "resnet50": ResNet50Options,
    "vgg16": VGG16Options,
    "densenet121": DenseNet121Options,
    "googlenet": GoogLeNetOptions,
    "fast": FastOptions,
    "convnet": ConvNetOptions,
}
