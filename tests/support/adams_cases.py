"""Three parameter groups of `AdamS`, with gradients that do not always come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from robustness.optimizers import AdamS

if TYPE_CHECKING:
    from collections.abc import Callable


SHAPES: list[list[tuple[int, ...]]] = [[(4, 3), (5,)], [(2, 3, 2)], [(6,), (1,)]]
GROUPS: list[dict[str, Any]] = [
    {"lr": 1e-2, "weight_decay": 1e-2},
    {"lr": 3e-3, "weight_decay": 0.0, "betas": (0.8, 0.99), "eps": 1e-6},
    {"lr": 2e-2, "weight_decay": 5e-2, "betas": (0.95, 0.9995)},
]


def draw(seed: int) -> list[list[torch.Tensor]]:
    """Return a tensor of normal numbers for each parameter."""
    generator = torch.Generator().manual_seed(seed)
    return [[torch.randn(s, generator=generator, dtype=torch.float64) for s in row] for row in SHAPES]


def gradients_of(step: int) -> list[list[torch.Tensor | None]]:
    """Return a step's gradients: one comes every third step, another from step 10, a group's not always."""
    gradients: list[list[torch.Tensor | None]] = [list(row) for row in draw(100 + step)]
    if step % 3:
        gradients[0][1] = None
    if step < 10:
        gradients[2][1] = None
    if step % 7 == 5:
        gradients[1][0] = None
    return gradients


def build(**options: Any) -> AdamS:
    """Return AdamS over `GROUPS`, its parameters at the same start each time."""
    groups = [
        {"params": [torch.nn.Parameter(t) for t in row], **group} for row, group in zip(draw(0), GROUPS, strict=True)
    ]
    return AdamS(groups, **options)


def parameters_of(optimizer: torch.optim.Optimizer) -> list[torch.nn.Parameter]:
    """Return all parameters in order."""
    return [p for group in optimizer.param_groups for p in group["params"]]


def set_gradients(optimizer: torch.optim.Optimizer, step: int, sign: float = 1) -> None:
    """Give each parameter its gradient of `step`, or none."""
    gradients = [gradient for row in gradients_of(step) for gradient in row]
    for p, gradient in zip(parameters_of(optimizer), gradients, strict=True):
        p.grad = None if gradient is None else sign * gradient


def scale_lr(optimizer: torch.optim.Optimizer, step: int) -> None:
    """Set each group's learning rate: a drop by 10 at two steps, as in the paper."""
    for group, start in zip(optimizer.param_groups, GROUPS, strict=True):
        lr = start["lr"] * 0.1 ** ((step >= 400) + (step >= 800))
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(lr)
        else:
            group["lr"] = lr


def advance(optimizer: AdamS, steps: range, step: Callable[[], object] | None = None) -> list[torch.Tensor]:
    """Take `steps` and return copies of the parameters."""
    for t in steps:
        set_gradients(optimizer, t)
        scale_lr(optimizer, t)
        (step or optimizer.step)()
    return [p.detach().clone() for p in parameters_of(optimizer)]


def as_tensor_lr(optimizer: AdamS) -> None:
    """Make each group's learning rate a tensor."""
    for group in optimizer.param_groups:
        group["lr"] = torch.tensor(group["lr"], dtype=torch.float64)
