"""How often the intervals hold what they should, by simulation of whole studies with known landscapes.

    python -m benchmarks.coverage [--studies 2000] [--seeds 3 5 10]

Every study has two optimizers on a 14 x 12 grid. Their true landscapes are drawn anew: paraboloids, flat valleys and
tilted valleys in log space, at random places and widths, each with a cliff towards large learning rates beyond which
runs diverge; where it is varies with the seed and from run to run. Each run's error is the truth, a seed's effect that
all cells share (0.2 points), one that an optimizer's cells share (0.1), and noise of its own (0.28), a third of it in
common with neighboring cells and growing with the error; validation errors correlate with the test errors of the same
runs by 0.4. These are the sizes measured on digits.

The truth of an interval is the measure of the true landscape; its depth that of the cell which the study chose.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from analysis.landscapes.by_seed import Replicates
from analysis.measures.contrasts import Contrasts
from analysis.measures.over_landscape import FORMULAS
from analysis.statistics.comparison import contrast
from robustness.claims.measures import measure as row_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LR = np.logspace(-4, 0.5, 14)
WEIGHT_DECAY = np.logspace(-5, 0, 12)
X, Y = np.meshgrid(np.log10(LR), np.log10(WEIGHT_DECAY))
CHANCE = 90.0
FAMILIES = ("paraboloid", "flat valley", "tilted valley")
DELTAS = (1.0, 2.0)
CORRELATION = 0.4
EDGE = (0.12, 0.12)
"""Decades by which the learning rate at which a run diverges varies: with the seed, and from run to run."""


@dataclass(frozen=True)
class Noise:
    """Standard deviations in points: of a seed, of a seed within an optimizer, of a single run."""

    seed: float = 0.2
    optimizer: float = 0.1
    run: float = 0.28


@dataclass(frozen=True, eq=False)
class Truth:
    """The true landscape of an optimizer, (W, L) each.

    Attributes:
        error: Error of runs that do not diverge, percent.
        edge: log10 of the learning rate at which half of the runs diverge, less the cell's own.
    """

    error: Floats
    edge: Floats

    @cached_property
    def lost(self) -> Floats:
        """Probability that a run diverges."""
        return np.asarray(stats.norm.sf(self.edge / np.hypot(*EDGE)))

    @cached_property
    def mean(self) -> Floats:
        """Expected error, a diverged run counting with that of chance."""
        return self.lost * CHANCE + (1 - self.lost) * self.error


def truth(
    random: np.random.Generator, family: str, *, width: float = 1.0, depth: float = 2.0, cliff: bool = True
) -> Truth:
    """Draw a landscape; `width` scales the basin's area, without a cliff no run diverges."""
    x = (X - random.uniform(-2.6, -1.6)) / (0.6 * np.sqrt(width) * random.uniform(0.9, 1.1))
    y = (Y - random.uniform(-3.3, -2.0)) / (0.9 * np.sqrt(width) * random.uniform(0.9, 1.1))
    if family == "tilted valley":
        x, y = x + 0.5 * y, y - 0.2 * x
    error = depth + x**2 + y**2
    if family == "flat valley":
        error = depth + 3 * np.maximum(np.hypot(x, y) - 1, 0) ** 2
    edge = random.uniform(-1.0, 0.5) - random.uniform(0.1, 0.5) * (Y + 2.5) if cliff else np.full(X.shape, 9.0)
    return Truth(np.minimum(error, CHANCE), edge - X)


def study(
    random: np.random.Generator, truths: dict[str, Truth], seeds: int, noise: Noise | None = None
) -> dict[str, Replicates]:
    """Return the landscapes that a study of these truths would have measured."""
    noise = noise or Noise()
    shared, place = (random.standard_normal((seeds, 1, 1)) for _ in range(2))
    found = {}
    for name, one in truths.items():
        own = noise.seed * shared + noise.optimizer * random.standard_normal((seeds, 1, 1))
        test, other = (_field(random, seeds) for _ in range(2))
        check = CORRELATION * test + np.sqrt(1 - CORRELATION**2) * other
        size = noise.run * (1 + 0.4 * np.minimum(one.error - one.error.min(), 5))
        edge = one.edge + EDGE[0] * place + EDGE[1] * random.standard_normal((seeds, *X.shape))
        values = {
            column: np.where(edge < 0, CHANCE, one.error + own + size * field)
            for column, field in (("test_error", test), ("validation_error", check))
        }
        found[name] = Replicates(name, LR, WEIGHT_DECAY, np.arange(seeds), values, (edge < 0).astype(np.float64))
    return found


def _field(random: np.random.Generator, seeds: int) -> Floats:
    """Return unit noise (S, W, L) of which a third is shared with the neighbors."""
    rough = random.standard_normal((seeds, len(WEIGHT_DECAY) + 1, len(LR) + 1))
    smooth = (rough[:, 1:, 1:] + rough[:, :-1, 1:] + rough[:, 1:, :-1] + rough[:, :-1, :-1]) / 2
    return np.asarray(np.sqrt(2 / 3) * random.standard_normal((seeds, *X.shape)) + np.sqrt(1 / 3) * smooth)


def expected(contrasts: Contrasts, truths: dict[str, Truth], measure: str, delta: float) -> float:
    """Return the true difference or ratio of the two optimizers, at the cells that the study chose."""
    best = contrasts.choices[contrasts.best or ""]
    assert best is not None
    sides = []
    for name, one in truths.items():
        scores = [truths[label].mean[contrasts.chosen[label]] for label in (name, contrasts.best or "")]
        true = replace(
            contrasts.means[name],
            mean=one.mean[None],
            best=np.array(scores[:1]),
            reference=np.array(scores[1:]),
            lost=one.lost[None],
            chooser=one.mean[None],
            picked=np.array([np.unravel_index(one.mean.argmin(), one.mean.shape)]),
        )
        sides.append(FORMULAS[measure].formula(true, delta))
    return float(contrast(sides[0], sides[1], row_of(measure).scale)[0])


def _depth_is_held(contrasts: Contrasts, truths: dict[str, Truth]) -> bool:
    true = [one.mean[contrasts.chosen[name]] for name, one in truths.items()]
    found = contrasts.compare("depth", "a", "b")
    return bool(found.low <= true[0] - true[1] <= found.high)


def coverage(studies: int, seeds: int, families: tuple[str, ...] = FAMILIES) -> dict[str, float]:
    """Return measure -> share of studies whose 95 % interval holds the truth."""
    hits: dict[str, list[bool]] = {}
    for number in range(studies):
        random = np.random.default_rng([seeds, number])
        kinds = random.choice(families, 2)
        truths = {
            name: truth(random, kind, width=random.uniform(1, 1.5)) for name, kind in zip("ab", kinds, strict=True)
        }
        contrasts = Contrasts(study(random, truths, seeds), chance=CHANCE, draws=512)
        hits.setdefault("depth", []).append(_depth_is_held(contrasts, truths))
        for measure in FORMULAS:
            kind = row_of(measure)
            for delta in DELTAS if kind.basin else (0.0,):
                found = contrasts.compare(measure, "a", "b", delta=delta)
                true = expected(contrasts, truths, measure, delta)
                if found.known and np.isfinite(true):
                    key = f"{measure}, {delta:g}" if kind.basin else measure
                    hits.setdefault(key, []).append(found.low - 1e-9 <= true <= found.high + 1e-9)
    return {key: float(np.mean(values)) for key, values in hits.items()}


def main() -> None:
    """Print the table of docs/claims.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[3, 5, 10])
    parser.add_argument("--family", nargs="+", default=list(FAMILIES))
    options = parser.parse_args()
    columns = {n: coverage(options.studies, n, tuple(options.family)) for n in options.seeds}
    print(f"| measure | {' | '.join(f'{n} seeds' for n in columns)} |")
    print("|---|" + "---|" * len(columns))
    for key in next(iter(columns.values())):
        print(f"| {key} | {' | '.join(f'{100 * found[key]:.1f}' for found in columns.values())} |")


if __name__ == "__main__":
    main()
