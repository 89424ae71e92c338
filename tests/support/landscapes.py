"""Landscapes of which every number is known: a function of (log10 learning rate, log10 weight decay)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.claims.judge import judge, questions
from analysis.landscapes.by_seed import Replicates
from analysis.measures import over_landscape
from analysis.measures.contrasts import Contrasts
from robustness.claims.measures import MEASURES

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    from analysis.claims.verdict import Verdict
    from robustness.study import Claim

    Floats = NDArray[np.float64]
    Truth = Callable[[Floats, Floats], Floats]

CHANCE = 90.0
OVER_LANDSCAPE = {name: MEASURES[name] for name in over_landscape.FORMULAS}
"""The rows of the measures over a landscape."""
X, Y = (-4.0, 0.0), (-5.0, -1.0)
"""The box: log10 of the outer edges of its cells."""


def middles(ends: tuple[float, float], points: int) -> Floats:
    """Return the middles of `points` equal cells between two ends."""
    width = (ends[1] - ends[0]) / points
    return np.asarray(ends[0] + width * (np.arange(points) + 0.5))


def paraboloid(x: float = -2.0, y: float = -3.0, a: float = 0.5, b: float = 0.7, depth: float = 2.0) -> Truth:
    return lambda u, v: depth + ((u - x) / a) ** 2 + ((v - y) / b) ** 2


def one(
    truth: Truth,
    label: str = "a",
    *,
    x: Floats | None = None,
    y: Floats | None = None,
    points: int = 40,
    zero: float | Floats | None = None,
    seeds: int = 1,
    effect: Floats | None = None,
    noise: float = 0.0,
    diverges: float = np.inf,
    validation: bool = True,
    stream: int = 0,
) -> Replicates:
    """Return the landscape of one optimizer.

    Args:
        truth: (log10 lr, log10 weight decay) -> error, percent; chance at most.
        label: Its name.
        x: (L,) log10 of the learning rates.
        y: (W,) log10 of the weight decays above 0.
        points: As many of each, where they are not given.
        zero: Error at a weight decay of 0, of all or of each learning rate; None without that row.
        seeds: Their number.
        effect: (S,) points that a seed adds in every cell.
        noise: Standard deviation of each run, points.
        diverges: Error from which on a run diverges.
        validation: Whether there is a validation split; without noise it gives the same error.
        stream: Number of the random sequence.
    """
    x = middles(X, points) if x is None else x
    y = middles(Y, points) if y is None else y
    error = truth(*np.meshgrid(x, y))
    if zero is not None:
        error, y = np.vstack([np.broadcast_to(zero, len(x)), error]), np.concatenate([[-np.inf], y])
    random = np.random.default_rng([7, stream])
    effect = np.zeros(seeds) if effect is None else effect
    test, check = (
        error + effect[:, None, None] + noise * random.standard_normal((seeds, *error.shape)) for _ in range(2)
    )
    lost = test >= diverges
    values = {
        "test_error": np.where(lost, CHANCE, np.minimum(test, CHANCE)),
        "validation_error": np.where(lost, CHANCE, np.minimum(check, CHANCE)) if validation else np.nan * test,
    }
    values["train_loss"] = np.where(lost, np.nan, values["test_error"] / 30)
    return Replicates(label, 10**x, 10**y, np.arange(seeds), values, lost.astype(np.float64))


def without(landscape: Replicates, runs: Any) -> Replicates:
    """Return the landscape with some runs missing: an index of (S, W, L)."""

    def cut(values: Floats) -> Floats:
        values = values.copy()
        values[runs] = np.nan
        return values

    values = {name: cut(each) for name, each in landscape.values.items()}
    return Replicates(
        landscape.label, landscape.lr, landscape.weight_decay, landscape.seeds, values, cut(landscape.lost)
    )


def contrasts(*landscapes: Replicates, draws: int = 512, **options: Any) -> Contrasts:
    return Contrasts({each.label: each for each in landscapes}, **{"chance": CHANCE, **options}, draws=draws)


def judged(found: Contrasts, claim: Claim, runs: pd.DataFrame, *, workload: str = "digits") -> Verdict:
    """Return the verdict of a study on a claim, whose questions are asked first."""
    answers = found.answers(questions(claim, found.labels, runs))
    return judge(claim, answers, runs, study="s", workload=workload, made_for=True)
