"""Networks by name: their options here, which load without torch, and each network in a module of its own."""

from __future__ import annotations

from robustness.models.options import (
    MODELS,
    ConvNetOptions,
    DenseNet121Options,
    FastOptions,
    GoogLeNetOptions,
    ModelOptions,
    ResNet18Options,
    ResNet34Options,
    ResNet50Options,
    VGG16Options,
)

__all__ = [
    "MODELS",
    "ConvNetOptions",
    "DenseNet121Options",
    "FastOptions",
    "GoogLeNetOptions",
    "ModelOptions",
    "ResNet18Options",
    "ResNet34Options",
    "ResNet50Options",
    "VGG16Options",
]
