"""Networks, data and losses as people bring them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from robustness.schedules import StepSchedule
from robustness.workloads import Data, Workload

TRAIN, TEST = 40, 24
"""Examples."""


class Small(Workload):
    """Forty examples of four numbers, and whether the first is positive."""

    classes = 2
    name: str = "small"
    epochs: int = 2
    batch_size: int = 16
    schedule: StepSchedule = StepSchedule(milestones=())

    def examples(self) -> tuple[Any, Any]:
        x = torch.randn(TRAIN + TEST, 4, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
        return x, (x[:, 0] > 0).long()

    def data(self, seed: int) -> Data:
        x, y = self.examples()
        return Data(at(x, slice(TRAIN)), at(y, slice(TRAIN)), at(x, slice(0)), at(y, slice(0)), *rest(x, y))

    @property
    def has_validation(self) -> bool:
        return False

    def model(self) -> nn.Module:
        return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.25), nn.Linear(8, 2))


def at(tree: Any, index: Any) -> Any:
    return {name: part[index] for name, part in tree.items()} if isinstance(tree, dict) else tree[index]


def rest(x: Any, y: Any) -> tuple[Any, Any]:
    return at(x, slice(TRAIN, None)), at(y, slice(TRAIN, None))


class Frozen(Small):
    """Fine-tuning: the first layer stays."""

    def model(self) -> nn.Module:
        net = super().model()
        net[0].requires_grad_(False)  # type: ignore[index]
        return net


class Headed(nn.Module):
    """Has a head that `forward` does not use, a counter that it replaces, and one mean that it changes in place."""

    calls: Tensor
    centre: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.body, self.auxiliary = nn.Linear(4, 2), nn.Linear(16, 16)
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("centre", torch.zeros(4))

    def forward(self, inputs: Tensor) -> Tensor:
        if self.training:
            self.calls = self.calls + 1
            self.centre.mul_(0.5).add_(inputs.detach().mean(0), alpha=0.5)
        return self.body(inputs - self.centre / self.calls)  # type: ignore[no-any-return]


class Unused(Small):
    """A network with parts that training does not move."""

    def model(self) -> nn.Module:
        return Headed()


class Keywords(nn.Module):
    """A text classifier of the usual kind: ids and a mask by name in, an object out."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.head = nn.Embedding(12, 6), nn.Linear(6, 2)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor | None = None) -> Output:
        hidden, mask = self.embedding(input_ids), attention_mask[..., None].to(self.head.weight)
        return Output(logits=self.head((hidden * mask).sum(-2) / mask.sum(-2)), hidden=hidden)


@dataclass
class Output:
    """What it returns; there is no loss where no labels were given."""

    logits: Tensor
    hidden: Tensor
    loss: Tensor | None = None


class Texts(Small):
    """Rows of ten ids, of which some are padding."""

    def examples(self) -> tuple[Any, Any]:
        ids = np.random.default_rng(0).integers(1, 12, (TRAIN + TEST, 10))
        mask = (np.arange(10) < 4 + np.arange(TRAIN + TEST)[:, None] % 6).astype(np.int64)
        return {"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(mask)}, torch.tensor(
            ids[:, 0] > 5
        ).long()

    def data(self, seed: int) -> Data:
        whole = super().data(seed)  # as NumPy has them
        return Data(
            **{name: arrays(getattr(whole, name)) for name in vars(whole) if name not in ("augment", "prepare")}
        )

    def model(self) -> nn.Module:
        return Keywords()

    def losses(self, outputs: Output, targets: Tensor) -> Tensor:  # type: ignore[override]
        return functional.cross_entropy(outputs.logits, targets, reduction="none")

    def errors(self, outputs: Output, targets: Tensor) -> Tensor:  # type: ignore[override]
        return outputs.logits.argmax(1) != targets


def arrays(tree: Any) -> Any:
    return {name: part.numpy() for name, part in tree.items()} if isinstance(tree, dict) else tree.numpy()


class Pixels(Small):
    """A small U-Net: a class for each pixel, and none for some (-100)."""

    def examples(self) -> tuple[Any, Any]:
        draw = torch.Generator().manual_seed(2)
        x = torch.randn(TRAIN + TEST, 1, 6, 6, generator=draw, dtype=torch.float64)
        y = (x[:, 0] > 0).long()
        y[torch.rand(y.shape, generator=draw) < 0.3] = -100
        return x, y

    def model(self) -> nn.Module:
        return UNet()

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(outputs, targets, reduction="none")

    def errors(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return outputs.argmax(1) != targets


class UNet(nn.Module):
    """Down and up once, with the way beside."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.ConvTranspose2d(4, 4, 2, stride=2)
        self.head = nn.Conv2d(5, 2, 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(torch.cat([self.up(self.down(images).relu()), images], 1))  # type: ignore[no-any-return]


class Gaps(Small):
    """Some examples have no class."""

    def examples(self) -> tuple[Any, Any]:
        x, y = super().examples()
        y[::5] = -100
        return x, y


class Autoencoder(Small):
    """Its targets are its inputs: a loss for each number, and an error of each example's numbers."""

    @property
    def chance_error(self) -> float:
        return 100.0

    def examples(self) -> tuple[Any, Any]:
        x, _ = super().examples()
        return x, x

    def model(self) -> nn.Module:
        return nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 4))

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return functional.mse_loss(outputs, targets, reduction="none")

    def errors(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs - targets).abs() > 0.5


class Column(Small):
    """Indexes its batch, as a loss that is written for one run's outputs does."""

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return functional.softplus((1 - 2 * targets) * (outputs[:, 1] - outputs[:, 0]))

    def errors(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs[:, 1] > outputs[:, 0]) != targets.bool()


class Mean(Small):
    """A mean over the batch where a loss for each target is asked for."""

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(outputs, targets)


class Matrix(Small):
    """(N, 1) against (N,)."""

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs[:, :1] - targets) ** 2


class Complex(nn.Module):
    """Half of its weights are complex."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = nn.Parameter(torch.randn(4, 3, dtype=torch.complex64))
        self.head = nn.Linear(3, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head((inputs.to(self.turn.dtype) @ self.turn).abs())  # type: ignore[no-any-return]


class Turned(Small):
    """A network with complex weights."""

    def model(self) -> nn.Module:
        return Complex()
