"""A million runs: reading them, and drawing and measuring their landscapes, stage by stage.

    python -m benchmarks.million

The store is synthetic: 3 optimizers x 100 x 100 cells x 33 to 34 seeds in 340 Parquet parts. Making it is not timed.
Every way runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable

SIDE, RUNS, SEEDS, PARTS_A_SEED = 100, 1_000_000, 34, 10


def main() -> int:
    """Make the store, then measure ours and the peer on it, each in a fresh process."""
    if sys.argv[1:2] in (["ours"], ["peer"]):
        {"ours": ours, "peer": peer}[sys.argv[1]](Path(sys.argv[2]))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "million"
        make(root)
        print("| way | stage | s | CPU s | peak memory, MB |\n|---|---|---|---|---|", flush=True)
        for way in ("peer", "ours"):
            subprocess.run([sys.executable, "-m", "benchmarks.million", way, str(root)], check=True)
    return 0


def make(root: Path, runs: int = RUNS, side: int = SIDE) -> None:
    """Write a store of `runs` synthetic runs on a grid of `side` x `side` cells."""
    from robustness.results import Store
    from tests.support import synthetic

    store, left, seed = Store(root), runs, 0
    lr, decay = tuple(np.logspace(-4, -0.5, side)), tuple(np.logspace(-5, -1, side))
    while left:
        rows = synthetic.runs(lr=lr, weight_decay=decay, seeds=(seed,)).head(left)
        noise = np.random.default_rng(seed).normal(0.0, 0.1, len(rows))
        rows["test_error"] = rows["test_error"] + np.where(rows["status"] == "completed", noise, 0.0)
        rows["run_id"] = rows["run_id"] + f"{seed:04x}"
        # Workers finish cells in no order of the table.
        rows = rows.sample(frac=1, random_state=seed)
        for part in np.array_split(np.arange(len(rows)), PARTS_A_SEED):
            chunk = rows.iloc[part]
            table = pa.Table.from_pandas(chunk, preserve_index=False)
            store.write(store.part_name(chunk["run_id"]), table, [])
        left, seed = left - len(rows), seed + 1


class Stages:
    """Prints each stage's seconds, those of the processor, and the process's peak memory so far."""

    def __init__(self, way: str) -> None:
        self.way, self.seconds, self.busy = way, 0.0, 0.0

    def __call__(self, name: str, call: Callable[[], Any]) -> Any:
        """Time a call and return what it returns."""
        started = time.perf_counter(), time.process_time()
        result = call()
        seconds, busy = time.perf_counter() - started[0], time.process_time() - started[1]
        self.seconds, self.busy = self.seconds + seconds, self.busy + busy
        self._row(name, seconds, busy)
        return result

    def total(self, name: str) -> None:
        """Print the sum of all stages."""
        self._row(name, self.seconds, self.busy)

    def _row(self, name: str, seconds: float, busy: float) -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"| {self.way} | {name} | {seconds:.2f} | {busy:.2f} | {peak:.0f} |", flush=True)


def ours(root: Path) -> None:
    """Load, label, aggregate, draw and measure."""
    stage = Stages("ours")
    stage("import", _import)
    from analysis.figures import basins
    from analysis.landscapes.labels import label
    from analysis.landscapes.landscape import landscapes
    from analysis.measures.contrasts import Contrasts
    from robustness import load

    runs = stage("load", lambda: load(root).runs)
    labelled = stage("label", lambda: label(runs))
    maps = stage("landscapes", lambda: landscapes(labelled))
    drawing = stage("basins", lambda: basins(maps))
    text = stage("basins as JSON", drawing.figure.to_json)
    stage.total(f"all: {len(runs)} runs, {len(text) / 1e6:.1f} MB of JSON")
    contrasts = stage("seeds in pairs", lambda: Contrasts.of_runs(labelled))
    pairs = [(name, kind) for name in ("depth", "basin_area", "profile_auc") for kind in ("adamw", "adam")]
    stage("six intervals", lambda: [contrasts.compare(name, "adams", rival, delta=1.0) for name, rival in pairs])


def _import() -> None:
    import analysis.figures  # noqa: F401
    import robustness.results  # noqa: F401


def peer(root: Path) -> None:
    """Do what a person would write: read all files, and take each cell's mean."""
    stage = Stages("pandas")
    keys = ["optimizer", "weight_decay", "lr"]
    runs = stage("read_parquet", lambda: pd.read_parquet(root / "runs"))
    stage("groupby mean", runs.groupby(keys)["test_error"].mean)
    narrow = [*keys, "test_error"]
    few = stage("read_parquet, four columns", lambda: pd.read_parquet(root / "runs", columns=narrow))
    stage.total(f"all: {len(few)} runs")


if __name__ == "__main__":
    sys.exit(main())
