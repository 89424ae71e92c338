"""The paper's two theorems as workloads: gradient descent, full batch, on an objective that is known exactly.

Source: Xie, Xu, Zhang, Sato and Sugiyama, On the Overlooked Pitfalls of Weight Decay and How to Mitigate Them,
NeurIPS 2023, Theorems 1 and 2. The objectives are ours.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from robustness.workloads.base import Workload
from robustness.workloads.data import Data

if TYPE_CHECKING:
    from torch import Tensor

    from robustness.workloads.objectives import Quadratic, Sphere


class _Theorem(Workload):
    """An objective of the weights alone: the loss of every example is its value, and the seed draws the start.

    The error is the share of the value at zero weights that is left, in percent, and at most 100.
    """

    batch_size: int = Field(2, ge=2, description="Rows of a batch, all alike: it changes nothing.")
    steps: int = Field(100, ge=1, description="Steps of gradient descent in an epoch.")
    dimension: int = Field(20, ge=2, description="Number of weights.")

    @property
    def chance_error(self) -> float:
        """The error at zero weights, in percent."""
        return 100.0

    @property
    def has_validation(self) -> bool:
        """There are no examples, so none are held out."""
        return False

    @property
    @abstractmethod
    def value_at_zero(self) -> float:
        """The objective at zero weights."""

    def data(self, seed: int) -> Data:  # noqa: ARG002 - no example is drawn
        """Return inputs (n, 1) and targets (n,), all 0 and of no effect: `steps` batches."""
        import torch

        inputs = torch.zeros(self.steps * self.batch_size, 1)
        targets = torch.zeros(len(inputs), dtype=torch.int64)
        return Data(inputs, targets, inputs[:0], targets[:0], inputs[:1], targets[:1])

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002 - the output is the loss
        """Return (..., n) of the network's outputs (..., n, 1)."""
        return outputs[..., 0]

    def errors(self, outputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002
        """Return (..., n), 0 to 1: what share of the objective at zero weights is left, 1 if more."""
        return (outputs[..., 0] / self.value_at_zero).clamp(max=1.0)


class Theorem1(_Theorem):
    """A quadratic with its minimum at ones, the learning rate falling in steps.

    With decay by Eq. 1, w <- (1 - d) w - r g, a stationary point at the rate r has the gradient -(d / r) w: none is
    stationary at two rates, and at the second the objective with its decay has a gradient of norm d |1/r' - 1/r| |w|.
    With Eq. 2 the gradient is -decay w at any rate. Stable for rates below 2 / (1 + decay).
    """

    name: Literal["theorem-1"] = "theorem-1"
    condition: float = Field(10.0, ge=1, description="Greatest eigenvalue by smallest; the greatest is 1.")

    @property
    def value_at_zero(self) -> float:
        """Half the sum of the eigenvalues."""
        step = 1 / (self.dimension - 1)
        return sum(float(self.condition ** (index * step - 1)) for index in range(self.dimension)) / 2

    def model(self) -> Quadratic:
        """Return the objective."""
        from robustness.workloads.objectives import Quadratic

        return Quadratic(self.dimension, self.condition)


class Theorem2(_Theorem):
    """f(w) = k (|w| - 1)^2 / 2, whose stationary weights have about the same norm at any decay far below k.

    With L2 decay they have the norm k / (k + decay), and the gradient there has the norm decay k / (k + decay): it
    grows with the decay. Stable for rates below 2 / (k + decay).
    """

    name: Literal["theorem-2"] = "theorem-2"
    stiffness: float = Field(10.0, gt=0, description="k, the objective's curvature along the weights.")

    @property
    def value_at_zero(self) -> float:
        """Half the stiffness."""
        return self.stiffness / 2

    def model(self) -> Sphere:
        """Return the objective."""
        from robustness.workloads.objectives import Sphere

        return Sphere(self.dimension, self.stiffness)
