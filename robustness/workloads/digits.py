"""scikit-learn's digits: 1 797 real 8 x 8 images of ten classes, part of the package, no download.

Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, model_validator

from robustness.workloads.base import Workload
from robustness.workloads.data import Data

if TYPE_CHECKING:
    from typing import Self

    from torch import nn

TOTAL = 1797


class _DigitsData(Workload):
    """The data of both networks: stratified splits, drawn by the seed."""

    classes: ClassVar[int] = 10

    train_size: int = Field(896, ge=20, description="Training images.")
    validation_size: int = Field(300, ge=0, description="Images held out to choose by; the rest is the test split.")
    label_noise: float = Field(0.0, ge=0, le=1, description="Share of training labels replaced by a random class.")

    @model_validator(mode="after")
    def _leaves_a_test_split(self) -> Self:
        rest = TOTAL - self.train_size - self.validation_size
        if rest < 20:
            raise ValueError(
                f"train_size + validation_size must leave at least 20 of the {TOTAL} images for the test split,"
                f" got {self.train_size} + {self.validation_size}"
            )
        return self

    @property
    def has_validation(self) -> bool:
        """Whether `validation_size` is not 0."""
        return self.validation_size > 0

    def data(self, seed: int) -> Data:
        """Return inputs of shape (n, 1, 8, 8) in [-0.5, 0.5] and integer targets."""
        import numpy as np
        import torch
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split

        images, labels = load_digits(return_X_y=True)
        inputs = torch.tensor(images.reshape(-1, 1, 8, 8) / 16 - 0.5, dtype=torch.float32)
        targets = torch.tensor(labels, dtype=torch.int64)
        train, rest = train_test_split(np.arange(TOTAL), train_size=self.train_size, stratify=labels, random_state=seed)
        validation, test = rest[: self.validation_size], rest[self.validation_size :]
        noisy = targets[train].clone()
        if self.label_noise:
            generator = torch.Generator().manual_seed(seed)
            flipped = torch.rand(len(noisy), generator=generator) < self.label_noise
            noisy[flipped] = torch.randint(0, self.classes, (int(flipped.sum()),), generator=generator)
        return Data(inputs[train], noisy, inputs[validation], targets[validation], inputs[test], targets[test])


class Digits(_DigitsData):
    """A perceptron with two hidden layers and BatchNorm."""

    name: Literal["digits"] = "digits"
    width: int = Field(32, ge=1, description="Units in each hidden layer.")

    def model(self) -> nn.Module:
        """Return the network; it takes (n, 1, 8, 8)."""
        from torch import nn

        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(64, self.width),
            nn.BatchNorm1d(self.width),
            nn.ReLU(),
            nn.Linear(self.width, self.width),
            nn.BatchNorm1d(self.width),
            nn.ReLU(),
            nn.Linear(self.width, self.classes),
        )


class DigitsCNN(_DigitsData):
    """Two convolutions with BatchNorm and a linear layer."""

    name: Literal["digits-cnn"] = "digits-cnn"
    channels: int = Field(8, ge=1, description="Channels of the first convolution; the second has twice as many.")

    def model(self) -> nn.Module:
        """Return the network; it takes (n, 1, 8, 8)."""
        from torch import nn

        c = self.channels
        return nn.Sequential(
            nn.Conv2d(1, c, 3, padding=1),
            nn.BatchNorm2d(c),
            nn.ReLU(),
            nn.Conv2d(c, 2 * c, 3, stride=2, padding=1),
            nn.BatchNorm2d(2 * c),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(2 * c * 16, self.classes),
        )
