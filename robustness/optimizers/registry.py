"""The optimizers, a row each; names, the study schema, README's table and the exports are made of them.

Another optimizer is a file with its class, its import here, and its row. Options load without torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from robustness.optimizers.adabound import AdaBoundOptions
from robustness.optimizers.adam import AdamOptions
from robustness.optimizers.adams import AdamSOptions
from robustness.optimizers.adamw import AdamWOptions
from robustness.optimizers.amsgrad import AMSGradOptions
from robustness.optimizers.base import Optimizer
from robustness.optimizers.padam import PadamOptions
from robustness.optimizers.radam import RAdamOptions
from robustness.optimizers.sgd import SGDEq1Options, SGDOptions, SGDSOptions
from robustness.optimizers.yogi import YogiOptions
from robustness.plugins import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Row:
    """An optimizer.

    Attributes:
        options: Its class of options, which has its name and makes its update rule and its torch form.
        title: What README's table calls it.
        update: Its equations: theta weights, g gradient, eta learning rate, lambda weight decay.
    """

    options: type[Optimizer]
    title: str
    update: str


ROWS: tuple[Row, ...] = (
    Row(AdamOptions, "Adam", "g ← g + λθ before the moments; θ ← θ − η m̂ / (√v̂ + ε)"),
    Row(AdamWOptions, "AdamW", "θ ← θ (1 − ηλ); θ ← θ − η m̂ / (√v̂ + ε)"),
    Row(
        AdamSOptions,
        "AdamS",
        "θ ← θ (1 − ηλ / √v̄); θ ← θ − η m̂ / (√v̂ + ε), v̄ the mean of v̂ over all parameters",
    ),
    Row(AMSGradOptions, "AMSGrad", "as Adam, with the running maximum of v for v"),
    Row(RAdamOptions, "RAdam", "as Adam, the step rectified by rₜ; θ ← θ − η m̂ while v rests on too few gradients"),
    Row(AdaBoundOptions, "AdaBound", "as Adam, each weight's rate clipped to bounds that close on `final_lr`"),
    Row(PadamOptions, "Padam", "as Adam, with (√v + ε)²ᵖ for √v + ε"),
    Row(YogiOptions, "Yogi", "as Adam, with v ← v − (1 − β₂) sign(v − g²) g²"),
    Row(SGDOptions, "SGD", "g ← g + λθ; b ← μb + g; θ ← θ − ηb"),
    Row(SGDEq1Options, "SGD, Eq. 1", "θ ← θ (1 − 0.1 λ); b ← μb + g; θ ← θ − ηb"),
    Row(SGDSOptions, "SGDS", "θ ← θ (1 − ηλ / (1 − μ)); b ← μb + g; θ ← θ − ηb"),
)

OPTIMIZERS: Registry[Optimizer] = Registry("robustness.optimizers", Optimizer, (row.options for row in ROWS))
"""By name, those of other packages included."""


def table() -> Iterator[tuple[str, str, str]]:
    """Yield the cells of README's table, an optimizer each: title, update and convention of the weight decay."""
    for row in ROWS:
        yield row.title, row.update, f"`{row.options.convention}`"


if not TYPE_CHECKING:  # a type checker takes every class that is imported here
    __all__ = ["OPTIMIZERS"]
    __all__ += [row.options.__name__ for row in ROWS]
