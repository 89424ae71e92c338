"""The networks, a row each; lists, the study schema and what `robustness.models` exports are made from it.

Another network is a file with its modules and its options, its options' import here, and its row. Files load without
torch; the LSTM of `lstm` has its options in its workload, and is no network of images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness.models.convnet import ConvNetOptions
from robustness.models.densenet import DenseNet121Options
from robustness.models.fast import FastOptions
from robustness.models.googlenet import GoogLeNetOptions
from robustness.models.resnet import ResNet18Options, ResNet34Options, ResNet50Options
from robustness.models.vgg import VGG16Options

if TYPE_CHECKING:
    from robustness.models.base import ModelOptions

_ROWS: tuple[type[ModelOptions], ...] = (
    ResNet18Options,
    ResNet34Options,
    ResNet50Options,
    VGG16Options,
    DenseNet121Options,
    GoogLeNetOptions,
    FastOptions,
    ConvNetOptions,
)

MODELS: dict[str, type[ModelOptions]] = {row.model_fields["name"].default: row for row in _ROWS}
"""By name."""

if not TYPE_CHECKING:  # a type checker takes every class that is imported here
    __all__ = ["MODELS"]
    __all__ += [row.__name__ for row in _ROWS]
