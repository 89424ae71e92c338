"""Ten thousand runs of 50 ms each: what the sweep costs beyond them, and what their results cost to open.

    python -m benchmarks.scale [--runs 10000] [--engine single stack] [--json FILE]

The same `train_single` in a bare loop, in as many processes as a sweep has slots, is the peer; torch is imported and
Ray is started before any clock runs. The driver's resident memory is sampled every second. Each engine has a process of
its own, for its driver's memory.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil

from benchmarks.dummy import Dummy
from robustness import Store, Study, load
from robustness.machine import cores
from robustness.results import compact
from robustness.sweep import ray_session, run

if TYPE_CHECKING:
    from robustness.study import Run
    from robustness.workloads.base import Engine

SEEDS, DECAYS = 10, 5
DRIVER_MB, OVERHEAD_MS = 1500, 10


def main() -> int:
    """Measure and print; return 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=10_000, help=f"a multiple of {SEEDS * DECAYS}")
    parser.add_argument("--bare", type=int, default=400, help="runs of the bare loop")
    parser.add_argument("--engine", nargs="+", choices=("single", "stack"), default=["single", "stack"])
    parser.add_argument("--json", type=Path, help="write the figures here, with every sample of the memory")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        options.json.write_text(json.dumps(measure(options.engine[0], options.runs, options.bare)), "utf-8")
        return 0
    print(f"{platform.processor() or platform.machine()}, {cores.usable()} cores, Python {platform.python_version()}")
    print(", ".join(f"{name} {version(name)}" for name in ("ray", "torch", "pyarrow")))
    found = []
    for engine in options.engine:
        found.append(_in_a_process(engine, options.runs, options.bare))
        print(f"\n{table(found[-1])}", flush=True)
        if options.json:
            options.json.write_text(json.dumps(found, indent=2), "utf-8")
    kept = [each["overhead_ms"] < OVERHEAD_MS and max(each["memory_mb"]) < DRIVER_MB for each in found]
    return 0 if all(kept) else 1


def _in_a_process(engine: str, runs: int, bare: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "found.json"
        arguments = ["--alone", "--engine", engine, "--runs", str(runs), "--bare", str(bare), "--json", str(out)]
        subprocess.run([sys.executable, "-m", "benchmarks.scale", *arguments], check=True)
        found: dict[str, Any] = json.loads(out.read_text("utf-8"))
        return found


def study(engine: Engine, runs: int) -> Study:
    """Return a study of that many runs of the dummy, on one core each."""
    if runs % (SEEDS * DECAYS):
        raise SystemExit(f"--runs must be a multiple of {SEEDS * DECAYS}, got {runs}")
    rates = runs // (SEEDS * DECAYS)
    return Study(
        name="scale",
        workload=Dummy(engine=engine),
        optimizers=["adam"],
        space={"lr": [1e-3 * (1 + i) for i in range(rates)], "weight_decay": [0, 1e-5, 1e-4, 1e-3, 1e-2]},
        seeds=SEEDS,
        resources={"gpus": 0},
    )


def measure(engine: Engine, runs: int, bare: int) -> dict[str, Any]:
    """Return the figures of one engine; seconds and megabytes."""
    asked, load_before = study(engine, runs), os.getloadavg()[0]
    alone = study("single", runs).grid()
    slots = cores.usable()
    some = [alone[i * len(alone) // bare] for i in range(bare)]
    before = bare_loop(some)
    with tempfile.TemporaryDirectory() as results:
        with ray_session.connect(None, verbose=False), Memory() as memory:
            started, cpu_before = time.perf_counter(), _processor_s()
            sweep = run(asked, results)
            seconds, cpu = time.perf_counter() - started, _processor_s() - cpu_before
        assert sweep.trained == runs, f"{sweep.trained} of {runs} runs were trained"
        opened = _opening(results, runs)
    # Before and after: on a machine with other work the two differ.
    bare_s, bare_cpu_s = ((a + b) / 2 for a, b in zip(before, bare_loop(some), strict=True))
    return {
        "engine": engine,
        "runs": runs,
        "load": load_before,
        "seconds": seconds,
        "slots": slots,
        "a_run_ms": 1000 * slots * seconds / runs,
        "bare_ms": 1000 * slots * bare_s,
        "overhead_ms": 1000 * slots * (seconds / runs - bare_s),
        "cpu_ms": 1000 * cpu / runs,
        "bare_cpu_ms": 1000 * bare_cpu_s,
        "memory_mb": memory.samples,
        **opened,
    }


def bare_loop(runs: list[Run]) -> tuple[float, float]:
    """Return the seconds, of the clock and of the processor, that a run takes in as many processes as cores."""
    processes = cores.usable()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        pool.map(_warm, range(processes), chunksize=1)
        started = time.perf_counter()
        cpu = pool.map(_train, runs, chunksize=8)
        return (time.perf_counter() - started) / len(runs), statistics.mean(cpu)


def _warm(_: int) -> None:
    """Import torch before the clock runs: a bare loop pays for that once."""
    from robustness.training import warm_up

    warm_up(Dummy())
    time.sleep(1)


def _train(one: Run) -> float:
    from robustness.training import train

    started = time.process_time()
    train([one], device="cpu")
    return time.process_time() - started


def _processor_s() -> float:
    """Return the seconds of the processor's that this process, and Ray's that it started, have taken."""
    own = psutil.Process()
    found = 0.0
    for each in [own, *own.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = each.cpu_times()
            found += times.user + times.system
    return found


def _opening(results: str, runs: int) -> dict[str, Any]:
    """Return how long the table takes to open, as the workers left it and compacted."""
    folder = Path(results) / "scale"
    found: dict[str, Any] = {"files": _files(folder), "open_s": _open(results, runs)}
    started = time.perf_counter()
    compact(Store(folder))
    found |= {"compact_s": time.perf_counter() - started}
    return found | {"compacted_files": _files(folder), "compacted_open_s": _open(results, runs)}


def _files(folder: Path) -> int:
    return len(list((folder / "runs").glob("*.parquet")))


def _open(results: str, runs: int) -> float:
    started = time.perf_counter()
    assert len(load("scale", results).runs) == runs
    return time.perf_counter() - started


class Memory:
    """This process's resident memory in MB, sampled every second."""

    def __init__(self) -> None:
        self.samples: list[float] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _sample(self) -> None:
        process = psutil.Process()
        while True:
            self.samples.append(process.memory_info().rss / 1e6)
            if self._done.wait(1.0):
                return


def table(found: dict[str, Any]) -> str:
    """Return the figures of one engine as a table."""
    memory = found["memory_mb"]
    first, last = memory[0], memory[-1]
    growth = 1000 * (last - first) / found["runs"]
    rows = [
        ("load of the machine before", f"{found['load']:.1f}"),
        ("runs", f"{found['runs']} in {found['seconds']:.0f} s, {found['slots']} at a time"),
        ("a run, of a slot's time", f"{found['a_run_ms']:.1f} ms"),
        ("the same in a bare loop", f"{found['bare_ms']:.1f} ms"),
        ("overhead a run", f"{found['overhead_ms']:.1f} ms (target: {OVERHEAD_MS})"),
        ("a run, of the processor's time, all processes", f"{found['cpu_ms']:.1f} ms"),
        ("the same in a bare loop", f"{found['bare_cpu_ms']:.1f} ms"),
        ("driver's memory: first, median, last", f"{first:.0f}, {statistics.median(memory):.0f}, {last:.0f} MB"),
        ("driver's memory: peak", f"{max(memory):.0f} MB (target: {DRIVER_MB})"),
        ("driver's memory: growth a run", f"{growth:.1f} kB"),
        ("open the study", f"{found['open_s']:.2f} s from {found['files']} files"),
        ("compact it", f"{found['compact_s']:.2f} s"),
        ("open it then", f"{found['compacted_open_s']:.2f} s from {found['compacted_files']} files"),
    ]
    lines = [f"| {name} | {value} |" for name, value in rows]
    return "\n".join([f"| engine | {found['engine']} |", "|---|---|", *lines])


if __name__ == "__main__":
    sys.exit(main())
