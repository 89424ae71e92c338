"""Networks, losses and data that are not trained as they are meant, one fault each; and what is said of it."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from robustness.workloads import Data
from tests.support.own_networks import Small


class MeanLoss(Small):
    """The mean, as nearly every training script has it."""

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(outputs, targets)


class MatrixLoss(Small):
    """(N, 1) against (N,)."""

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs[:, :1] - targets) ** 2


class MeanError(Small):
    """A share where an error each is asked for."""

    def errors(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs.argmax(-1) != targets).float().mean()


class PercentError(Small):
    """Errors in percent."""

    def errors(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return 100.0 * (outputs.argmax(-1) != targets)


class FromOne(Small):
    """Labels from 1 to K."""

    def examples(self) -> tuple[Any, Any]:
        x, y = super().examples()
        return x, y + 1


class OneLogit(Small):
    """One output for two classes, with the loss of two."""

    def model(self) -> nn.Module:
        return nn.Linear(4, 1)


class ColumnTargets(Small):
    """Class indices in a column."""

    def examples(self) -> tuple[Any, Any]:
        x, y = super().examples()
        return x, y[:, None]


class Undrawn(Small):
    """Other data at each call."""

    def data(self, seed: int) -> Data:
        data = super().data(seed)
        return Data(data.train_inputs + time.perf_counter_ns() % 1000, *list(vars(data).values())[1:6])


class Uneven(Small):
    """More inputs than targets."""

    def data(self, seed: int) -> Data:
        data = super().data(seed)
        return Data(torch.cat([data.train_inputs, data.train_inputs]), *list(vars(data).values())[1:6])


class NotFinite(Small):
    """A NaN among the inputs of the test."""

    def examples(self) -> tuple[Any, Any]:
        x, y = super().examples()
        x[-1, 0] = float("nan")
        return x, y


class Recurrent(nn.Module):
    """Has a GRU, for which torch has no batching rule."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.GRU(1, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.body(inputs[..., None])[0][:, -1])  # type: ignore[no-any-return]


class Gated(Small):
    """A network that no stack can train."""

    def model(self) -> nn.Module:
        return Recurrent()


class ByValue(nn.Module):
    """Its way depends on a value."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.head(inputs)
        return outputs if outputs.sum().item() > 1e9 else 2 * outputs


class Branching(Small):
    """Another one."""

    def model(self) -> nn.Module:
        return ByValue()


class Wrong(Small):
    """A layer of the wrong size."""

    def model(self) -> nn.Module:
        return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(9, 2))


class Adrift(nn.Module):
    """Carries a plain number from step to step, which no checkpoint has."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.steps = nn.Linear(4, 2), 0

    def forward(self, inputs: Tensor) -> Tensor:
        if self.training:
            self.steps += 1
        outputs: Tensor = self.head(inputs)
        return outputs * self.steps


class Counting(Small):
    """A run of it that is set down would go on otherwise."""

    def model(self) -> nn.Module:
        return Adrift()


class NoGradient(Small):
    """Nothing to train."""

    def model(self) -> nn.Module:
        net = super().model()
        return net.requires_grad_(False)


class Broken(Small):
    """Data that cannot be made."""

    def data(self, seed: int) -> Data:
        raise FileNotFoundError("table.csv")


class Matrices(torch.optim.Optimizer):
    """Takes matrices alone."""

    def __init__(self, params: Any, lr: float = 0.1, weight_decay: float = 0.0) -> None:
        params = list(params)
        if any(p.dim() != 2 for p in params):
            raise ValueError("only 2D parameters")
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Do nothing."""
