"""A training step on CIFAR-10 on one core: ours, single and in a stack, against plain PyTorch's ordinary recipe.

    python -m benchmarks.cifar [--images 2048] [--repetitions 5] [--made-up]

Epochs of each way are taken in turn, and the median of each one's time on the processor is printed. The data, read
from $ROBUSTNESS_DATA, are part of every step: the ordinary recipe has a DataLoader without workers and torchvision's
transforms.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from typing import Any

import torch

from benchmarks import recipe

NETWORKS: dict[str, dict[str, Any]] = {
    "convnet": {"name": "convnet"},
    "fast, width 0.125": {"name": "fast", "width": 0.125},
    "resnet18, width 0.125": {"name": "resnet18", "width": 0.125},
}
STACK = 8


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; return 1 if the engine of ours that pays is slower anywhere."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=2048)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--made-up", action="store_true", help="random bytes in place of CIFAR-10")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, one thread, {options.images} images, batch 128, median of {options.repetitions}")
    print(f"| network | ordinary, ms a step | ours, single | stack of {STACK}, a run | ordinary / single | / stack |")
    print("|---|---|---|---|---|---|")
    worst = float("inf")
    for name, model in NETWORKS.items():
        ordinary, single, stack = _steps(model, options)
        worst = min(worst, ordinary / min(single, stack))
        times = " | ".join(f"{1000 * each:.1f}" for each in (ordinary, single, stack))
        print(f"| {name} | {times} | {ordinary / single:.2f} | {ordinary / stack:.2f} |", flush=True)
    return 0 if worst >= 1 else 1


def _steps(model: dict[str, Any], options: argparse.Namespace) -> tuple[float, float, float]:
    """Return the seconds of a step of the ordinary recipe, of ours, and of ours in a stack, a run."""
    runs = recipe.runs(model, STACK, made_up=options.made_up, train_size=options.images)
    ways = (recipe.ordinary(runs[2], "cpu", workers=0), recipe.single(runs[2], "cpu"), recipe.stack(runs, "cpu"))
    steps = runs[0].workload.feed(0, "cpu", torch.float32).steps
    times: list[list[float]] = [[], [], []]
    for repetition in range(options.repetitions + 1):
        for way, taken in zip(ways, times, strict=True):
            spent = recipe.seconds(way, "cpu")
            if repetition:  # the first warms up
                taken.append(spent / steps)
    ordinary, single, stack = (statistics.median(taken) for taken in times)
    return ordinary, single, stack / STACK


if __name__ == "__main__":
    sys.exit(main())
