"""Which figures of the loss's curvature a training takes, and when.

The figures themselves are in `robustness.training.hessian`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from robustness.options import Model

if TYPE_CHECKING:
    from typing import Self


class HessianOptions(Model):
    """Top eigenvalues and trace of the Hessian of the mean training loss, without the weight decay."""

    top: int = Field(1, ge=0, le=100, description="How many of the largest eigenvalues to find.")
    trace: int = Field(0, ge=0, description="Random vectors that the trace is estimated from; 0 leaves it out.")
    examples: int = Field(512, ge=1, description="Training examples in the fixed, stratified subset of the loss.")
    every: int | None = Field(None, ge=1, description="Epochs between two measurements; nothing: at the end alone.")

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if not (self.top or self.trace):
            raise ValueError("top and trace are both 0: ask for at least one of them")
        return self

    def smoke(self) -> Self:
        """Return the smallest version that still takes every figure this one takes."""
        changes = {"top": min(self.top, 1), "trace": min(self.trace, 2), "examples": min(self.examples, 8)}
        return self.model_copy(update=changes)
