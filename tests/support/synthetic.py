"""Tables with the columns of a result store: paraboloid basins whose measures are known in closed form."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHANCE = 90.0
WORKLOAD_OPTIONS = json.dumps({"batch_size": 64, "engine": "stack", "epochs": 20, "width": 32})


@dataclass(frozen=True)
class Basin:
    """Error: depth + ((log10 lr - x) / a)^2 + ((log10 wd - y) / b)^2; within d: area pi a b d decades^2."""

    depth: float = 2.0
    x: float = -2.5
    y: float = -3.0
    a: float = 0.5
    b: float = 0.7
    convention: str = "scheduled"
    options: dict[str, Any] = field(default_factory=lambda: {"betas": [0.9, 0.999], "eps": 1e-8})

    def error(self, lr: NDArray[np.float64], weight_decay: NDArray[np.float64]) -> NDArray[np.float64]:
        y = np.log10(np.where(weight_decay > 0, weight_decay, 10 ** (self.y - 1.5 * self.b)))
        value = self.depth + ((np.log10(lr) - self.x) / self.a) ** 2 + ((y - self.y) / self.b) ** 2
        return np.minimum(value, CHANCE)


DEMO = {
    "adam": Basin(2.6, -2.6, -3.4, 0.55, 0.8, "l2"),
    "adamw": Basin(2.3, -2.8, -3.9, 0.5, 0.6, "decoupled"),
    "adams": Basin(2.1, -2.4, -2.9, 0.6, 1.0, "scheduled"),
}
LR = tuple(float(f"{v:.6g}") for v in np.logspace(-4, -0.5, 12))
WEIGHT_DECAY = (0.0, *(float(f"{v:.6g}") for v in np.logspace(-5, -1, 11)))


def runs(
    basins: dict[str, Basin] | None = None,
    *,
    lr: tuple[float, ...] = LR,
    weight_decay: tuple[float, ...] = WEIGHT_DECAY,
    seeds: int | tuple[int, ...] = 3,
    noise: float = 0.15,
    diverges: float = 40.0,
    validation: bool = True,
) -> pd.DataFrame:
    """Return one row a run; a run whose noiseless error passes `diverges` has diverged."""
    basins = DEMO if basins is None else basins
    seeds = tuple(range(seeds)) if isinstance(seeds, int) else seeds
    frames = []
    for number, (name, basin) in enumerate(basins.items()):
        wd, eta, seed = (
            a.ravel() for a in np.meshgrid(np.array(weight_decay), np.array(lr), np.array(seeds), indexing="ij")
        )
        frames.append(
            rows_of(
                name,
                basin,
                number,
                eta=eta,
                wd=wd,
                seed=seed,
                noise=noise,
                diverges=diverges,
                validation=validation,
            )
        )
    return pd.concat(frames, ignore_index=True)


def sampled(cells: int = 40, seeds: int = 2, basins: dict[str, Basin] | None = None) -> pd.DataFrame:
    """Return runs at points drawn log-uniformly in the box of `LR` x `WEIGHT_DECAY`, as a search would."""
    frames = []
    for number, (name, basin) in enumerate((basins or DEMO).items()):
        random = np.random.default_rng(number)
        eta = np.repeat(10 ** random.uniform(-4, -0.5, cells), seeds)
        wd = np.repeat(10 ** random.uniform(-5, -1, cells), seeds)
        seed = np.tile(np.arange(seeds), cells)
        frames.append(rows_of(name, basin, number, eta=eta, wd=wd, seed=seed).assign(sampler="tpe"))
    return pd.concat(frames, ignore_index=True)


def rows_of(
    name: str,
    basin: Basin,
    number: int,
    *,
    eta: NDArray[np.float64],
    wd: NDArray[np.float64],
    seed: NDArray[np.int64],
    noise: float = 0.15,
    diverges: float = 40.0,
    validation: bool = True,
) -> pd.DataFrame:
    """Return the runs of one optimizer, each a row: its map at (eta, wd, seed), with the noise of its number."""
    random = np.random.default_rng(number)
    truth = basin.error(eta, wd)
    diverged = truth > diverges
    test, check = (
        np.where(diverged, CHANCE, np.clip(truth + noise * random.standard_normal(len(eta)), 0, CHANCE))
        for _ in range(2)
    )
    ids = [f"{number:04x}{i:012x}" for i in range(len(eta))]
    loss = np.where(diverged, np.nan, test / 30)
    return pd.DataFrame(
        {
            "run_id": ids,
            "cell_id": [hashlib.sha256(f"{name}{a}{b}".encode()).hexdigest()[:16] for a, b in zip(eta, wd, strict=True)]
            if len(eta) < 20_000
            else ids,
            "workload": "digits",
            "workload_options": WORKLOAD_OPTIONS,
            "optimizer": name,
            "optimizer_options": json.dumps(basin.options),
            "convention": basin.convention,
            "lr": eta,
            "weight_decay": wd,
            "weight_decay_native": wd / 1e-3 if basin.convention == "decoupled" else wd,
            "seed": seed.astype(np.int64),
            "engine": "stack",
            "status": np.where(diverged, "diverged", "completed"),
            "reason": np.where(diverged, np.array("loss is not finite", object), np.array(None, object)),
            "metric": "error",
            "baseline": CHANCE,
            "epochs": np.where(diverged, 3, 20).astype(np.int32),
            "steps": np.int64(280),
            "parameters": np.int64(3466),
            "train_loss": loss / 2,
            "train_error": np.where(diverged, np.nan, test / 2),
            "validation_loss": loss if validation else np.nan,
            "validation_error": np.where(diverged, np.nan, check) if validation else np.nan,
            "test_loss": loss,
            "test_error": np.where(diverged, np.nan, test),
            "best_epoch": np.int32(18),
            "best_validation_error": np.where(diverged, np.nan, check) if validation else np.nan,
            "test_error_at_best": np.where(diverged, np.nan, test),
            "best_test_error": np.where(diverged, np.nan, test),
            "grad_norm": np.where(diverged, np.nan, 0.3),
            "grad_norm_sq": np.where(diverged, np.nan, 0.12),
            "weight_norm": np.where(diverged, np.nan, 9.0),
            "effective_decay": np.where(diverged | (basin.convention == "l2"), np.nan, wd * 3),
            "root_mean_v": np.where(diverged, np.nan, 0.02),
            "label": None,
            "sampler": "grid",
            "stack_size": np.int32(108),
            "duration_s": 0.05,
            "device": "cpu",
            "host": "localhost",
            "finished_at": pd.Timestamp("2024-05-01T12:00:00Z"),
            "torch_version": "2.11.0",
            "code_version": "0.1.0",
            "code": None,
            "arithmetic": "eager",
            "origin": "sweep",
            "copied_from": None,
        }
    )


def failed(runs: pd.DataFrame, mask: NDArray[np.bool_] | pd.Series) -> pd.DataFrame:
    """Return `runs` with the rows of `mask` failed: no outcome, a reason."""
    runs = runs.copy()
    outcome = runs.loc[:, "train_loss":"root_mean_v"].columns
    runs.loc[mask, outcome.drop("best_epoch")] = np.nan
    runs.loc[mask, "status"], runs.loc[mask, "reason"], runs.loc[mask, "epochs"] = "failed", "out of memory", 0
    return runs


def curves(runs: pd.DataFrame, epochs: int = 20) -> pd.DataFrame:
    """Return one row a run and epoch: errors that fall from chance to the run's last one."""
    rows = runs[runs["status"] != "failed"]
    last = np.where(rows["status"] == "diverged", 3, epochs)
    table = rows.loc[rows.index.repeat(last)].reset_index(drop=True)
    epoch = np.concatenate([np.arange(1, n + 1) for n in last]) if len(last) else np.zeros(0, dtype=int)
    share = np.exp(-(epoch - 1) / 3.0)
    error = table["test_error"].fillna(CHANCE)
    error = error + (CHANCE - error) * share * (epoch < epochs)
    return pd.DataFrame(
        {
            "run_id": table["run_id"],
            "epoch": epoch.astype(np.int32),
            "lr": table["lr"] * np.where(epoch > 8, 0.1, 1.0),
            "train_loss": error / 40,
            "train_error": error / 2,
            "validation_loss": error / 30,
            "validation_error": error,
            "test_loss": error / 30,
            "test_error": error,
            "grad_norm": 0.3 + 2 * share,
            "grad_norm_sq": (0.3 + 2 * share) ** 2,
            "weight_norm": 9.0 - share,
            "update_norm": 0.5 * share,
            "effective_decay": np.where(
                table["convention"] == "l2", np.nan, table["weight_decay_native"] / (0.02 + 0.1 * share)
            ),
            "root_mean_v": 0.02 + 0.1 * share,
        }
    )
