"""The samplers of a search, a row each: lists, the study schema and what may be said of their cells are made of them.

Another sampler is a row here. Optuna is loaded when a row makes its sampler.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import optuna


@dataclass(frozen=True)
class Row:
    """A sampler.

    Attributes:
        name: What it is called in study files and in the column `sampler` of the results.
        title: What it is called in sentences.
        make: Makes Optuna's sampler of a seed, 0 or more.
        learns: Whether it chooses by the cells before: it waits for outcomes, and its cells crowd where it looks.
        even: Whether its cells are spread log-uniformly over the box, so that shares of them estimate areas.
    """

    name: str
    title: str
    make: Callable[[int], optuna.samplers.BaseSampler]
    learns: bool = False
    even: bool = False

    def sampler(self, known: int) -> optuna.samplers.BaseSampler:
        """Return Optuna's sampler of a search that begins with `known` finished cells.

        One that learns gets another seed for each number of known cells, or an interrupted search would draw the same
        start-up cells again. The others must repeat their cells, and go on after them.
        """
        import optuna

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return self.make(known if self.learns else 0)


def _optuna(name: str, **options: Any) -> Callable[[int], optuna.samplers.BaseSampler]:
    """Return what makes one of Optuna's samplers of a seed."""

    def make(seed: int) -> optuna.samplers.BaseSampler:
        import optuna

        made: optuna.samplers.BaseSampler = getattr(optuna.samplers, name)(seed=seed, **options)
        return made

    return make


ROWS: tuple[Row, ...] = (
    Row("tpe", "TPE", _optuna("TPESampler", multivariate=True, constant_liar=True), learns=True),
    Row("gp", "Gaussian process", _optuna("GPSampler", deterministic_objective=False), learns=True),
    Row("cmaes", "CMA-ES", _optuna("CmaEsSampler"), learns=True),
    Row("qmc", "quasi-Monte Carlo", _optuna("QMCSampler", scramble=True), even=True),
    Row("random", "random", _optuna("RandomSampler"), even=True),
)

SAMPLERS: dict[str, Row] = {row.name: row for row in ROWS}
"""By name."""

LEARNING: tuple[str, ...] = tuple(row.name for row in ROWS if row.learns)
"""Those whose cells crowd around the optimum, so that they say nothing of an area."""

EVEN: tuple[str, ...] = tuple(row.name for row in ROWS if row.even)
"""Those that draw cells log-uniformly, without looking at results."""
