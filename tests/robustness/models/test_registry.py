"""What every network of the registry keeps: its name, its options, and what it makes of images."""

from __future__ import annotations

import copy
import subprocess
import sys

import pytest
import torch
from torch import nn

import robustness.models
from robustness.models import MODELS, ModelOptions
from robustness.models.vgg import VGG16
from tests.support.named import network

BLOCKED = """
import sys
for name in ("torch", "torchvision"): sys.modules[name] = None
"""


def test_each_row_is_exported_and_has_the_name_that_it_says() -> None:
    assert set(vars(robustness.models)["__all__"]) == {
        "MODELS",
        "ModelOptions",
        *(row.__name__ for row in MODELS.values()),
    }
    for name, row in MODELS.items():
        assert getattr(robustness.models, row.__name__) is row
        assert row.model_validate({}).name == name
        assert issubclass(row, ModelOptions)
        assert row.__doc__
        assert all(field.description for key, field in row.model_fields.items() if key != "name")


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_it_is_read_without_torch_and_builds_what_it_says(name: str) -> None:
    module = MODELS[name].__module__
    code = f"{BLOCKED}\nimport {module}; from robustness.models import MODELS; assert MODELS[{name!r}]().width == 1"
    subprocess.run([sys.executable, "-c", code], check=True)
    torch.manual_seed(0)
    model = network(name, width=1 / 16).build(7, channels=2)
    assert isinstance(model, nn.Module)
    images = torch.randn(3, 2, 64, 64)
    assert model(images).shape == (3, 7)
    torch.manual_seed(0)
    again = network(name, width=1 / 16).build(7, channels=2)
    for (key, value), other in zip(model.named_parameters(), again.parameters(), strict=True):
        assert torch.equal(value, other), f"{key} is drawn from torch's generator alone"


def test_a_network_is_a_module_of_torch_and_of_its_own_class() -> None:
    network = VGG16(10, width=1 / 16)
    assert isinstance(network, VGG16)
    assert isinstance(network, nn.Module)
    assert type(network).__name__ == "VGG16"
    assert type(network) is type(VGG16(10, width=1 / 16))
    assert isinstance(copy.deepcopy(network), VGG16)
