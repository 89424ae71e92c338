"""The same work three ways in one go: ours, a plain Ray Tune script, and a bare loop in as many processes as cores.

    python -m benchmarks.sweep [--study digits] [--plain 16] [--bare 48]

Each figure is seconds a run on this machine, Ray's own start given apart. The plain script and the bare loop train a
part of the grid, spread evenly over it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import sys
import tempfile
import time
from typing import TYPE_CHECKING

from benchmarks import plain_tune
from robustness.machine import cores
from robustness.study import Study
from robustness.sweep import ray_session, run

if TYPE_CHECKING:
    from robustness.study import Run


def main() -> int:
    """Measure and print; return 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--study", default="digits")
    parser.add_argument("--plain", type=int, default=16, help="runs of the plain Ray Tune script")
    parser.add_argument("--bare", type=int, default=48, help="runs of the bare loop")
    options = parser.parse_args()
    study = Study.load(options.study)
    grid = study.grid()

    bare = _bare_loop([grid[i * len(grid) // options.bare] for i in range(options.bare)])
    started = time.perf_counter()
    with ray_session.connect(None, verbose=False):
        start_up = time.perf_counter() - started
        ours = _ours(study)
        os.environ.pop("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", None)  # the documentation's script has the loggers
        plain = _plain(study, options.plain)

    print(f"{platform.processor() or platform.machine()}, {cores.usable()} cores; Ray's start: {start_up:.1f} s")
    print("| way | runs | s a run | ours is faster by |")
    print("|---|---|---|---|")
    print(f"| ours | {len(grid)} | {ours:.4f} | |")
    print(f"| plain Ray Tune script | {options.plain} | {plain:.3f} | {plain / ours:.1f} |")
    print(f"| bare loop, {cores.usable()} processes | {options.bare} | {bare:.3f} | {bare / ours:.1f} |")
    print(f"the whole study: {ours * len(grid):.1f} s and Ray's start")
    return 0 if plain / ours >= 40 and bare / ours >= 4 else 1


def _ours(study: Study) -> float:
    with tempfile.TemporaryDirectory() as results:
        started = time.perf_counter()
        sweep = run(study, results, quiet=True)
        assert sweep.trained == len(study.grid())
        return (time.perf_counter() - started) / sweep.trained


def _plain(study: Study, runs: int) -> float:
    started = time.perf_counter()
    assert plain_tune.sweep(study, runs) == runs
    return (time.perf_counter() - started) / runs


def _bare_loop(runs: list[Run]) -> float:
    processes = cores.usable()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        pool.map(_warm, range(processes), chunksize=1)
        started = time.perf_counter()
        pool.map(_train, runs, chunksize=1)
        return (time.perf_counter() - started) / len(runs)


def _warm(_: int) -> None:
    """Import torch before the clock runs: a bare loop pays for that once."""
    import torch

    torch.set_num_threads(1)
    time.sleep(1)


def _train(one: Run) -> int:
    import torch

    from robustness.training import train_single

    torch.set_num_threads(1)
    return int(train_single(one).epochs[0])


if __name__ == "__main__":
    sys.exit(main())
