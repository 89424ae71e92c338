"""What the workloads on colour images share: a network by name, and normalization."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, SerializeAsAny

from robustness.models import MODELS, ModelOptions
from robustness.workloads.base import Engine, Workload
from robustness.workloads.places import DataDir

if TYPE_CHECKING:
    from typing import Self

    import torch
    from torch import Tensor, nn

SMOKE_WIDTH = 0.125

Colour = tuple[float, float, float]


def _network(raw: object) -> ModelOptions:
    if isinstance(raw, ModelOptions):
        return raw
    # Its words about a wrong option are those that a study has for workloads and optimizers.
    from robustness.validation.problems import chosen

    return chosen(dict(raw) if isinstance(raw, Mapping) else raw, MODELS, "model")


if TYPE_CHECKING:
    _Forms = Any
else:
    _Forms = Literal[tuple(sorted(MODELS))]
    for _options in MODELS.values():
        _Forms |= _options

Network = Annotated[
    SerializeAsAny[ModelOptions],
    BeforeValidator(_network, json_schema_input_type=_Forms),
    Field(
        alias="model",
        description="A network: a name, or a mapping with a name and options.",
        json_schema_extra={"if": {"type": "object"}, "then": {"required": ["name"]}},
    ),
]
"""A field of this type is called `model` in a study; the attribute cannot be, for that is a workload's method."""


class ImageWorkload(Workload):
    """A network of `robustness.models` on colour images.

    `train_size` and `test_size` leave `train` and `test` as they are where they are absent.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    engine: Engine = Field("single", description="`stack` trains many runs as one model, `single` one by one.")
    network: Network
    validation_size: int = Field(
        0, ge=0, description="Training images held out to choose by, drawn by the seed, stratified; 0 as in the paper."
    )
    train_size: int | None = Field(
        None, ge=2, description="Training images, a stratified subset of the rest that the seed draws; all if absent."
    )
    test_size: int | None = Field(
        None, ge=1, description="Test images, a stratified subset that is the same for every seed; all if absent."
    )
    data_dir: DataDir = None

    @property
    def title(self) -> str:
        """What tables and figures call it."""
        return self.label or f"{self.name} {self.network.name}"

    @property
    def has_validation(self) -> bool:
        """Whether `validation_size` is not 0."""
        return self.validation_size > 0

    def model(self) -> nn.Module:
        """Return the network; it takes (n, 3, height, width)."""
        return self.network.build(self.classes)

    def smoke(self) -> Self:
        """Return the smallest version: few images, a narrow network."""
        return (
            super()
            .smoke()
            .model_copy(
                update={"network": self.network.model_copy(update={"width": min(self.network.width, SMOKE_WIDTH)})}
            )
        )


def normalized(images: Tensor, mean: Colour, std: Colour) -> Tensor:
    """Return (n, 3, h, w) bytes as real numbers, 0 to 1, less the mean and divided by the standard deviation."""
    scale, shift = _affine(mean, std, images.device)
    return images.float() * scale + shift


@lru_cache(maxsize=16)
def _affine(mean: Colour, std: Colour, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return two (3, 1, 1) tensors; kept, because a transfer a batch would wait for the device each time."""
    import torch

    centre, spread = (torch.tensor(values, dtype=torch.float64)[:, None, None] for values in (mean, std))
    return (1 / (255 * spread)).float().to(device), (-centre / spread).float().to(device)


def subset(targets: Tensor, size: int | None, seed: int) -> Tensor:
    """Return the indices of a stratified subset, or of all where `size` is absent."""
    from robustness.workloads.data import stratified

    return stratified(targets, len(targets) if size is None else size, seed)


def held_out(targets: Tensor, validation: int, train: int | None, seed: int) -> tuple[Tensor, Tensor]:
    """Return the indices of a training and of a validation split that have no example in common.

    Args:
        targets: (n,) class indices of all there are.
        validation: examples to hold out, stratified.
        train: examples to train on, a stratified subset of the rest; all of it if None.
        seed: of both draws.
    """
    import torch

    chosen = subset(targets, validation, seed)
    rest = torch.ones(len(targets), dtype=torch.bool).index_fill_(0, chosen, value=False).nonzero().flatten()
    return rest[subset(targets[rest], train, seed)], chosen
