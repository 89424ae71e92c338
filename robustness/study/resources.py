"""What a study's stacks are given on the cluster."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, Strict

from robustness.options import Model
from robustness.validation.messages import show
from robustness.validation.numbers import Whole
from robustness.validation.problems import refusal, refuse


def _stack_size(raw: object) -> object:
    if raw == "auto" or (isinstance(raw, int) and not isinstance(raw, bool) and raw >= 1):
        return raw
    raise refuse(refusal(f"must be auto or a whole number of at least 1, got {show(raw)}"))


def _gpus(raw: object) -> object:
    if raw == "auto" or (isinstance(raw, (int, float)) and not isinstance(raw, bool) and 0 <= raw < math.inf):
        return raw
    raise refuse(refusal(f"must be auto or a number of at least 0, got {show(raw)}"))


class CheckpointPolicy(Model):
    """When a training that takes long is set down, so that one that is killed goes on from there.

    Where both are given, whichever comes first; where neither is, never.
    """

    minutes: Annotated[float, Strict()] | None = Field(
        10.0, gt=0, description="Minutes after which the state is written at the end of an epoch; null for never."
    )
    epochs: Whole | None = Field(None, ge=1, description="Epochs after which it is written; never if absent.")

    @property
    def kept(self) -> bool:
        """Whether checkpoints are written at all."""
        return self.minutes is not None or self.epochs is not None


class Resources(Model):
    """What a stack is given on the cluster; none of it changes a result."""

    cpus: Annotated[float, Strict()] = Field(1.0, gt=0, description="CPU cores for each stack.")
    gpus: Annotated[float | Literal["auto"], BeforeValidator(_gpus)] = Field(
        "auto", description="GPUs for each stack, a fraction shares one; auto is 1 where there are any, else 0."
    )
    stack_size: Annotated[int | Literal["auto"], BeforeValidator(_stack_size)] = Field(
        "auto", description="Runs given to a worker together; auto fills every core or GPU, for some minutes at most."
    )
    max_concurrent: Whole | None = Field(None, ge=1, description="Most stacks at a time; no limit if absent.")
    retries: Whole = Field(
        2, ge=0, description="How often a stack that failed is tried again; lost nodes do not count."
    )
    checkpoint: CheckpointPolicy = Field(
        CheckpointPolicy(), description="When a long training is set down in the study's results."
    )
