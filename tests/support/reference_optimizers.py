"""Adam, AdamW and AdamS in plain NumPy, one parameter and one line of the papers at a time.

Written from the equations alone: nothing here is shared with the package, and nothing is fast.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass
class Parameter:
    """A parameter with its moments; `steps` counts the steps in which it had a gradient."""

    value: Array
    m: Array = field(init=False)
    v: Array = field(init=False)
    largest_v: Array = field(init=False)
    steps: int = 0

    def __post_init__(self) -> None:
        self.value = self.value.copy()
        self.m, self.v, self.largest_v = (np.zeros_like(self.value) for _ in range(3))


@dataclass
class Group:
    """Parameters that share their options."""

    parameters: list[Parameter]
    lr: float
    weight_decay: float
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8


@dataclass
class Reference:
    """One of the three optimizers; `root_mean_v` is that of the last step."""

    kind: Literal["adam", "adamw", "adams"]
    groups: list[Group]
    amsgrad: bool = False
    root_mean_v: float = float("nan")

    def step(self, gradients: list[list[Array | None]]) -> None:
        """Take a step; `gradients` are those of each group's parameters, None where there is none."""
        active = [
            (group, parameter, gradient)
            for group, row in zip(self.groups, gradients, strict=True)
            for parameter, gradient in zip(group.parameters, row, strict=True)
            if gradient is not None
        ]
        v_hats = [self._second_moment(*entry) for entry in active]
        total = sum(float(v_hat.sum()) for v_hat in v_hats)
        self.root_mean_v = (total / sum(v_hat.size for v_hat in v_hats)) ** 0.5
        for (group, parameter, _), v_hat in zip(active, v_hats, strict=True):
            if self.kind == "adamw":
                parameter.value *= 1 - group.lr * group.weight_decay
            if self.kind == "adams" and group.weight_decay > 0:
                parameter.value *= 1 - group.lr * group.weight_decay / self.root_mean_v
            m_hat = parameter.m / (1 - group.betas[0] ** parameter.steps)
            parameter.value -= group.lr * m_hat / (np.sqrt(v_hat) + group.eps)

    def _second_moment(self, group: Group, parameter: Parameter, gradient: Array) -> Array:
        """Update the moments and return the bias-corrected second one."""
        beta1, beta2 = group.betas
        if self.kind == "adam":
            gradient = gradient + group.weight_decay * parameter.value
        parameter.steps += 1
        parameter.m = beta1 * parameter.m + (1 - beta1) * gradient
        parameter.v = beta2 * parameter.v + (1 - beta2) * gradient**2
        parameter.largest_v = np.maximum(parameter.largest_v, parameter.v)
        chosen = parameter.largest_v if self.amsgrad else parameter.v
        return np.asarray(chosen / (1 - beta2**parameter.steps), dtype=np.float64)
