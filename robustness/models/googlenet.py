"""GoogLeNet with BatchNorm for CIFAR; each 5 x 5 convolution is two of 3 x 3.

Source: Szegedy et al., Going Deeper with Convolutions, CVPR 2015, Table 1. As in the code of the paper that this
project measures, the stem is a single 3 x 3 convolution with 192 channels, convolutions have a bias, and there
are no auxiliary classifiers; PyTorch's default initialization.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from robustness.models.base import ModelOptions, Network
from robustness.models.width import scaled

if TYPE_CHECKING:
    from torch import Tensor, nn


class InceptionSizes(NamedTuple):
    """Channels of an inception's convolutions, a row of the source's table."""

    one: int
    three_reduce: int
    three: int
    five_reduce: int
    five: int
    pool: int

    def scaled(self, width: float) -> InceptionSizes:
        """Return the same times `width`, rounded."""
        return InceptionSizes(*(scaled(size, width) for size in self))

    @property
    def outputs(self) -> int:
        """Channels of the four branches together."""
        return self.one + self.three + self.five + self.pool


_STAGES = (
    (InceptionSizes(64, 96, 128, 16, 32, 32), InceptionSizes(128, 128, 192, 32, 96, 64)),
    (
        InceptionSizes(192, 96, 208, 16, 48, 64),
        InceptionSizes(160, 112, 224, 24, 64, 64),
        InceptionSizes(128, 128, 256, 24, 64, 64),
        InceptionSizes(112, 144, 288, 32, 64, 64),
        InceptionSizes(256, 160, 320, 32, 128, 128),
    ),
    (InceptionSizes(256, 160, 320, 32, 128, 128), InceptionSizes(384, 192, 384, 48, 128, 128)),
)
"""A max-pool that halves height and width lies between two stages."""

_EPS = 1e-5


class Inception(Network):
    """Four branches side by side: 1 x 1, 3 x 3, 5 x 5 (two of 3 x 3), and a max-pool."""

    def __init__(self, inputs: int, sizes: InceptionSizes, *, eps_quirk: bool = False) -> None:
        from torch import nn

        super().__init__()
        # The paper's code passes n5x5 where BatchNorm2d takes eps.
        quirk = float(sizes.five) if eps_quirk else _EPS
        self.one = _unit(inputs, sizes.one, 1)
        self.three = nn.Sequential(_unit(inputs, sizes.three_reduce, 1), _unit(sizes.three_reduce, sizes.three, 3))
        self.five = nn.Sequential(
            _unit(inputs, sizes.five_reduce, 1),
            _unit(sizes.five_reduce, sizes.five, 3, eps=quirk),
            _unit(sizes.five, sizes.five, 3),
        )
        self.pool = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), _unit(inputs, sizes.pool, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, inputs, h, w) to (n, outputs, h, w), the branches' channels one after the other."""
        import torch

        return torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1)


class GoogLeNet(Network):
    """A stem, nine inceptions in three stages, dropout and a linear layer."""

    def __init__(
        self,
        classes: int,
        channels: int = 3,
        width: float = 1.0,
        dropout: float = 0.4,
        *,
        eps_quirk: bool = False,
    ) -> None:
        from torch import nn

        super().__init__()
        inputs = scaled(192, width)
        self.features = nn.Sequential(_unit(channels, inputs, 3))
        for i, stage in enumerate(_STAGES):
            if i > 0:
                self.features.append(nn.MaxPool2d(3, stride=2, padding=1))
            for sizes in (row.scaled(width) for row in stage):
                self.features.append(Inception(inputs, sizes, eps_quirk=eps_quirk))
                inputs = sizes.outputs
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(inputs, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, classes) of images (n, channels, h, w)."""
        logits: Tensor = self.head(self.dropout(self.features(images).mean((2, 3))))
        return logits


def _unit(inputs: int, outputs: int, kernel: int, *, eps: float = _EPS) -> nn.Sequential:
    """Return a convolution that keeps height and width, BatchNorm and ReLU."""
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.BatchNorm2d(outputs, eps=eps), nn.ReLU()
    )


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
        return GoogLeNet(classes, channels, self.width, self.dropout, eps_quirk=self.eps_quirk)
