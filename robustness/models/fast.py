"""A small network that learns CIFAR-10 in few epochs, for sweeps of thousands of runs.

Its shape follows K. Jordan, 94% on CIFAR-10 in 3.29 Seconds on a Single GPU, arXiv 2404.00498: seven convolutions,
convolutions that begin as identities, GELU, a max-pool over all that remains, scaled-down logits. What needs another
optimizer than plain SGD or Adam is left out. A network is built without data, so the first convolution is trained
from PyTorch's default initialization and normalized by BatchNorm instead of whitening patches with fixed filters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from robustness.models.base import ModelOptions, Network
from robustness.models.width import scaled

if TYPE_CHECKING:
    from torch import Tensor, nn

_LOGIT_SCALE = 1 / 9


class FastNet(Network):
    """A 2 x 2 convolution, three blocks of 64, 256 and 256 channels, a linear layer without bias."""

    def __init__(self, classes: int, channels: int = 3, width: float = 1.0) -> None:
        from torch import nn

        super().__init__()
        # As many filters as a whitening with both signs of every direction of a patch has.
        size = scaled(2 * 4 * channels, width)
        self.features = nn.Sequential(nn.Conv2d(channels, size, 2, bias=False), nn.BatchNorm2d(size), nn.GELU())
        for outputs in (scaled(factor * 64, width) for factor in (1, 4, 4)):
            self.features.append(_block(size, outputs))
            size = outputs
        self.head = nn.Linear(size, classes, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, classes) of images (n, channels, h, w), h and w at least 9."""
        logits: Tensor = self.head(self.features(images).amax((2, 3)))
        return logits * _LOGIT_SCALE


def _block(inputs: int, outputs: int) -> nn.Sequential:
    """Return a block that halves height and width."""
    from torch import nn

    return nn.Sequential(
        _convolution(inputs, outputs),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(outputs),
        nn.GELU(),
        _convolution(outputs, outputs),
        nn.BatchNorm2d(outputs),
        nn.GELU(),
    )


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    """Return a 3 x 3 convolution whose first `inputs` filters pass their channel on, as a shortcut would."""
    from torch import nn

    convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    nn.init.dirac_(convolution.weight.detach()[:inputs])
    return convolution


class FastOptions(ModelOptions):
    """A small network that learns CIFAR-10 in few epochs."""

    name: Literal["fast"] = "fast"

    def build(self, classes: int, channels: int = 3) -> nn.Module:
        """Return the network; see `ModelOptions.build` for the shapes."""
        return FastNet(classes, channels, self.width)
