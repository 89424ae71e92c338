"""Small losses whose Hessian can be formed as a whole, as the eigenvalues and the trace are tested against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.func import functional_call, jacrev
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Case:
    """A network, examples and their mean loss in parts."""

    def __init__(
        self, net: nn.Module, inputs: torch.Tensor, targets: torch.Tensor, dtype: torch.dtype = torch.float64
    ) -> None:
        self.net, self.targets = net.to(dtype).eval(), targets
        self.inputs = inputs.to(dtype) if inputs.is_floating_point() else inputs
        self.parameters = list(self.net.parameters())

    def loss(self, batch: int = 8) -> Iterator[torch.Tensor]:
        for inputs, targets in zip(self.inputs.split(batch), self.targets.split(batch), strict=True):
            outputs = self.net(inputs).flatten(0, -2)
            yield functional.cross_entropy(outputs, targets.flatten(), reduction="sum") / self.targets.numel()

    def exact(self) -> np.ndarray:
        """Return the Hessian as torch forms it as a whole, in float64."""
        self.net.double()
        inputs = self.inputs.double() if self.inputs.is_floating_point() else self.inputs
        named = {name: p.detach() for name, p in self.net.named_parameters()}

        def mean(flat: torch.Tensor) -> torch.Tensor:
            pieces = flat.split([p.numel() for p in named.values()])
            weights = {name: piece.view_as(p) for (name, p), piece in zip(named.items(), pieces, strict=True)}
            return functional.cross_entropy(functional_call(self.net, weights, (inputs,)), self.targets)

        whole: torch.Tensor = jacrev(jacrev(mean))(torch.cat([p.flatten() for p in named.values()]))
        return whole.numpy()

    def by_differences(self, step: float = 1e-4) -> np.ndarray:
        """Return the Hessian by central differences of the gradient of the mean loss."""
        flat = nn.utils.parameters_to_vector(self.parameters).detach()

        def gradient(weights: torch.Tensor) -> torch.Tensor:
            nn.utils.vector_to_parameters(weights, self.parameters)
            return torch.cat(
                [g.flatten() for g in torch.autograd.grad(sum(self.loss(), torch.zeros(())), self.parameters)]
            )

        rows = [gradient(flat + step * unit) - gradient(flat - step * unit) for unit in torch.eye(len(flat)).double()]
        nn.utils.vector_to_parameters(flat, self.parameters)
        return torch.stack(rows).numpy() / (2 * step)


def classified(net: nn.Module, shape: tuple[int, ...], dtype: torch.dtype = torch.float64) -> Case:
    """Return the case of `net` on 24 random inputs of three classes, its BatchNorm having seen some data."""
    inputs = torch.randn(24, *shape)
    net.train()(torch.randn(50, *shape) * 2 + 1)
    return Case(net, inputs, torch.randint(0, 3, (24,)), dtype)


def mlp(dtype: torch.dtype = torch.float64) -> Case:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))
    return classified(net, (5,), dtype)


def conv(dtype: torch.dtype = torch.float64) -> Case:
    torch.manual_seed(1)
    net = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1),
        nn.BatchNorm2d(3),
        nn.ReLU(),
        nn.Conv2d(3, 4, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4 * 4, 3),
    )
    return classified(net, (1, 6, 6), dtype)


class Language(nn.Module):
    """Predicts each of six words from those before it; by recurrence or attention."""

    def __init__(self, width: int, attention: bool) -> None:
        super().__init__()
        self.words = nn.Embedding(6, width)
        self.mix = nn.Linear(width, 3 * width) if attention else nn.LSTM(width, width, batch_first=True)
        self.head = nn.Linear(width, 6)
        self.attention = attention

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        mixed = self.mix(self.words(words))
        if not self.attention:
            return torch.as_tensor(self.head(mixed[0]))
        query, key, value = (part.unsqueeze(1) for part in mixed.chunk(3, -1))
        return torch.as_tensor(
            self.head(functional.scaled_dot_product_attention(query, key, value, is_causal=True).squeeze(1))
        )


def language(attention: bool, dtype: torch.dtype = torch.float64) -> Case:
    torch.manual_seed(2)
    text = torch.randint(0, 6, (12, 6))
    return Case(Language(4, attention), text[:, :-1], text[:, 1:], dtype)


def quadratic(matrix: Any, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, Callable[[], list[torch.Tensor]]]:
    """Return weights and a loss whose Hessian is `matrix`."""
    matrix = torch.as_tensor(matrix, dtype=dtype)
    weights = torch.ones(len(matrix), dtype=dtype, requires_grad=True)
    return weights, lambda: [weights @ matrix @ weights / 2]


def descending(matrix: np.ndarray) -> np.ndarray:
    return np.sort(np.linalg.eigvalsh((matrix + matrix.T) / 2))[::-1]
