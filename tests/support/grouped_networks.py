"""Networks with matrices, biases and gains, and optimizers that want groups of parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import nn

from robustness.optimizers.sgd import SGDOptions, SGDRule
from robustness.workloads import Data, Workload

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from robustness.parameters.parameter_layout import Layout


class Mixed(Workload):
    """A small convolution with a normalization and a head, on random images of two classes."""

    classes = 2
    batch_size: int = 16

    def data(self, seed: int) -> Data:
        draw = torch.Generator().manual_seed(seed)
        x = torch.randn(64, 1, 6, 6, generator=draw)
        y = (x.mean(dim=(1, 2, 3)) > 0).long()
        return Data(x[:32], y[:32], x[32:48], y[32:48], x[48:], y[48:])

    def model(self) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(1, 4, 3),
            nn.GroupNorm(2, 4),
            nn.Tanh(),
            nn.Flatten(),
            nn.Linear(64, 8),
            nn.Tanh(),
            nn.Linear(8, 2),
        )


class Hooked(Mixed):
    """The same, whose parameters the workload itself puts into groups: matrices, and all else."""

    def parameter_groups(self, model: nn.Module) -> Iterable[Mapping[str, Any]]:
        parameters = list(model.parameters())
        return [
            {"params": [p for p in parameters if p.dim() == 2], "use_muon": True, "lr_factor": 2.0},
            {"params": [p for p in parameters if p.dim() != 2], "use_muon": False, "weight_decay_factor": 0.0},
        ]


class Forgetful(Mixed):
    """The same, whose groups leave out the biases."""

    def parameter_groups(self, model: nn.Module) -> Iterable[Mapping[str, Any]]:
        return [{"params": [p for p in model.parameters() if p.dim() > 1]}]


class MatricesAndRest(torch.optim.Optimizer):
    """Muon for groups that say `use_muon`, AdamW for the others; it takes rates of the groups alone."""

    def __init__(self, param_groups: Any) -> None:
        for group in param_groups:
            if "use_muon" not in group:
                raise ValueError("each group says use_muon")
        super().__init__(param_groups, {})
        self.parts: list[Any] = [
            (torch.optim.Muon if group["use_muon"] else torch.optim.AdamW)([group]) for group in self.param_groups
        ]

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for own, part in zip(self.param_groups, self.parts, strict=True):
            part.param_groups[0]["lr"] = own["lr"]
            part.step()


class Halved(torch.optim.AdamW):
    """AdamW that trains the first two parameters at a tenth of the rate."""

    def __init__(self, params: Any, lr: float = 1e-3, weight_decay: float = 0.0) -> None:
        params = list(params)
        groups = [{"params": params[:2], "lr": 0.1 * lr}, {"params": params[2:], "lr": lr}]
        super().__init__([group for group in groups if group["params"]], lr=lr, weight_decay=weight_decay)


class LayeredRule(SGDRule):
    """SGD that is told the layout of a row, and knows no groups."""

    told: ClassVar[list[Layout]] = []

    def take_layout(self, layout: Layout) -> None:
        self.told.append(layout)


class Layered(SGDOptions):
    takes_groups = False
    name: str = "tests.support.grouped_networks:Layered"  # type: ignore[assignment]

    def rule(self, weights: torch.Tensor, weight_decay: torch.Tensor, size: int) -> LayeredRule:
        return LayeredRule(weights, weight_decay, 0.9)
