"""How often the rules of verdicts decide: wrongly, where there is nothing to find, and rightly, where there is.

    python -m benchmarks.verdicts [--studies 1000] [--seeds 3 5 10]

Null: three optimizers with one and the same true landscape, each with noise of its own, as an optimizer under three
names would have; every claim that such a study can answer. Power: a basin 1.5 times as wide as its rival's, or half a
point deeper, at two sizes of noise: that of digits (0.28 points a run), and 0.15, within what the paper's tables give
for CIFAR-10 (0.02 to 0.25). The studies are those of benchmarks.coverage.
"""

from __future__ import annotations

import argparse
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.claims.judge import judge, questions
from analysis.landscapes.by_seed import in_cells
from analysis.measures.contrasts import Contrasts
from analysis.measures.per_seed import shared
from analysis.measures.study_landscapes import StudyLandscapes
from benchmarks.coverage import CHANCE, FAMILIES, Noise, study, truth
from robustness.claims.claim import Where
from robustness.study import Claim, paper_claims

if TYPE_CHECKING:
    from analysis.claims.verdict import Outcome
    from analysis.landscapes.by_seed import Replicates
    from benchmarks.coverage import Truth

NAMES = ("adams", "adamw", "adam")
COLUMNS = ("train_loss", "grad_norm", "grad_norm_sq", "root_mean_v", "duration_s", "best_test_error")
DELTAS = (1.0, 2.0)
EPOCHS = 20


def fill(random: np.random.Generator, found: dict[str, Replicates]) -> None:
    """Give every run the other columns that claims read: log-normal, and alike for all optimizers and cells."""
    for one in found.values():
        for column in COLUMNS:
            one.values[column] = np.exp(0.2 * random.standard_normal(one.lost.shape))
        one.values["best_test_error"] = one.values["test_error"] - 0.1
        # A loss that goes with the error, so that what is judged by it has the error's noise.
        for split in ("test", "validation"):
            one.values[f"{split}_loss"] = one.values[f"{split}_error"] / 30


def table(found: dict[str, Replicates]) -> pd.DataFrame:
    """Return the runs table as far as the rules read it."""
    frames = []
    for name, one in found.items():
        seed, decay, lr = (axis.ravel() for axis in np.meshgrid(one.seeds, one.weight_decay, one.lr, indexing="ij"))
        values = {column: grid.ravel() for column, grid in one.values.items()}
        ids = [f"{name} {number}" for number in range(len(seed))]
        status = np.where(one.lost.ravel() == 1, "diverged", "completed")
        identity = {"run_id": ids, "optimizer": name, "label": name, "lr": lr, "weight_decay": decay, "seed": seed}
        frames.append(pd.DataFrame(identity | values | {"status": status}))
    runs = pd.concat(frames, ignore_index=True)
    return runs.assign(workload="simulated", workload_options="{}", engine="stack", sampler="grid")


def curves(random: np.random.Generator, simulated: StudyLandscapes, runs: pd.DataFrame) -> pd.DataFrame:
    """Return the last curves of the runs in both basins, in which test error follows training loss alike for all."""
    first, second = simulated.labels[:2]
    here = in_cells(runs, simulated.replicates[first], shared(simulated, first, second))
    ids = runs.loc[here, "run_id"].to_numpy()
    shape = len(ids), EPOCHS
    loss = np.exp(-np.arange(1, EPOCHS + 1) / 8 + 0.1 * random.standard_normal(shape))
    error = 3 + np.log10(loss) + 0.2 * random.standard_normal((len(ids), 1)) + 0.1 * random.standard_normal(shape)
    epochs = np.tile(np.arange(1, EPOCHS + 1), len(ids))
    values = {"epoch": epochs, "train_loss": loss.ravel(), "test_error": error.ravel()}
    return pd.DataFrame({"run_id": np.repeat(ids, EPOCHS)} | values)


def verdicts(
    random: np.random.Generator, truths: dict[str, Truth], seeds: int, claims: list[Claim], noise: Noise
) -> dict[str, Outcome]:
    """Return claim -> outcome of one simulated study."""
    found = study(random, truths, seeds, noise)
    fill(random, found)
    runs = table(found)
    landscapes = StudyLandscapes(found, chance=CHANCE)
    last = curves(random, landscapes, runs)
    contrasts = Contrasts(found, chance=CHANCE, runs=runs, curves=last, draws=512)
    answers = contrasts.answers(each for claim in claims for each in questions(claim, contrasts.labels, runs, DELTAS))
    return {
        claim.id: judge(
            claim, answers, runs, study="simulated", workload="simulated", made_for=True, deltas=DELTAS
        ).outcome
        for claim in claims
    }


def null(studies: int, seeds: int) -> dict[str, float]:
    """Return claim -> share of studies of one landscape under three names in which it is undecided."""
    # Conditions on the workload say when a claim is asked, not how it is judged.
    claims = [claim.model_copy(update={"where": Where()}) for claim in paper_claims().values()]
    counts: dict[str, Counter[str]] = {claim.id: Counter() for claim in claims}
    for number in range(studies):
        random = np.random.default_rng([seeds, number, 1])
        one = truth(random, str(random.choice(FAMILIES)))
        outcomes = verdicts(random, dict.fromkeys(NAMES, one), seeds, claims, Noise())
        for name, outcome in outcomes.items():
            counts[name][outcome] += 1
    return {name: count["undecided"] / studies for name, count in counts.items() if not count["no data"]}


def power(studies: int, seeds: int, noise: Noise) -> dict[str, float]:
    """Return what is true -> share of studies that find it, against one rival."""
    wide = Claim(id="wider", sentence="wider", measure="basin_area", of="a", against="b", direction="greater")
    deep = Claim(id="deeper", sentence="deeper", measure="depth", of="a", against="b", direction="less")
    hits = Counter[str]()
    for number in range(studies):
        random = np.random.default_rng([seeds, number, 2])
        for claim, width, depth in ((wide, 1.5, 2.0), (deep, 1.0, 1.5)):
            kind = str(random.choice(FAMILIES))
            # Far from the cliff and the box's edge, which would rightly leave it undecided; as wide at every delta.
            pair = [truth(np.random.default_rng([seeds, number]), kind, width=w, depth=d, cliff=False)
                    for w, d in ((width, depth), (1.0, 2.0))]  # fmt: skip
            outcome = verdicts(random, dict(zip("ab", pair, strict=True)), seeds, [claim], noise)
            hits[claim.id] += outcome[claim.id] == "reproduced"
    return {name: hits[name] / studies for name in ("wider", "deeper")}


def main() -> None:
    """Print the tables of docs/claims.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[3, 5, 10])
    options = parser.parse_args()
    columns = {n: null(options.studies, n) for n in options.seeds}
    heads = " | ".join(f"{n} seeds" for n in columns)
    print(f"| claim, undecided of 100 | {heads} |\n|---|{'---|' * len(columns)}")
    for name in next(iter(columns.values())):
        print(f"| `{name}` | {' | '.join(f'{100 * found[name]:.1f}' for found in columns.values())} |")
    print(f"\n| decided of 100 | {heads} |\n|---|{'---|' * len(columns)}")
    for words, noise in (("digits' noise, 0.28", Noise()), ("0.15", Noise(0.1, 0.05, 0.15))):
        powers = [power(options.studies, n, noise) for n in options.seeds]
        for name, what in (("wider", "1.5 times as wide"), ("deeper", "half a point deeper")):
            print(f"| {what}, {words} | {' | '.join(f'{100 * found[name]:.1f}' for found in powers)} |")


if __name__ == "__main__":
    main()
