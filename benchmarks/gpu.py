"""What a GPU does in a second: ResNet18 on CIFAR-10 against the ordinary recipe, and runs an hour of small networks.

    python -m benchmarks.gpu [--made-up] [--seconds 10] [--processes 2 4] [--stacks 8 32 128]
    python -m benchmarks.gpu --cpu --small --made-up        # a rehearsal of it all

Of this package's dependencies it needs torch, torchvision, pydantic, ruamel.yaml, scipy, filelock, pandas and pyarrow;
neither ray nor optuna nor plotly. CIFAR-10 is read from $ROBUSTNESS_DATA.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from robustness.machine import cores

try:
    import torch

    from benchmarks import recipe
except ModuleNotFoundError as error:
    NEEDED = "pip install torch torchvision pydantic ruamel.yaml scipy filelock pandas pyarrow"
    sys.exit(f"benchmarks.gpu: no module named {error.name}: {NEEDED}")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EPOCHS = 20
"""Epochs of a run, where runs an hour are given; evaluation is not in it."""


@dataclass(frozen=True)
class Way:
    """How something is trained: `build` makes an epoch of `runs` runs, in each of `processes` processes."""

    name: str
    build: str
    model: dict[str, Any]
    options: dict[str, Any]
    runs: int = 1
    processes: int = 1


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    options = _parser().parse_args(arguments)
    device = "cpu" if options.cpu else "cuda"
    name = "CPU" if options.cpu else torch.cuda.get_device_name()
    print(f"{name}, torch {torch.__version__}, batch 128, {options.images} images an epoch, {EPOCHS} epochs a run")
    print("| network | way | images/s | runs an hour | against the first |")
    print("|---|---|---|---|---|")
    for model in _models(options.small):
        first = 0.0
        for way in _ways(model, options):
            try:
                rate = _rate(way, device, options)
            except Exception as error:  # noqa: BLE001 - one way's failure, such as no memory, is not the others'
                why = " ".join(str(error).split())[:80]
                print(f"| {model['name']} | {way.name} | {type(error).__name__}: {why} | | |", flush=True)
                continue
            first = first or rate
            hourly = 3600 * rate / (options.images * EPOCHS)
            print(f"| {model['name']} | {way.name} | {rate:.0f} | {hourly:.1f} | {rate / first:.2f} |", flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cpu", action="store_true", help="on the CPU, as a rehearsal")
    parser.add_argument("--small", action="store_true", help="tiny networks")
    parser.add_argument("--made-up", action="store_true", help="random bytes in place of CIFAR-10")
    parser.add_argument("--images", type=int, default=50_000, help="images of an epoch")
    parser.add_argument("--seconds", type=float, default=10.0, help="of measuring each way, an epoch at least")
    parser.add_argument("--processes", type=int, nargs="*", default=[2, 4], help="that share the GPU")
    parser.add_argument("--stacks", type=int, nargs="*", default=[8, 32, 128], help="sizes of stacks")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True, help="measure it compiled")
    return parser


def _models(small: bool) -> list[dict[str, Any]]:
    width = {"width": 0.07} if small else {}
    return [{"name": name, **width} for name in ("resnet18", "fast", "convnet")]


def _ways(model: dict[str, Any], options: argparse.Namespace) -> Iterator[Way]:
    low, quick = {"precision": "bfloat16"}, {"precision": "bfloat16", "compiled": True}
    yield Way("ordinary recipe, float32", "ordinary", model, {})
    yield Way("ordinary recipe, bfloat16", "ordinary", model, low)
    yield Way("ours, float32", "single", model, {})
    yield Way("ours, bfloat16", "single", model, low)
    if options.compile:
        yield Way("ours, bfloat16, compiled", "single", model, quick)
    for count in options.processes:
        best = quick if options.compile else low
        yield Way(f"ours, the same in {count} processes", "single", model, best, processes=count)
    if model["name"] == "resnet18":
        return
    for size in options.stacks:
        yield Way(f"ours, a stack of {size}, bfloat16", "stack", model, low, runs=size)
    if options.compile and options.stacks:
        size = options.stacks[len(options.stacks) // 2]
        yield Way(f"ours, a stack of {size}, bfloat16, compiled", "stack", model, quick, runs=size)


def _rate(way: Way, device: str, options: argparse.Namespace) -> float:
    """Return the images that all runs of all processes see in a second."""
    if way.processes == 1:
        return _measured(way, device, options, lambda: None)
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        start = manager.Barrier(way.processes, timeout=600)
        with context.Pool(way.processes) as pool:
            asked = [(way, device, options, start.wait)] * way.processes
            return sum(pool.starmap(_measured, asked, chunksize=1))


def _measured(way: Way, device: str, options: argparse.Namespace, ready: Callable[[], object]) -> float:
    """Train an epoch to warm up, then whole epochs for so many seconds; return the images seen in a second."""
    if device == "cpu":
        torch.set_num_threads(1)
    runs = recipe.runs(way.model, way.runs, made_up=options.made_up, train_size=options.images, **way.options)
    workers = min(8, cores.usable()) if device == "cuda" else 0
    if way.build == "ordinary":
        precision = way.options.get("precision", "float32")
        epoch = recipe.ordinary(runs[0], device, workers=workers, precision=precision)
    else:
        epoch = recipe.single(runs[0], device) if way.build == "single" else recipe.stack(runs, device)
    epoch()
    ready()
    started, seconds, epochs = time.perf_counter(), 0.0, 0
    while seconds < options.seconds or not epochs:
        recipe.seconds(epoch, device)
        seconds, epochs = time.perf_counter() - started, epochs + 1
    return float(options.images * way.runs * epochs / seconds)


if __name__ == "__main__":
    sys.exit(main())
